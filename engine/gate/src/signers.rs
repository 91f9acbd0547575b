//! OpenSSH's list of signers: who counts, where there is no project file.

use std::collections::BTreeMap;

use ssh_key::{HashAlg, PublicKey};

use crate::Person;

/// Options of a line that change nothing here: namespaces are looked at, and times of validity are asked of the clock by
/// nobody who verifies what was signed long ago.
const NAMESPACES: &str = "namespaces=";

/// Reads a list of allowed signers (`ssh-keygen(1)`): principals, options, a key. The first principal of a line names the
/// person; lines that restrict a key to namespaces of others are passed over.
///
/// # Errors
/// The number of the line that makes no sense, and why.
pub fn parse_allowed_signers(text: &str) -> Result<BTreeMap<String, Person>, String> {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let told = |why: &str| format!("line {}: {why}", index + 1);
        let words = words(line);
        let (principals, rest) = words.split_first().ok_or_else(|| told("it is empty"))?;
        let at = rest
            .iter()
            .position(|word| is_key_type(word))
            .ok_or_else(|| told("there is no key of a known type"))?;
        let (options, key) = rest.split_at(at);
        if options
            .iter()
            .any(|option| option.contains("cert-authority"))
        {
            return Err(told("authorities of certificates are not supported yet"));
        }
        if !is_ours(options) {
            continue;
        }
        let encoded = key.get(1).ok_or_else(|| told("the key is cut off"))?;
        let key = PublicKey::from_openssh(&format!("{} {encoded}", key[0]))
            .map_err(|error| told(&error.to_string()))?;
        let name = principals.trim_matches('"').split(',').next();
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| told("nobody is named"))?;
        people
            .entry(name.to_owned())
            .or_default()
            .keys
            .insert(key.fingerprint(HashAlg::Sha256).to_string());
    }
    Ok(people)
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| word.starts_with(start))
}

/// Whether a key may sign what Terrace signs.
fn is_ours(options: &[String]) -> bool {
    let spaces: Vec<&str> = options
        .iter()
        .flat_map(|word| word.split(",namespaces=").enumerate())
        .filter_map(|(index, part)| match index {
            0 => part.strip_prefix(NAMESPACES),
            _ => Some(part),
        })
        .collect();
    spaces.is_empty() || spaces.iter().any(|list| list.contains("terrace-"))
}

/// The words of a line; what stands in quotes is not divided.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_whitespace() && !quoted => {
                if words.last().is_some_and(|word| !word.is_empty()) {
                    words.push(String::new());
                }
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGDAF4/7lHTTOwxWAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn people_are_named_by_their_lines() {
        let text = format!(
            "# ours\n\nann {KEY}\nben@example.com,b namespaces=\"terrace-approval,git\" {KEY} ben's\ncem namespaces=\"git\" {KEY}\n"
        );
        let people = parse_allowed_signers(&text).unwrap();
        let names: Vec<&String> = people.keys().collect();
        assert_eq!(names, ["ann", "ben@example.com"]);
        assert!(
            people["ann"]
                .keys
                .iter()
                .all(|key| key.starts_with("SHA256:"))
        );
    }

    #[test]
    fn a_line_that_makes_no_sense_is_told() {
        for (line, why) in [
            ("ann", "no key"),
            ("ann ssh-ed25519", "cut off"),
            ("ann ssh-ed25519 nonsense", "line 1"),
            ("* cert-authority ssh-ed25519 AAAA", "not supported"),
        ] {
            let told = parse_allowed_signers(line).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
