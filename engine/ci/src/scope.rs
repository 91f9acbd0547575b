//! Which stacks of which environments a change touches, by the files that it changes.

use std::collections::BTreeSet;

/// A stack, as far as files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Its name.
    pub name: String,
    /// The folders that its configuration lies in: its own, and those of modules that it calls by a path; relative to the
    /// repository, `.` for the repository itself.
    pub folders: BTreeSet<String>,
}

/// What files mean for a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The stacks, in their order.
    pub stacks: Vec<Area>,
    /// The environments in their order, each with its variables files, relative to the repository.
    pub environments: Vec<(String, BTreeSet<String>)>,
    /// Files that mean everything, such as the project file and its policies.
    pub shared: BTreeSet<String>,
}

/// The pairs of environment and stack that a change of these files touches, environment by environment.
///
/// A variables file touches its environments, a file in a stack's folders the stack everywhere, a shared file everything; whatever
/// else is changed, such as documentation or workflows, nothing.
pub fn touched(scope: &Scope, files: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (environment, own) in &scope.environments {
        for stack in &scope.stacks {
            let is_touched = files.iter().any(|file| {
                let file = file.trim_start_matches("./");
                let is_variables = scope
                    .environments
                    .iter()
                    .any(|(_, files)| files.contains(file));
                if scope.shared.contains(file) {
                    true
                } else if is_variables {
                    own.contains(file)
                } else {
                    is_configuration(file) && stack.holds(file, scope)
                }
            });
            if is_touched {
                found.push((environment.clone(), stack.name.clone()));
            }
        }
    }
    found
}

/// Whether a plan may read a file. Templates, scripts and data may have any name; what is told to people alone has not.
fn is_configuration(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    let is_told = [
        "README",
        "CHANGELOG",
        "LICENSE",
        "CONTRIBUTING",
        "CODEOWNERS",
    ]
    .iter()
    .any(|begin| name.starts_with(begin));
    let is_hidden = file.starts_with(".github/") || file.starts_with(".git/");
    !is_told && !is_hidden && name != ".gitignore"
}

impl Area {
    /// Whether a file lies in one of its folders, and no nearer to another stack.
    fn holds(&self, file: &str, scope: &Scope) -> bool {
        let own = self.depth(file);
        own.is_some()
            && (own > Some(0)
                || scope
                    .stacks
                    .iter()
                    .all(|other| other == self || other.depth(file).is_none_or(|depth| depth == 0)))
    }

    /// How deep the innermost of its folders lies that holds a file; 0 for the repository itself.
    fn depth(&self, file: &str) -> Option<usize> {
        self.folders
            .iter()
            .filter_map(|folder| match folder.as_str() {
                "." | "" => Some(0),
                folder => {
                    let rest = file.strip_prefix(folder)?;
                    rest.starts_with('/').then(|| folder.split('/').count())
                }
            })
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let area = |name: &str, folders: &[&str]| Area {
            name: name.to_owned(),
            folders: set(folders),
        };
        Scope {
            stacks: vec![
                area("network", &["stacks/network"]),
                area("app", &["stacks/app", "modules/site"]),
            ],
            environments: vec![
                ("dev".to_owned(), set(&["environments/dev.tfvars"])),
                ("prd".to_owned(), set(&["environments/prd.tfvars"])),
            ],
            shared: set(&["terrace.hcl"]),
        }
    }

    fn told(files: &[&str]) -> Vec<String> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        touched(&scope(), &files)
            .into_iter()
            .map(|(environment, stack)| format!("{environment}/{stack}"))
            .collect()
    }

    #[test]
    fn a_file_of_a_stack_touches_it_everywhere() {
        assert_eq!(told(&["stacks/app/main.tf"]), ["dev/app", "prd/app"]);
        assert_eq!(told(&["stacks/app2/main.tf"]), [""; 0]);
    }

    #[test]
    fn a_module_touches_who_calls_it() {
        assert_eq!(told(&["modules/site/page.tmpl"]), ["dev/app", "prd/app"]);
        assert_eq!(told(&["modules/other/main.tf"]), [""; 0]);
    }

    #[test]
    fn a_variables_file_touches_its_environment() {
        assert_eq!(
            told(&["environments/prd.tfvars"]),
            ["prd/network", "prd/app"]
        );
    }

    #[test]
    fn a_shared_file_touches_everything_and_documentation_nothing() {
        assert_eq!(told(&["terrace.hcl"]).len(), 4);
        assert_eq!(
            told(&[
                "README.md",
                "stacks/app/README.md",
                ".github/workflows/x.yml"
            ]),
            [""; 0]
        );
    }

    #[test]
    fn a_stack_in_the_repository_itself_has_what_no_other_has() {
        let mut scope = scope();
        scope.stacks.push(Area {
            name: "root".to_owned(),
            folders: [".".to_owned()].into(),
        });
        let pairs = |file: &str| touched(&scope, &[file.to_owned()]);
        assert_eq!(pairs("main.tf")[0].1, "root");
        assert!(
            pairs("stacks/app/main.tf")
                .iter()
                .all(|(_, stack)| stack == "app")
        );
    }
}
