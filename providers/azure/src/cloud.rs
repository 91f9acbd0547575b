//! What the metadata service of a cloud says of it.

use serde_json::Value as Json;
use terrace_backend_remote::{Problem, chain};
use terrace_bearer::azure::Cloud;

/// Where the document is.
const PATH: &str = "/metadata/endpoints?api-version=2022-09-01";

/// The cloud that a host describes. `host` may say by which scheme it is asked; HTTPS otherwise.
pub(crate) async fn described(web: &reqwest::Client, host: &str) -> Result<Cloud, Problem> {
    let host = host.trim_end_matches('/');
    let url = if host.contains("://") {
        format!("{host}{PATH}")
    } else {
        format!("https://{host}{PATH}")
    };
    let told = |why: String| {
        Problem::with(
            "metadata_host",
            "The cloud cannot be found out",
            format!(
                "{url}: {why}\n\nSet \"metadata_host\" to the host of the cloud's metadata service, or \"environment\" instead."
            ),
        )
    };
    let answer = async {
        let answer = web.get(&url).send().await?.error_for_status()?;
        answer.bytes().await
    };
    let body = answer
        .await
        .map_err(|error| told(chain(&error.without_url())))?;
    let mut document: Json =
        serde_json::from_slice(&body).map_err(|error| told(error.to_string()))?;
    // Old hosts answer a list of clouds, of which the first is their own.
    if let Some(first) = document.as_array_mut().and_then(|all| all.first_mut()) {
        document = first.take();
    }
    let text = |place: &str| {
        let found = document.pointer(place).and_then(Json::as_str);
        found
            .filter(|found| !found.is_empty())
            .map(|found| found.trim_end_matches('/').to_owned())
            .ok_or_else(|| told(format!("the document does not say {place}")))
    };
    Ok(Cloud {
        authority: text("/authentication/loginEndpoint")?,
        manager: text("/resourceManager")?,
        storage_suffix: text("/suffixes/storage")?,
        vault_suffix: text("/suffixes/keyVaultDns")?
            .trim_start_matches('.')
            .to_owned(),
    })
}
