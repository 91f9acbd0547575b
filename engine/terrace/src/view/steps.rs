//! The steps of preparing a working directory: lines for people, or the reference's lines of JSON.

use serde_json::json;
use terrace_port::Clock as _;
use terrace_provider_install::{Event, How};

use super::View;
use super::style::Role;
use crate::outside::{SystemClock, rfc3339};

/// A step that the reference names by a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A module is copied into the working directory.
    CopyingConfiguration,
    /// The backend is opened.
    Backend,
    /// Modules are installed.
    Modules,
    /// Modules are selected anew.
    UpgradingModules,
    /// Providers are installed.
    Providers,
    /// The lock file is new.
    LockFile,
    /// The lock file has changed.
    LockFileChanged,
    /// Some packages are signed by others.
    PartnerProviders,
    /// There is nothing to prepare.
    Empty,
    /// All is done.
    Success,
    /// What can be done next.
    Next,
}

impl Step {
    const fn code(self) -> &'static str {
        match self {
            Self::CopyingConfiguration => "copying_configuration_message",
            Self::Backend => "initializing_backend_message",
            Self::Modules => "initializing_modules_message",
            Self::UpgradingModules => "upgrading_modules_message",
            Self::Providers => "initializing_provider_plugin_message",
            Self::LockFile => "lock_info",
            Self::LockFileChanged => "dependencies_lock_changes_info",
            Self::PartnerProviders => "partner_and_community_providers_message",
            Self::Empty => "output_init_empty_message",
            Self::Success => "output_init_success_message",
            Self::Next => "output_init_success_cli_message",
        }
    }

    const fn role(self) -> Option<Role> {
        match self {
            Self::Backend | Self::Modules | Self::UpgradingModules | Self::Providers => {
                Some(Role::Strong)
            }
            Self::Success => Some(Role::Add),
            _ => None,
        }
    }
}

impl View {
    /// Says that a step is taken.
    pub(crate) fn step(&self, step: Step, text: &str) {
        if self.json {
            self.output(step_line(step, text));
        } else {
            // What ends a command stands apart from what was said before.
            let apart = match step {
                Step::LockFile
                | Step::LockFileChanged
                | Step::PartnerProviders
                | Step::Success
                | Step::Next => "\n",
                _ => "",
            };
            let text = match step.role() {
                Some(role) => self.style.paint(role, text),
                None => text.to_owned(),
            };
            self.output(format!("{apart}{text}"));
        }
    }

    /// Something that happens during a step.
    pub(crate) fn detail(&self, text: &str) {
        if self.json {
            self.output(detail_line(text));
        } else {
            self.output(text);
        }
    }
}

fn step_line(step: Step, text: &str) -> String {
    json!({
        "@level": "info",
        "@message": text,
        "@module": "terraform.ui",
        "@timestamp": rfc3339(SystemClock.now().0),
        "message_code": step.code(),
        "type": "init_output",
    })
    .to_string()
}

fn detail_line(text: &str) -> String {
    let (seconds, nanoseconds) = SystemClock.now();
    let time =
        jiff::Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or(0)).unwrap_or_default();
    json!({
        "@level": "info",
        "@message": text,
        "@module": "terraform.ui",
        "@timestamp": format!("{time:.6}"),
        "type": "log",
    })
    .to_string()
}

/// An event of the installation of providers in the words that the reference has for programs; what is no line of its
/// own gives none.
pub(crate) fn event_message(event: &Event) -> Option<String> {
    Some(match event {
        Event::Downloading { .. } => return None,
        Event::Finding {
            provider,
            constraints,
        } if constraints.is_empty() => {
            format!("{}: Finding latest version...", provider.for_display())
        }
        Event::Finding {
            provider,
            constraints,
        } => format!(
            "Finding matching versions for provider: {}, version_constraint: {}",
            provider.for_display(),
            json!(constraints),
        ),
        Event::Reusing { provider } => format!(
            "{}: Reusing previous version from the dependency lock file",
            provider.for_display()
        ),
        Event::Installing { provider, version } => format!(
            "Installing provider version: {} v{version}...",
            provider.for_display()
        ),
        Event::Installed {
            provider,
            version,
            how,
            trust,
        } => {
            let provider = provider.for_display();
            match how {
                How::Now => format!("Installed provider version: {provider} v{version} ({trust})"),
                How::Before => {
                    format!("{provider} v{version}: Using previously-installed provider version")
                }
                How::Cache => {
                    format!("{provider} v{version}: Using from the shared cache directory")
                }
                How::Store => {
                    format!("{provider} v{version}: Using from the store of this machine")
                }
            }
        }
        other => other.to_string().trim_start_matches("- ").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_their_codes_in_json() {
        let line: serde_json::Value =
            serde_json::from_str(&step_line(Step::Providers, "Initializing...")).unwrap();
        assert_eq!(line["message_code"], "initializing_provider_plugin_message");
        assert_eq!(line["type"], "init_output");
        assert_eq!(line["@message"], "Initializing...");
    }

    #[test]
    fn events_are_told_to_programs_in_the_words_of_the_reference() {
        let provider = terrace_addr::ProviderAddr::default_for("null");
        let version = "2.1.2".parse().unwrap();
        let finding = |constraints: &str| Event::Finding {
            provider: provider.clone(),
            constraints: constraints.to_owned(),
        };
        assert_eq!(
            event_message(&finding("")).unwrap(),
            "hashicorp/null: Finding latest version..."
        );
        assert_eq!(
            event_message(&finding("~> 2.1, != 2.1.1")).unwrap(),
            "Finding matching versions for provider: hashicorp/null, version_constraint: \"~> 2.1, != 2.1.1\""
        );
        let installing = Event::Installing {
            provider: provider.clone(),
            version,
        };
        assert_eq!(
            event_message(&installing).unwrap(),
            "Installing provider version: hashicorp/null v2.1.2..."
        );
        let built_in = Event::BuiltIn {
            provider: terrace_addr::ProviderAddr::builtin(),
        };
        assert_eq!(
            event_message(&built_in).unwrap(),
            "terraform.io/builtin/terraform is built in to Terrace"
        );
    }
}
