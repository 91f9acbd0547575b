//! The conformance provider of `tests/providers`, in the languages in which it is written.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install::{Unavailable, download, go, once, tools_directory, venv};

/// The Go program, which serves each of its variants, built anew where its sources have changed.
pub fn conformance_provider_go() -> Result<PathBuf, Unavailable> {
    let directory = tools_directory().join("conformance-go");
    fs::create_dir_all(&directory)?;
    let directory = directory.canonicalize()?;
    let lock = File::create(directory.join("lock"))?;
    lock.lock()?;
    let program = directory.join("terraform-provider-conformance");
    download(
        Command::new(go()?)
            .current_dir(sources("go"))
            .args(["build", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg("."),
    )?;
    Ok(program)
}

/// The Python program: a script that starts it in an environment of its own.
pub fn conformance_provider_python() -> Result<PathBuf, Unavailable> {
    let directory = once("conformance-python-tf-1.2.0", |directory| {
        venv(directory)?;
        download(
            Command::new(directory.join("bin/pip"))
                .args(["install", "--quiet", "--requirement"])
                .arg(sources("python").join("requirements.txt")),
        )
    })?;
    let program = directory.join("terraform-provider-conformance");
    let lock = File::create(directory.join("lock"))?;
    lock.lock()?;
    let script = format!(
        "#!/bin/sh\nexec {:?} {:?} \"$@\"\n",
        directory.join("bin/python3").display().to_string(),
        sources("python").join("provider.py").display().to_string(),
    );
    if fs::read_to_string(&program).ok().as_ref() != Some(&script) {
        fs::write(&program, script)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(program)
}

/// What the descriptors in terraform-plugin-go say of the protocols 5 and 6: a line for each fact, sorted.
pub fn published_protocols() -> Result<String, Unavailable> {
    let mut command = Command::new(go()?);
    command
        .current_dir(sources("go"))
        .args(["run", "./descriptors"]);
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(Unavailable(format!(
            "{command:?}: {}",
            text(&output.stderr)
        )))
    }
}

/// Where the sources in a language are.
fn sources(language: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers");
    let directory = directory.join(language);
    directory.canonicalize().unwrap_or(directory)
}
