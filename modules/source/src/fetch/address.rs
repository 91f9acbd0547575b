//! An address with the parameters that are meant for us taken out of it.

use url::Url;

use super::FetchError;
use crate::archive::Format;
use crate::fetch::checksum::Checksum;
use crate::source::RemoteSource;

/// An address to ask, and what to do with the answer.
pub(crate) struct Address {
    /// What is asked.
    pub(crate) url: Url,
    /// The parameters that were taken out.
    taken: Vec<(String, String)>,
}

impl Address {
    /// Takes the parameters `names` and those of archives out of a source's address.
    pub(crate) fn of(source: &RemoteSource, names: &[&str]) -> Result<Self, FetchError> {
        let mut url = Url::parse(&source.address).map_err(|error| {
            FetchError::Refused(format!(
                "{:?} is not a valid address: {error}",
                source.address
            ))
        })?;
        let mut taken = Vec::new();
        let mut kept = Vec::new();
        for parameter in source.query.split('&').filter(|text| !text.is_empty()) {
            let (name, value) = url::form_urlencoded::parse(parameter.as_bytes())
                .next()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .unwrap_or_default();
            let ours = ["archive", "checksum", "filename"].contains(&name.as_str());
            if ours || names.contains(&name.as_str()) {
                taken.push((name, value));
            } else {
                // What is not ours stays as it is written.
                kept.push(parameter);
            }
        }
        if !kept.is_empty() {
            url.set_query(Some(&kept.join("&")));
        }
        Ok(Self { url, taken })
    }

    /// A parameter that was taken out.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.taken
            .iter()
            .find(|(taken, _)| taken == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The archive's format, by the parameter or by the path; `None` where there is no archive.
    pub(crate) fn format(&self) -> Result<Option<Format>, FetchError> {
        match self.parameter("archive") {
            Some("false" | "0") => Ok(None),
            Some(name) => Format::of_name(name).map(Some).ok_or_else(|| {
                FetchError::Refused(format!(
                    "archive={name} is no archive of files that can be unpacked; there are zip, tar, tar.gz, tar.bz2 and tar.xz"
                ))
            }),
            None => Ok(Format::of_path(self.url.path())),
        }
    }

    /// The checksum that the archive must have.
    pub(crate) fn checksum(&self) -> Result<Option<Checksum>, FetchError> {
        self.parameter("checksum").map(Checksum::parse).transpose()
    }
}
