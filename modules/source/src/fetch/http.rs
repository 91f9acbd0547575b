//! Archives of the web, and pages that say where the package is.

use std::path::Path;

use url::Url;

use super::address::Address;
use super::checksum::Checksum;
use super::{FetchError, Fetched, Fetcher};
use crate::archive::Format;
use crate::source::{RemoteSource, clean_subdirectory};
use crate::{archive, subdirectory, tree};

impl Fetcher {
    pub(super) fn fetch_http(
        &self,
        source: &RemoteSource,
        into: &Path,
        redirections: u32,
    ) -> Result<Fetched, FetchError> {
        let address = Address::of(source, &[])?;
        match address.format()? {
            Some(format) => {
                self.fetch_archive(&address, format, &[], into)?;
                Ok(Fetched::default())
            }
            None => self.follow(&address, into, redirections),
        }
    }

    /// Downloads an archive, checks it and unpacks it.
    pub(super) fn fetch_archive(
        &self,
        address: &Address,
        format: Format,
        headers: &[(&str, &str)],
        into: &Path,
    ) -> Result<(), FetchError> {
        let url = address.url.as_str();
        let path = self.cache.download(url);
        let _others_wait = self
            .cache
            .lock(&format!("download:{url}"))
            .map_err(FetchError::local("the cache cannot be locked"))?;
        self.http.download(url, headers, &path)?;
        let done = self
            .check(address, &path)
            .and_then(|()| Ok(archive::unpack(&path, format, into)?));
        // The package is kept, or of no use.
        std::fs::remove_file(&path).ok();
        done
    }

    /// Holds an archive to the checksum that its address has.
    pub(super) fn check(&self, address: &Address, archive: &Path) -> Result<(), FetchError> {
        match address.checksum()? {
            None => Ok(()),
            Some(Checksum::File(list)) => {
                let answer = self.http.get(&list, &[])?.ok()?;
                let name = address.url.path().rsplit('/').next().unwrap_or("");
                Checksum::in_list(&String::from_utf8_lossy(&answer.body), name)?.check(archive)
            }
            Some(digest) => digest.check(archive),
        }
    }

    /// Asks a page where the package is, and fetches that.
    fn follow(
        &self,
        address: &Address,
        into: &Path,
        redirections: u32,
    ) -> Result<Fetched, FetchError> {
        let mut url = address.url.clone();
        url.query_pairs_mut().append_pair("terraform-get", "1");
        let answer = self.http.get(url.as_str(), &[])?.ok()?;
        let location = match answer.header("x-terraform-get") {
            Some(location) => Some(location.to_owned()),
            None => meta_tag(&String::from_utf8_lossy(&answer.body)),
        };
        let Some(location) = location.filter(|location| !location.is_empty()) else {
            return FetchError::refused(
                "no source URL was returned: an address that is no archive must answer with the header X-Terraform-Get, or with a page whose meta tag \"terraform-get\" names one",
            );
        };
        if redirections == 0 {
            return FetchError::refused("too many addresses lead to others");
        }
        let base = Url::parse(&answer.url).unwrap_or(url);
        let next = resolve(&base, &location)?;
        let Some(next) = RemoteSource::parse(&next).map_err(FetchError::Refused)? else {
            return FetchError::refused(format!(
                "the server names {location:?}, which is no address"
            ));
        };
        if next.getter == "file" {
            return FetchError::refused(format!(
                "the server names {location:?}, a path of this machine; that is not for a server to choose"
            ));
        }
        let whole = self
            .cache
            .work()
            .map_err(FetchError::local("the cache cannot be written"))?;
        let package = whole.path().join("package");
        std::fs::create_dir(&package).map_err(FetchError::local("the cache cannot be written"))?;
        let fetched = self.dispatch(&next.package(), None, &package, redirections - 1)?;
        let inside =
            subdirectory::find(&package, &next.subdirectory).map_err(FetchError::Refused)?;
        let inside = clean_subdirectory(&inside).map_err(FetchError::Refused)?;
        tree::copy(&package.join(inside), into)
            .map_err(FetchError::local("the package cannot be copied"))?;
        Ok(fetched)
    }
}

/// A location that may be relative to where it was named.
fn resolve(base: &Url, location: &str) -> Result<String, FetchError> {
    let relative = ["/", "./", "../"]
        .iter()
        .any(|start| location.starts_with(start));
    if !relative {
        return Ok(location.to_owned());
    }
    base.join(location).map(String::from).map_err(|error| {
        FetchError::Refused(format!(
            "the server names {location:?}, which is no address: {error}"
        ))
    })
}

/// What `<meta name="terraform-get" content="…">` says in a page's head.
fn meta_tag(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let end = lower
        .find("<body")
        .or_else(|| lower.find("</head"))
        .unwrap_or(page.len());
    let mut at = 0;
    while let Some(found) = lower[at..end].find("<meta") {
        let start = at + found + "<meta".len();
        let stop = start + page[start..end].find('>')?;
        let tag = &page[start..stop];
        if attribute(tag, "name").as_deref() == Some("terraform-get") {
            return attribute(tag, "content");
        }
        at = stop;
    }
    None
}

/// An attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let found = before
            .trim()
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or("");
        let after = after.trim_start();
        let (value, next) = match after.chars().next()? {
            quote @ ('"' | '\'') => after[1..].split_once(quote)?,
            _ => after
                .split_once(|c: char| c.is_whitespace() || c == '/')
                .unwrap_or((after, "")),
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(value.replace("&amp;", "&"));
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_packages() {
        let page = "<html><head><meta charset=utf-8><META content='https://x/y.zip?a=1&amp;b=2' name=\"terraform-get\"/></head><body></body>";
        assert_eq!(meta_tag(page).unwrap(), "https://x/y.zip?a=1&b=2");
        let late = "<head></head><body><meta name=terraform-get content=x></body>";
        assert_eq!(meta_tag(late), None);
        assert_eq!(meta_tag("<meta name=\"other\" content=\"x\">"), None);
        assert_eq!(meta_tag("<meta name="), None);
    }

    #[test]
    fn locations_may_be_relative() {
        let base = Url::parse("https://example.com/a/b?x=1").unwrap();
        let resolved = |location: &str| resolve(&base, location).unwrap();
        assert_eq!(resolved("./c.zip"), "https://example.com/a/c.zip");
        assert_eq!(
            resolved("/c.zip//d?archive=zip"),
            "https://example.com/c.zip//d?archive=zip"
        );
        assert_eq!(resolved("git::https://h/r"), "git::https://h/r");
    }
}
