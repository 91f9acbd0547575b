//! One package: unpacking, linking, and the executable in it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// What an archive may hold at most, unpacked.
const LARGEST: u64 = 8 << 30;

/// Unpacks an archive into `target`, which is replaced. The target is whole or not there.
pub(crate) fn unpack(archive: &Path, target: &Path) -> io::Result<()> {
    make_aside(target, ".unpacking-", |made| unpack_aside(archive, made))
}

/// Unpacks an archive into the new directory `fresh`, which is not there yet. On failure something may be left of it.
pub(crate) fn unpack_aside(archive: &Path, fresh: &Path) -> io::Result<()> {
    std::fs::create_dir(fresh)?;
    let mut left = LARGEST;
    let mut zip = zip::ZipArchive::new(File::open(archive)?).map_err(io::Error::other)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(io::Error::other)?;
        let name = entry.enclosed_name().ok_or_else(|| {
            io::Error::other(
                "the archive has an entry that would lie outside of it, and nothing of such an archive is unpacked",
            )
        })?;
        let path = fresh.join(name);
        if entry.is_dir() {
            std::fs::create_dir_all(&path)?;
            continue;
        }
        std::fs::create_dir_all(parent_of(&path)?)?;
        let mode = entry.unix_mode();
        let written = io::copy(
            &mut entry.by_ref().take(left + 1),
            &mut File::create(&path)?,
        )?;
        left = left.checked_sub(written).ok_or_else(|| {
            io::Error::other(format!("the archive holds more than {} GiB", LARGEST >> 30))
        })?;
        set_mode(&path, mode)?;
    }
    Ok(())
}

/// Has `make` make something under another name beside `target`, and puts it in its place once it is whole.
fn make_aside(
    target: &Path,
    prefix: &str,
    make: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let parent = parent_of(target)?;
    std::fs::create_dir_all(parent)?;
    let fresh = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
    let made = fresh.path().join("package");
    make(&made)?;
    replace(&made, target)
}

/// Puts the directory `fresh` in the place of whatever is at `target`.
fn replace(fresh: &Path, target: &Path) -> io::Result<()> {
    // Someone else may do the same at this moment: whoever comes last has it.
    for _ in 0..3 {
        remove(target)?;
        match std::fs::rename(fresh, target) {
            Err(_) if target.symlink_metadata().is_ok() => continue,
            other => return other,
        }
    }
    std::fs::rename(fresh, target)
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
    make_aside(target, ".linking-", |made| link_or_copy(&package, made))
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

/// Makes `target` the same package as the directory `package`, of whose files it shares the contents where the file
/// system allows that.
pub(crate) fn share(package: &Path, target: &Path) -> io::Result<()> {
    make_aside(target, ".linking-", |made| share_into(package, made))
}

fn share_into(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            share_into(&entry.path(), &target)?;
        } else if std::fs::hard_link(entry.path(), &target).is_err() {
            std::fs::copy(entry.path(), target)?;
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
