//! Directories that hold packages of providers, packed or unpacked.

use std::collections::{BTreeMap, BTreeSet};
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

/// The packages of a version in the mirror `root`, by platform.
pub(crate) fn of_version(
    root: &Path,
    provider: &ProviderAddr,
    version: &Version,
) -> io::Result<BTreeMap<Platform, Found>> {
    let directory = root
        .join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name);
    let prefix = format!("terraform-provider-{}_", provider.name);
    let mut found = BTreeMap::new();
    for (name, path) in entries(&directory)? {
        if path.is_dir() {
            if name.parse::<Version>().is_ok_and(|named| named == *version) {
                for (name, path) in entries(&path)? {
                    if let Ok(platform) = name.parse()
                        && path.is_dir()
                    {
                        found.insert(platform, Found::Unpacked(path));
                    }
                }
            }
            continue;
        }
        let rest = name.strip_prefix(&prefix);
        let Some(stem) = rest.and_then(|rest| rest.strip_suffix(".zip")) else {
            continue;
        };
        let parts: Vec<&str> = stem.rsplitn(3, '_').collect();
        if let [arch, os, named] = parts[..]
            && named
                .parse::<Version>()
                .is_ok_and(|named| named == *version)
            && let Ok(platform) = format!("{os}_{arch}").parse()
        {
            found.entry(platform).or_insert(Found::Packed(path));
        }
    }
    Ok(found)
}

/// All versions of `provider` in the mirror `root`, for whatever platforms.
pub(crate) fn versions(root: &Path, provider: &ProviderAddr) -> io::Result<BTreeSet<Version>> {
    let directory = root
        .join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name);
    let prefix = format!("terraform-provider-{}_", provider.name);
    let found = entries(&directory)?.into_iter().filter_map(|(name, path)| {
        if path.is_dir() {
            return name.parse().ok();
        }
        let stem = name.strip_prefix(&prefix)?.strip_suffix(".zip")?;
        stem.rsplitn(3, '_').nth(2)?.parse().ok()
    });
    Ok(found.collect())
}

/// All providers that the mirror `root` has anything of.
pub(crate) fn providers(root: &Path) -> io::Result<Vec<ProviderAddr>> {
    let mut found = Vec::new();
    for (host, hosts) in directories(root)? {
        for (namespace, namespaces) in directories(&hosts)? {
            for (name, _) in directories(&namespaces)? {
                found.extend(ProviderAddr::parse(&format!("{host}/{namespace}/{name}")));
            }
        }
    }
    Ok(found)
}

fn directories(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = entries(directory)?;
    found.retain(|(_, path)| path.is_dir());
    Ok(found)
}

/// The name of a package's archive in a mirror.
pub(crate) fn archive_name(
    provider: &ProviderAddr,
    version: &Version,
    platform: &Platform,
) -> String {
    format!(
        "terraform-provider-{}_{version}_{platform}.zip",
        provider.name
    )
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
