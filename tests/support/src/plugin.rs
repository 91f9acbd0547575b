//! Plugins of this workspace in place of installed ones.

use std::path::{Path, PathBuf};

use crate::fake_provider;

/// A CLI configuration file, in `directory`, by which the provider `terrace/test` is the built fake-provider.
pub fn dev_override(directory: &Path) -> PathBuf {
    let plugins = directory.join("plugins");
    std::fs::create_dir_all(&plugins).expect("a directory can be made");
    let program = plugins.join("terraform-provider-test");
    if !program.exists() {
        std::os::unix::fs::symlink(fake_provider(), &program).expect("a link can be made");
    }
    let path = directory.join("cli.tfrc");
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n    \"terrace/test\" = {:?}\n  }}\n  direct {{}}\n}}\n",
        plugins.display().to_string()
    );
    std::fs::write(&path, text).expect("a file can be written");
    path
}
