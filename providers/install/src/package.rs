//! One package: unpacking, linking, and the executable in it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Unpacks an archive into `target`, which is replaced. The target is whole or not there.
pub(crate) fn unpack(archive: &Path, target: &Path) -> io::Result<()> {
    let parent = parent_of(target)?;
    std::fs::create_dir_all(parent)?;
    let fresh = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(parent)?;
    let mut zip = zip::ZipArchive::new(File::open(archive)?).map_err(io::Error::other)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(io::Error::other)?;
        let name = entry.enclosed_name().ok_or_else(|| {
            io::Error::other("the archive has an entry that would lie outside of it")
        })?;
        let path = fresh.path().join(name);
        if entry.is_dir() {
            std::fs::create_dir_all(&path)?;
            continue;
        }
        std::fs::create_dir_all(parent_of(&path)?)?;
        io::copy(&mut entry, &mut File::create(&path)?)?;
        set_mode(&path, entry.unix_mode())?;
    }
    remove(target)?;
    std::fs::rename(fresh.keep(), target)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // A provider packed on a system without such modes has none; all its files may then be run.
    let mode = mode.map_or(0o755, |mode| (mode & 0o755) | 0o600);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

/// Makes `target` lead to the directory `package`, by a link where the system has links, else by a copy.
pub(crate) fn link(package: &Path, target: &Path) -> io::Result<()> {
    let package = package.canonicalize()?;
    std::fs::create_dir_all(parent_of(target)?)?;
    remove(target)?;
    link_or_copy(&package, target)
}

#[cfg(unix)]
fn link_or_copy(package: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(package, target)
}

#[cfg(not(unix))]
fn link_or_copy(package: &Path, target: &Path) -> io::Result<()> {
    std::fs::create_dir_all(target)?;
    for entry in std::fs::read_dir(package)? {
        let entry = entry?;
        let to = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_or_copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Removes what is at `path`, if anything is: a link itself, not what it leads to.
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn parent_of(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other(format!("{} has no parent", path.display())))
}

/// The executable of provider `name` in a package: `terraform-provider-NAME`, whatever follows behind an underscore.
pub(crate) fn executable(package: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    let wanted = format!("terraform-provider-{name}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(package)? {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let rest = file
            .strip_suffix(".exe")
            .unwrap_or(&file)
            .strip_prefix(&wanted);
        // `path.is_dir` and not the entry's own type: a link to a program is one.
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            && !entry.path().is_dir()
        {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}
