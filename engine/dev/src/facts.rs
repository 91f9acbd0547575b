//! What the rules are judged by: the packages with their dependencies, and the texts of the repository.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::Failure;
use crate::source::Source;

/// The whole repository, as the rules see it.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Packages of the workspace by name.
    pub(crate) packages: BTreeMap<String, Package>,
    /// For every package id of the resolved graph, the ids that it needs when built for use.
    pub(crate) edges: BTreeMap<String, Vec<String>>,
    /// Names of packages by id.
    pub(crate) names: BTreeMap<String, String>,
    /// Rust files of the workspace.
    pub(crate) sources: Vec<Source>,
    /// All committed text files, with their paths.
    pub(crate) texts: Vec<(String, String)>,
}

/// One package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    id: String,
    /// Its directory relative to the repository.
    pub(crate) directory: String,
    /// What it says of itself.
    pub(crate) description: String,
    /// What it depends on directly, for use, tests or building.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A direct dependency.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// Whether only tests, benches and examples need it.
    pub(crate) is_dev: bool,
}

impl Facts {
    /// From what `cargo metadata --format-version 1` prints.
    pub(crate) fn from_metadata(metadata: &Json) -> Result<Self, Failure> {
        let mut facts = Self::default();
        let root = text(&metadata["workspace_root"])?;
        let members: BTreeSet<&str> = list(&metadata["workspace_members"])
            .filter_map(Json::as_str)
            .collect();
        for package in list(&metadata["packages"]) {
            let id = text(&package["id"])?;
            let name = text(&package["name"])?;
            facts.names.insert(id.to_owned(), name.to_owned());
            if !members.contains(id) {
                continue;
            }
            let manifest = text(&package["manifest_path"])?;
            let directory = manifest.strip_prefix(root).unwrap_or(manifest);
            let directory = directory
                .trim_start_matches('/')
                .trim_end_matches("Cargo.toml")
                .trim_end_matches('/');
            let dependencies = list(&package["dependencies"])
                .map(|dependency| {
                    let name = text(&dependency["name"])?.to_owned();
                    Ok(Dependency {
                        name,
                        is_dev: dependency["kind"] == "dev",
                    })
                })
                .collect::<Result<_, Failure>>()?;
            let description = package["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let package = Package {
                id: id.to_owned(),
                directory: directory.to_owned(),
                description,
                dependencies,
            };
            facts.packages.insert(name.to_owned(), package);
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let needed = list(&node["deps"])
                .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null()))
                .filter_map(|dep| dep["pkg"].as_str().map(str::to_owned))
                .collect();
            facts.edges.insert(text(&node["id"])?.to_owned(), needed);
        }
        Ok(facts)
    }

    /// Packages whose directory is `folder` or in it.
    pub(crate) fn packages_under<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Package)> {
        self.packages
            .iter()
            .filter(move |(_, package)| is_under(&package.directory, folder))
    }

    /// The shortest way by which `from` comes to need `to` when it is built for use; names, both ends included.
    pub(crate) fn way(&self, from: &Package, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([from.id.as_str()]);
        while let Some(id) = queue.pop_front() {
            if self.names.get(id).is_some_and(|name| name == to) {
                let mut way = vec![id];
                while let Some(before) = came_from.get(way[way.len() - 1]) {
                    way.push(before);
                }
                return Some(
                    way.iter()
                        .rev()
                        .filter_map(|id| self.names.get(*id).cloned())
                        .collect(),
                );
            }
            for next in self.edges.get(id).into_iter().flatten() {
                if next != &from.id && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, id);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// Whether `path` is `folder` or in it.
pub(crate) fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// Whether a path belongs to what only tests and developers run.
pub(crate) fn is_test_support(path: &str) -> bool {
    [
        "tests",
        "engine/dev",
        "providers/testkit",
        "state-backends/conformance",
    ]
    .iter()
    .any(|folder| is_under(path, folder))
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Json) -> Result<&str, Failure> {
    value
        .as_str()
        .ok_or_else(|| format!("cargo metadata: a string was expected instead of {value}").into())
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A repository to plant violations in: packages as (name, directory, dependencies), of which those with a leading
    /// `dev:` are for tests only. Whatever is depended on and not listed is a foreign package.
    pub(crate) fn repository(packages: &[(&str, &str, &[&str])]) -> Facts {
        let mut nodes = Vec::new();
        let mut listed = Vec::new();
        let mut foreign = BTreeSet::new();
        for (name, directory, dependencies) in packages {
            let split = |dependency: &str| match dependency.strip_prefix("dev:") {
                Some(name) => (name.to_owned(), Json::from("dev")),
                None => (dependency.to_owned(), Json::Null),
            };
            let direct: Vec<Json> = dependencies
                .iter()
                .map(|d| split(d))
                .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
                .collect();
            let edges: Vec<Json> = dependencies
                .iter()
                .map(|d| split(d))
                .map(|(name, kind)| serde_json::json!({"pkg": name, "dep_kinds": [{"kind": kind}]}))
                .collect();
            foreign.extend(dependencies.iter().map(|d| split(d).0));
            listed.push(serde_json::json!({
                "id": name, "name": name, "manifest_path": format!("/repository/{directory}/Cargo.toml"),
                "description": "A crate that is described", "dependencies": direct,
            }));
            nodes.push(serde_json::json!({"id": name, "deps": edges}));
        }
        for name in foreign
            .iter()
            .filter(|name| !packages.iter().any(|(own, ..)| own == *name))
        {
            listed.push(serde_json::json!({"id": name, "name": name, "dependencies": []}));
            nodes.push(serde_json::json!({"id": name, "deps": []}));
        }
        let members: Vec<&str> = packages.iter().map(|(name, ..)| *name).collect();
        let metadata = serde_json::json!({
            "workspace_root": "/repository", "workspace_members": members, "packages": listed, "resolve": {"nodes": nodes},
        });
        Facts::from_metadata(&metadata).unwrap()
    }

    /// A repository of one file.
    pub(crate) fn file(path: &str, text: &str) -> Facts {
        let source = Source::read(path, text, false).unwrap();
        Facts {
            sources: vec![source],
            texts: vec![(path.to_owned(), text.to_owned())],
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_package_goes_over_what_is_built_for_use() {
        let facts = testing::repository(&[
            ("a", "engine/a", &["b", "dev:tokio"]),
            ("b", "engine/b", &["c"]),
            ("c", "engine/c", &["tokio"]),
        ]);
        assert_eq!(
            facts.way(&facts.packages["a"], "tokio").unwrap(),
            ["a", "b", "c", "tokio"]
        );
        assert_eq!(facts.way(&facts.packages["a"], "petgraph"), None);
        let facts = testing::repository(&[("a", "engine/a", &["dev:tokio"])]);
        assert_eq!(facts.way(&facts.packages["a"], "tokio"), None);
    }

    #[test]
    fn folders_are_whole_names() {
        assert!(is_under("engine/state/src/lib.rs", "engine/state"));
        assert!(!is_under("engine/statement/src/lib.rs", "engine/state"));
    }
}
