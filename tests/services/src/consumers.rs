//! Programs of others that read what `terrace` writes, or call it.

use std::path::PathBuf;
use std::process::Command;

use crate::golang::{built, installed};
use crate::install::{Unavailable, download, once, venv};

/// The executable of checkov 3.3.30, from `PyPI`.
pub fn checkov() -> Result<PathBuf, Unavailable> {
    let directory = once("checkov-3.3.30", |directory| {
        venv(directory)?;
        download(Command::new(directory.join("bin/pip")).args([
            "install",
            "--quiet",
            "checkov==3.3.30",
        ]))
    })?;
    Ok(directory.join("bin/checkov"))
}

/// The executable of opa 1.22.0, built from the Go module proxy.
pub fn opa() -> Result<PathBuf, Unavailable> {
    installed("opa", "github.com/open-policy-agent/opa@v1.22.0")
}

/// The executable of conftest 0.71.1, built from the Go module proxy.
pub fn conftest() -> Result<PathBuf, Unavailable> {
    installed("conftest", "github.com/open-policy-agent/conftest@v0.71.1")
}

/// The executable of tflint 0.64.0, built from the Go module proxy.
pub fn tflint() -> Result<PathBuf, Unavailable> {
    installed("tflint", "github.com/terraform-linters/tflint@v0.64.0")
}

/// The executable of terragrunt 0.54.0, built in its module's tree from the Go module proxy.
pub fn terragrunt() -> Result<PathBuf, Unavailable> {
    built("terragrunt", "github.com/gruntwork-io/terragrunt@v0.54.0")
}

/// The directory of `node_modules` with cdktf-cli, cdktf 0.21.0 and constructs, from npm.
pub fn cdktf() -> Result<PathBuf, Unavailable> {
    let directory = once("cdktf-0.21.0", |directory| {
        download(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
                .arg(directory)
                .args(["cdktf-cli@0.21.0", "cdktf@0.21.0", "constructs@10.4.2"]),
        )
    })?;
    Ok(directory.join("node_modules"))
}
