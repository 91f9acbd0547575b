//! Directories that hold packages of providers, packed or unpacked.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;

use crate::settings::Platform;

/// A package in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An archive.
    Packed(PathBuf),
    /// A directory.
    Unpacked(PathBuf),
}

/// Versions of `provider` for `platform` in the mirror `root`. A version that is there both ways counts as unpacked.
///
/// Names that follow no rule are passed over; a directory that is not there holds nothing.
pub(crate) fn packages(
    root: &Path,
    provider: &ProviderAddr,
    platform: &Platform,
) -> io::Result<BTreeMap<Version, Found>> {
    let directory = root
        .join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name);
    let mut found = BTreeMap::new();
    for (name, path) in entries(&directory)? {
        if path.is_dir() {
            let package = path.join(platform.to_string());
            if let Ok(version) = name.parse()
                && package.is_dir()
            {
                found.insert(version, Found::Unpacked(package));
            }
        } else if let Some(version) = archive_version(&name, provider, platform) {
            found.entry(version).or_insert(Found::Packed(path));
        }
    }
    Ok(found)
}

/// Platforms other than `platform` for which the mirror has packages of `provider`.
pub(crate) fn other_platforms(
    root: &Path,
    provider: &ProviderAddr,
    platform: &Platform,
) -> io::Result<Vec<String>> {
    let directory = root
        .join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name);
    let mut platforms = Vec::new();
    for (name, path) in entries(&directory)? {
        if path.is_dir() {
            platforms.extend(entries(&path)?.into_iter().map(|(name, _)| name));
        } else if let Some(stem) = name.strip_suffix(".zip") {
            let parts: Vec<&str> = stem.rsplitn(3, '_').collect();
            if let [arch, os, _] = parts[..] {
                platforms.push(format!("{os}_{arch}"));
            }
        }
    }
    platforms.retain(|name| {
        name.parse::<Platform>()
            .is_ok_and(|other| other != *platform)
    });
    platforms.sort();
    platforms.dedup();
    Ok(platforms)
}

fn entries(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string() {
            list.push((name, entry.path()));
        }
    }
    list.sort();
    Ok(list)
}

/// The version in `terraform-provider-NAME_VERSION_OS_ARCH.zip`.
fn archive_version(name: &str, provider: &ProviderAddr, platform: &Platform) -> Option<Version> {
    name.strip_prefix(&format!("terraform-provider-{}_", provider.name))?
        .strip_suffix(&format!("_{platform}.zip"))?
        .parse()
        .ok()
}
