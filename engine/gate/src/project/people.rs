//! `person` and `role` blocks.

use std::collections::BTreeSet;

use terrace_syntax::Block;

use super::reader::{Reader, schema};
use crate::Person;

impl Reader {
    pub(super) fn read_person(&mut self, name: &str, block: &Block) {
        let content = self.content(&block.body, &schema(&["ssh", "github"], Vec::new()));
        let keys: BTreeSet<String> = self.texts(&content, "ssh").into_iter().collect();
        for key in &keys {
            let digits = key.strip_prefix("SHA256:").unwrap_or_default();
            if digits.len() != 43 {
                let detail = format!(
                    "{key:?} is not the fingerprint of an SSH key. `ssh-keygen -l -f KEY.pub` shows it, as SHA256: and 43 characters."
                );
                self.problem(
                    "invalid-fingerprint",
                    "Invalid key fingerprint",
                    detail,
                    block.header_span,
                );
            }
            if let Some(other) = self
                .project
                .people
                .iter()
                .find(|(_, person)| person.keys.contains(key))
            {
                let detail = format!(
                    "The key {key} is listed for {:?} already. A key belongs to one person.",
                    other.0
                );
                self.problem(
                    "duplicate-key",
                    "Key of two people",
                    detail,
                    block.header_span,
                );
            }
        }
        let github = self.text(&content, "github");
        self.check_login(github.as_deref(), block);
        if self
            .project
            .people
            .insert(name.to_owned(), Person { keys, github })
            .is_some()
        {
            self.problem(
                "duplicate-person",
                "Duplicate person",
                format!("The person {name:?} is listed twice."),
                block.header_span,
            );
        }
    }

    /// A login of two people would let one review count as both.
    fn check_login(&mut self, login: Option<&str>, block: &Block) {
        let Some(login) = login else { return };
        let taken = self.project.people.iter().find(|(_, person)| {
            person
                .github
                .as_deref()
                .is_some_and(|other| other.eq_ignore_ascii_case(login))
        });
        if let Some((other, _)) = taken {
            let detail = format!(
                "The login {login:?} is listed for {other:?} already. A login belongs to one person."
            );
            self.problem(
                "duplicate-key",
                "Login of two people",
                detail,
                block.header_span,
            );
        }
    }

    pub(super) fn read_role(&mut self, name: &str, block: &Block) {
        let content = self.content(&block.body, &schema(&["members"], Vec::new()));
        self.role_spans.insert(name.to_owned(), block.header_span);
        let members = self.texts(&content, "members").into_iter().collect();
        if self
            .project
            .roles
            .insert(name.to_owned(), members)
            .is_some()
        {
            self.problem(
                "duplicate-role",
                "Duplicate role",
                format!("The role {name:?} is defined twice."),
                block.header_span,
            );
        }
    }
}
