//! A filesystem mirror of the real providers, as `provider_installation` names one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::golang::current_provider;
use crate::install::{Unavailable, aws_provider_zip, null_provider, time_provider};

/// The platform of this process as providers are named for it, such as `linux_amd64`.
pub fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        architecture => architecture,
    };
    format!("{os}_{architecture}")
}

/// A mirror in a directory of its own, which goes with it.
#[derive(Debug)]
pub struct Mirror {
    directory: tempfile::TempDir,
}

impl Mirror {
    /// An empty one.
    pub fn new() -> Result<Self, Unavailable> {
        Ok(Self {
            directory: tempfile::tempdir()?,
        })
    }

    /// With null 2.1.2 and time 0.14.2, unpacked.
    pub fn with_small_providers(self) -> Result<Self, Unavailable> {
        self.with_unpacked(
            "hashicorp/null",
            "2.1.2",
            "terraform-provider-null_v2.1.2_x4",
            &null_provider()?,
        )?
        .with_unpacked(
            "hashicorp/time",
            "0.14.2",
            "terraform-provider-time_v0.14.2_x5",
            &time_provider()?,
        )
    }

    /// With providers of hashicorp as they are today, unpacked.
    pub fn with_current(self, names: &[&str]) -> Result<Self, Unavailable> {
        names.iter().try_fold(self, |mirror, name| {
            let (program, version) = current_provider(name)?;
            let file = format!("terraform-provider-{name}_v{version}_x5");
            mirror.with_unpacked(&format!("hashicorp/{name}"), version, &file, &program)
        })
    }

    /// With aws 3.39.0, packed.
    pub fn with_aws(self) -> Result<Self, Unavailable> {
        let zip = aws_provider_zip()?;
        let directory = self.path().join("registry.terraform.io/hashicorp/aws");
        fs::create_dir_all(&directory)?;
        let name = zip
            .file_name()
            .ok_or_else(|| Unavailable("the zip has no name".into()))?;
        link(&zip, &directory.join(name))?;
        Ok(self)
    }

    /// With any executable as the provider `source` (`namespace/type`) of a version, unpacked.
    pub fn with_unpacked(
        self,
        source: &str,
        version: &str,
        file: &str,
        program: &Path,
    ) -> Result<Self, Unavailable> {
        let directory = self
            .path()
            .join("registry.terraform.io")
            .join(source)
            .join(version)
            .join(platform());
        fs::create_dir_all(&directory)?;
        link(program, &directory.join(file))?;
        Ok(self)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A CLI configuration file that takes providers from this mirror only.
    pub fn cli_config(&self) -> Result<PathBuf, Unavailable> {
        let path = self.path().join("cli.tfrc");
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path    = {:?}\n    include = [\"registry.terraform.io/*/*\"]\n  }}\n}}\n",
            self.path().display().to_string()
        );
        fs::write(&path, text)?;
        Ok(path)
    }
}

/// A hard link where the file system allows one, else a copy.
fn link(from: &Path, to: &Path) -> Result<(), Unavailable> {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
    }
    Ok(())
}
