//! Kubeconfig files.

use std::path::{Path, PathBuf};

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value as Json};
use terrace_backend_remote::Problem;

use crate::credentials::ExecCommand;
use crate::settings::{Access, decoded, invalid, read};

const ARGUMENT: &str = "config_path";

/// What of the files is used.
pub(crate) struct Choice {
    pub(crate) context: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) cluster: Option<String>,
}

/// The access that files describe together: of two things with one name, the first counts.
pub(crate) fn access(files: &[PathBuf], choice: &Choice) -> Result<Access, Vec<Problem>> {
    let mut documents = Vec::new();
    for path in files {
        let text = String::from_utf8_lossy(&read(ARGUMENT, path)?).into_owned();
        let document = yaml(&text)
            .map_err(|why| invalid(ARGUMENT, format!("{} is no YAML: {why}.", path.display())))?;
        let directory = path.parent().unwrap_or(Path::new(".")).to_owned();
        documents.push((document, directory));
    }
    let find = |list: &str, kind: &str, name: &str| {
        documents.iter().find_map(|(document, directory)| {
            let named = |entry: &&Json| entry["name"].as_str() == Some(name);
            let found = document[list].as_array()?.iter().find(named)?;
            Some((found[kind].clone(), directory.clone()))
        })
    };
    let missing = |what: &str, name: &str| {
        invalid(
            ARGUMENT,
            format!("The kubeconfig files have no {what} {name:?}."),
        )
    };
    let current = documents.iter().find_map(|(document, _)| {
        document["current-context"]
            .as_str()
            .filter(|name| !name.is_empty())
    });
    let context = match choice.context.as_deref().or(current) {
        Some(name) => {
            find("contexts", "context", name)
                .ok_or_else(|| missing("context", name))?
                .0
        }
        None => Json::Null,
    };
    let mut access = Access::default();
    if let Some(name) = choice.cluster.clone().or_else(|| text(&context, "cluster")) {
        let (cluster, directory) =
            find("clusters", "cluster", &name).ok_or_else(|| missing("cluster", &name))?;
        access.host = text(&cluster, "server").unwrap_or_default();
        access.insecure = flag(&cluster, "insecure-skip-tls-verify");
        access.proxy = text(&cluster, "proxy-url");
        access.authority = data(&cluster, "certificate-authority", &directory)?;
    }
    if let Some(name) = choice.user.clone().or_else(|| text(&context, "user")) {
        let (user, directory) =
            find("users", "user", &name).ok_or_else(|| missing("user", &name))?;
        access.certificate = data(&user, "client-certificate", &directory)?;
        access.key = data(&user, "client-key", &directory)?;
        access.token = text(&user, "token");
        access.token_file = text(&user, "tokenFile").map(|path| directory.join(path));
        if let Some(name) = text(&user, "username") {
            access.login = Some((name, text(&user, "password").unwrap_or_default()));
        }
        access.exec = exec(&user["exec"]);
    }
    Ok(access)
}

fn text(object: &Json, name: &str) -> Option<String> {
    object[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn flag(object: &Json, name: &str) -> bool {
    object[name].as_str() == Some("true")
}

/// What is given as base64, or as a file's path.
fn data(object: &Json, name: &str, directory: &Path) -> Result<Option<Vec<u8>>, Vec<Problem>> {
    if let Some(encoded) = text(object, &format!("{name}-data")) {
        return decoded(ARGUMENT, &encoded).map(Some);
    }
    match text(object, name) {
        Some(path) => read(ARGUMENT, &directory.join(path)).map(Some),
        None => Ok(None),
    }
}

fn exec(object: &Json) -> Option<ExecCommand> {
    let items = |name: &str| object[name].as_array().cloned().unwrap_or_default();
    Some(ExecCommand {
        api_version: text(object, "apiVersion").unwrap_or_default(),
        command: text(object, "command")?,
        arguments: items("args")
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        environment: items("env")
            .iter()
            .filter_map(|item| Some((text(item, "name")?, text(item, "value").unwrap_or_default())))
            .collect(),
    })
}

/// YAML of lists, mappings and scalars, which all stay text.
fn yaml(text: &str) -> Result<Json, String> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<(Json, Option<String>)> = Vec::new();
    let mut done = Json::Null;
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let complete = match event {
            Event::Scalar(text, ..) => Json::String(text.into_owned()),
            Event::SequenceStart(..) => {
                open.push((Json::Array(Vec::new()), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((Json::Object(Map::new()), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((value, _)) => value,
                None => continue,
            },
            Event::Alias(_) => return Err("aliases are not supported".into()),
            _ => continue,
        };
        match open.last_mut() {
            Some((Json::Array(items), _)) => items.push(complete),
            Some((Json::Object(entries), key)) => match key.take() {
                Some(key) => drop(entries.insert(key, complete)),
                None => *key = complete.as_str().map(str::to_owned),
            },
            _ => done = complete,
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_is_read() {
        let document = yaml("apiVersion: v1\nclusters:\n- name: c\n  cluster:\n    server: https://x:6443\n    insecure-skip-tls-verify: true\nusers:\n- name: u\n  user:\n    token: abc\n    exec:\n      command: get\n      args: [a, \"b\"]\n      env:\n      - {name: X, value: y}\n").unwrap();
        assert_eq!(
            document["clusters"][0]["cluster"]["server"],
            "https://x:6443"
        );
        let exec = exec(&document["users"][0]["user"]["exec"]).unwrap();
        assert_eq!(exec.arguments, ["a", "b"]);
        assert_eq!(exec.environment["X"], "y");
        assert!(yaml("a: [").is_err());
    }
}
