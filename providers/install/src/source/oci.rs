//! OCI mirrors: a repository for each provider, in which tags are versions and an index names the package of each
//! platform.

use std::collections::BTreeSet;

use serde_json::Value;
use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_registry_client::OciRepository;

use super::{Offer, Place, Sources};
use crate::hash::PackageHash;
use crate::installer::failure::Failure;

use crate::pattern::Pattern;
use crate::settings::Platform;
use crate::signature::Trust;

/// What the layer of a package is.
const LAYER: &str = "archive/zip";

/// The repository that a template gives for a provider: `host/name`.
pub(super) fn repository(template: &str, provider: &ProviderAddr) -> String {
    template
        .replace("${hostname}", &provider.host.replace(':', "_"))
        .replace("${namespace}", &provider.namespace)
        .replace("${type}", &provider.name)
}

/// Says what is wrong with a template: it must tell apart all providers that it is for.
pub(crate) fn check_template(template: &str, include: &[Pattern]) -> Result<(), String> {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            return Err("a \"${\" is not closed".to_owned());
        };
        if !["hostname", "namespace", "type"].contains(&name) {
            return Err(format!(
                "there is no ${{{name}}}, only ${{hostname}}, ${{namespace}} and ${{type}}"
            ));
        }
        rest = behind;
    }
    if !template.contains('/') || template.contains("://") {
        return Err(
            "it has the form HOST/REPOSITORY, such as \"example.com/providers/${namespace}/${type}\""
                .to_owned(),
        );
    }
    let several = include.len() != 1;
    let open = |left_open: fn(&Pattern) -> bool| include.iter().any(left_open);
    let needed = [
        ("hostname", open(Pattern::any_host)),
        ("namespace", open(Pattern::any_namespace)),
        ("type", several || open(Pattern::any_name)),
    ];
    for (name, needed) in needed {
        if needed && !template.contains(&format!("${{{name}}}")) {
            return Err(format!(
                "it must contain ${{{name}}}, so that each provider has a repository of its own"
            ));
        }
    }
    Ok(())
}

impl Sources<'_> {
    fn oci<'b>(
        &'b self,
        template: &str,
        provider: &ProviderAddr,
    ) -> Result<(OciRepository<'b>, String, String), Failure> {
        let place = repository(template, provider);
        let Some((authority, name)) = place.split_once('/') else {
            return Err(Failure::Mirror {
                mirror: place,
                why: "it has no repository behind the host".to_owned(),
            });
        };
        let repository = self.open_oci(authority, name);
        Ok((repository, authority.to_owned(), name.to_owned()))
    }

    pub(crate) fn open_oci(&self, authority: &str, name: &str) -> OciRepository<'_> {
        OciRepository::new(
            self.settings.registries.http(),
            authority,
            name,
            self.settings.docker_settings.clone(),
        )
    }

    pub(super) fn list_oci(
        &self,
        provider: &ProviderAddr,
        template: &str,
    ) -> Result<BTreeSet<Version>, Failure> {
        let (mut repository, ..) = self.oci(template, provider)?;
        let tags = repository
            .tags()
            .map_err(|error| failure(template, provider, error.to_string()))?;
        let tags = tags.unwrap_or_default();
        // What a version may hold and a tag may not.
        let versions = tags
            .iter()
            .filter_map(|tag| tag.replace('_', "+").parse().ok());
        Ok(versions.collect())
    }

    pub(super) fn offer_oci(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        platform: &Platform,
        template: &str,
    ) -> Result<Option<Offer>, Failure> {
        let (mut repository, authority, name) = self.oci(template, provider)?;
        let failed = |why: String| failure(template, provider, why);
        let tag = version.to_string().replace('+', "_");
        let index = repository
            .manifest(&tag)
            .map_err(|error| failed(error.to_string()))?;
        let Some(index) = index else {
            return Ok(None);
        };
        let Some(digest) = platform_manifest(&index, platform) else {
            return Ok(None);
        };
        let manifest = repository
            .manifest(&digest)
            .map_err(|error| failed(error.to_string()))?
            .ok_or_else(|| {
                failed(format!(
                    "the index of {tag:?} names {digest}, which is not there"
                ))
            })?;
        let layer = layer(&manifest).map_err(failed)?;
        let Some(sha256) = layer.strip_prefix("sha256:") else {
            return Err(failed(format!(
                "{layer:?} is no digest that can be checked"
            )));
        };
        let hash = PackageHash(format!("zh:{sha256}"));
        Ok(Some(Offer {
            expected: BTreeSet::from([hash.clone()]),
            known: BTreeSet::from([hash]),
            place: Place::Blob {
                authority,
                repository: name,
                digest: layer,
            },
            trust: Trust::VerifiedChecksum,
        }))
    }
}

fn failure(template: &str, provider: &ProviderAddr, why: String) -> Failure {
    Failure::Mirror {
        mirror: repository(template, provider),
        why,
    }
}

/// The digest of a platform's manifest in an index.
fn platform_manifest(index: &Value, platform: &Platform) -> Option<String> {
    let manifests = index.get("manifests")?.as_array()?;
    let found = manifests.iter().find(|manifest| {
        let text = |name: &str| manifest.get("platform")?.get(name)?.as_str();
        text("os") == Some(&platform.os) && text("architecture") == Some(&platform.arch)
    })?;
    Some(found.get("digest")?.as_str()?.to_owned())
}

/// The digest of the one layer that is a package.
fn layer(manifest: &Value) -> Result<String, String> {
    let layers = manifest.get("layers").and_then(Value::as_array);
    let mut found = layers.into_iter().flatten().filter_map(|layer| {
        let kind = layer.get("mediaType")?.as_str()?;
        (kind == LAYER).then(|| layer.get("digest")?.as_str())?
    });
    match (found.next(), found.next()) {
        (Some(digest), None) => Ok(digest.to_owned()),
        (None, _) => Err(format!(
            "the artifact is no provider's package: it has no layer of type {LAYER}"
        )),
        (Some(_), Some(_)) => Err(format!(
            "the artifact is no provider's package: it has several layers of type {LAYER}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_tells_providers_apart() {
        let patterns = |texts: &[&str]| -> Vec<Pattern> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (template, include, fits) in [
            ("h.example/${namespace}/${type}", &[][..], true),
            ("h.example/${namespace}/${type}", &["hashicorp/*"], true),
            ("h.example/p-${type}", &["hashicorp/*"], true),
            ("h.example/p", &["hashicorp/null"], true),
            ("h.example/p", &["hashicorp/*"], false),
            ("h.example/p", &[], false),
            ("h.example/${type}", &["example.com/*/*"], false),
            ("h.example/${type}/${name}", &[], false),
            ("h.example/${type", &[], false),
            ("https://h.example/${type}", &[], false),
            ("${type}", &[], false),
        ] {
            let checked = check_template(template, &patterns(include));
            assert_eq!(checked.is_ok(), fits, "{template}: {checked:?}");
        }
    }
}
