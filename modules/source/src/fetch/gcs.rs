//! Objects of Google Cloud Storage: public ones, or with a token.

use std::path::Path;

use url::Url;

use super::address::Address;
use super::{FetchError, Fetched, Fetcher};
use crate::source::RemoteSource;

impl Fetcher {
    pub(super) fn fetch_gcs(
        &self,
        source: &RemoteSource,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
        let mut address = Address::of(source, &[])?;
        let Some(format) = address.format()? else {
            return FetchError::refused(
                "only archives are fetched from Cloud Storage: the object's name must end as an archive's does, or the parameter archive must say what it is",
            );
        };
        // As `/storage/v1/BUCKET/OBJECT`, in which form modules name objects.
        let path = address.url.path().trim_start_matches('/').to_owned();
        let mut parts = path.splitn(4, '/');
        let (Some("storage"), Some(_), Some(bucket), Some(object)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return FetchError::refused(
                "URL is not a valid GCS URL: it has the form gcs::https://www.googleapis.com/storage/v1/BUCKET/OBJECT",
            );
        };
        let endpoint = self
            .variable("STORAGE_EMULATOR_HOST")
            .unwrap_or("https://storage.googleapis.com");
        let endpoint = if endpoint.contains("://") {
            endpoint.trim_end_matches('/').to_owned()
        } else {
            format!("http://{endpoint}")
        };
        let query = address
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let text = format!("{endpoint}/{bucket}/{object}{query}");
        address.url = Url::parse(&text).map_err(|error| {
            FetchError::Refused(format!("{text:?} is not a valid address: {error}"))
        })?;
        let token = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"]
            .into_iter()
            .find_map(|name| self.variable(name))
            .map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = token
            .iter()
            .map(|token| ("authorization", token.as_str()))
            .collect();
        let found = self.fetch_archive(&address, format, &headers, into);
        match found {
            Err(FetchError::Client(error))
                if token.is_none() && matches!(error.status(), Some(401 | 403)) =>
            {
                FetchError::refused(format!(
                    "{error}. No token was sent: GOOGLE_OAUTH_ACCESS_TOKEN is not set (`gcloud auth print-access-token` prints one); key files of service accounts are not supported yet"
                ))
            }
            other => other.map(|()| Fetched::default()),
        }
    }
}
