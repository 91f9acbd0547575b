//! Programs and providers built from the Go module proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install::{Unavailable, download, go, once, run, twice_more};

/// Providers as they are today, at the versions that the proxy has, under the versions that mirrors give them.
const PROVIDERS: &[(&str, &str, &str)] = &[
    (
        "random",
        "3.99.0",
        "github.com/hashicorp/terraform-provider-random@v1.3.2-0.20260824155315-e1092b0cfc07",
    ),
    (
        "local",
        "2.99.0",
        "github.com/hashicorp/terraform-provider-local@v1.4.1-0.20260806152022-9068a4b7aa37",
    ),
    (
        "tls",
        "4.99.0",
        "github.com/hashicorp/terraform-provider-tls@v1.2.1-0.20260819085117-d044ca7c6f52",
    ),
    (
        "http",
        "3.99.0",
        "github.com/hashicorp/terraform-provider-http@v1.2.1-0.20260814132659-be89f04ea469",
    ),
];

/// The executable of a current provider of hashicorp (`random`, `local`, `tls` or `http`), and its version.
pub fn current_provider(name: &str) -> Result<(PathBuf, &'static str), Unavailable> {
    let found = PROVIDERS.iter().find(|(known, ..)| *known == name);
    let (_, version, module) =
        found.ok_or_else(|| Unavailable(format!("no version of {name} is known")))?;
    let program = built(&format!("terraform-provider-{name}"), module)?;
    Ok((program, version))
}

/// `act`, which runs workflows of GitHub on this machine.
pub fn act() -> Result<PathBuf, Unavailable> {
    installed("act", "github.com/nektos/act@v0.2.89")
}

/// `actionlint`, which knows what is wrong with workflows.
pub fn actionlint() -> Result<PathBuf, Unavailable> {
    installed(
        "actionlint",
        "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
    )
}

/// A program that `go install` can build.
pub(crate) fn installed(name: &str, package: &str) -> Result<PathBuf, Unavailable> {
    let directory = once(&versioned(name, package), |directory| {
        download(
            Command::new(go()?)
                .args(["install", package])
                .env("GOBIN", directory)
                .env("GOFLAGS", "-buildvcs=false"),
        )
    })?;
    Ok(directory.join(name))
}

/// A program that is built inside of its module, because the module replaces some of what it needs or goes by another
/// name.
pub(crate) fn built(name: &str, module: &str) -> Result<PathBuf, Unavailable> {
    let directory = once(&versioned(name, module), |directory| {
        let tree = directory.join("tree");
        run(Command::new("cp")
            .args(["-r", "--no-preserve=mode"])
            .arg(go_module(module)?)
            .arg(&tree))?;
        download(
            Command::new(go()?)
                .current_dir(&tree)
                .args(["build", "-buildvcs=false", "-mod=mod", "-o"])
                .arg(directory.join(name))
                .arg("."),
        )?;
        Ok(fs::remove_dir_all(tree)?)
    })?;
    Ok(directory.join(name))
}

/// Where Go keeps the `go.mod` of a module.
pub(crate) fn module_file(module: &str) -> Result<PathBuf, Unavailable> {
    twice_more(|| said_of(module, "GoMod"))
}

/// Where Go keeps the sources of a module, such as `example.com/module@v1.0.0`, downloaded if need be.
pub fn go_module(module: &str) -> Result<PathBuf, Unavailable> {
    twice_more(|| said_of(module, "Dir"))
}

/// What Go says of a module that it has downloaded: a path.
fn said_of(module: &str, what: &str) -> Result<PathBuf, Unavailable> {
    let output = Command::new(go()?)
        .args(["mod", "download", "-json", module])
        .current_dir(std::env::temp_dir())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let directory = text.lines().find_map(|line| {
        let path = line.trim().strip_prefix(&format!("\"{what}\": \""))?;
        path.split_once('"').map(|(path, _)| PathBuf::from(path))
    });
    directory.filter(|path| Path::exists(path)).ok_or_else(|| {
        Unavailable(format!(
            "{module} cannot be downloaded: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        ))
    })
}

/// The name of a program with its version.
fn versioned(name: &str, package: &str) -> String {
    let version = package.rsplit_once('@').map_or("", |(_, version)| version);
    format!("{name}-{}", version.trim_start_matches('v'))
}
