//! Publishing modules into a store of objects.
//!
//! The objects are laid out as the protocol of module registries has its addresses, so that whatever serves the store over
//! HTTP is a registry:
//!
//! ```text
//! .well-known/terraform.json
//! v1/modules/NAMESPACE/NAME/SYSTEM/versions                     which versions there are: the one place that decides
//! v1/modules/NAMESPACE/NAME/SYSTEM/VERSION/download             where the archive is, and whose turn it is to publish
//! v1/modules/NAMESPACE/NAME/SYSTEM/VERSION/module.zip
//! v1/modules/NAMESPACE/NAME/SYSTEM/VERSION/statement-DIGEST.json
//! v1/modules/NAMESPACE/NAME/SYSTEM/VERSION/about.json
//! ```
//!
//! A version exists once `versions` lists it, which is one write under the condition that nobody else wrote meanwhile, and
//! the last of all. Before it, whoever publishes claims the version by writing `download`, which names the archive's
//! digest, where nothing is; then the content is written. Who is killed leaves a claim: the same content, packed again, is
//! the same archive and finishes what was begun; other content is refused until someone says that it takes over.

use std::sync::Arc;
use std::time::Duration;

use terrace_addr::version::Version;
use terrace_backend_remote::{Failure, Object, Objects, Put, When, Write};
use terrace_registry_client::{Deprecation, Listed, Listing, Yanked};

use crate::attestation::timestamp;
use crate::{About, Attestation, CatalogueError, ModuleAddress, ModuleArchive, wire};

/// Where modules are.
const MODULES: &str = "v1/modules/";
/// How often a list of versions is written anew because someone else was faster.
const MOST_ATTEMPTS: u32 = 400;
/// How often a request is repeated that may pass.
const MOST_REPETITIONS: u32 = 5;

/// What is to be published.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The module.
    pub module: &'a ModuleAddress,
    /// The version.
    pub version: &'a Version,
    /// Its archive.
    pub archive: &'a ModuleArchive,
    /// What was signed of it.
    pub attestation: &'a Attestation,
    /// When it is published, in seconds since 1970 UTC.
    pub at: i64,
    /// Whether a publication with other content that was begun and broke off gives way.
    pub takes_over: bool,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// As the registry lists it.
    pub listed: Listed,
    /// Where its archive is.
    pub place: String,
}

/// A registry's modules in a store.
#[derive(Clone)]
pub struct Catalogue {
    store: Arc<dyn Objects>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Catalogue")
            .field(&self.store.place(""))
            .finish()
    }
}

impl Catalogue {
    /// What is in a store.
    pub fn new(store: Arc<dyn Objects>) -> Self {
        Self { store }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Objects> {
        &self.store
    }

    /// Writes what makes a static web site of the store a registry: the discovery document, and the rule by which hosts
    /// that know such files answer `download` with the header that the protocol asks for. `path` is where the site serves
    /// the store: `/` where it is the whole site.
    ///
    /// # Errors
    /// [`CatalogueError::Store`].
    pub async fn prepare(&self, path: &str) -> Result<(), CatalogueError> {
        let path = format!("/{}", path.trim_matches('/'));
        let path = path.trim_end_matches('/');
        let document = format!("{{\"modules.v1\":\"{path}/{MODULES}\"}}\n");
        let headers = format!(
            "{path}/{MODULES}:namespace/:name/:system/versions\n  Content-Type: application/json\n{path}/{MODULES}:namespace/:name/:system/:version/download\n  Content-Type: application/json\n  X-Terraform-Get: ./module.zip\n"
        );
        for (name, text) in [
            (".well-known/terraform.json", document),
            ("_headers", headers),
        ] {
            let there = self.get(name).await?;
            if there.is_none_or(|there| *there.bytes != *text.as_bytes()) {
                self.put(name, text.as_bytes(), When::Always).await?;
            }
        }
        Ok(())
    }

    /// Publishes a version: all of it, or nothing that anybody sees.
    ///
    /// # Errors
    /// [`CatalogueError::AlreadyPublished`] where the version is there, whatever its content; [`CatalogueError::Begun`]
    /// where someone else's publication of it is on its way; [`CatalogueError::Refused`] where the attestation is about
    /// something else.
    pub async fn publish(
        &self,
        publication: &Publication<'_>,
    ) -> Result<Published, CatalogueError> {
        let Publication {
            module,
            version,
            archive,
            attestation,
            ..
        } = *publication;
        if version.to_string().contains('+') {
            // Versions that differ in nothing else are equal, and would be one version under two addresses.
            return Err(CatalogueError::Refused(format!(
                "the version {version} has build metadata, by which registries do not tell versions apart; leave out \"+\" and what follows"
            )));
        }
        attestation
            .is_of(module, version)
            .and_then(|()| attestation.is_about(archive))
            .map_err(CatalogueError::Refused)?;
        let listed = Listed {
            version: version.clone(),
            digest: Some(archive.digest().to_owned()),
            hash: Some(archive.hash().to_owned()),
            statement: Some(attestation.digest()),
            signer: Some(attestation.fingerprint.clone()),
            published: Some(timestamp(publication.at)),
            deprecation: None,
        };
        let listing = self.listing(module).await?.unwrap_or_default();
        if listing.find(version).is_some() {
            return Err(already(module, version));
        }
        let claim = Claim::of(publication);
        self.claim(publication, &claim).await?;
        self.write_content(publication).await?;
        self.commit(publication, &claim, &listed).await?;
        Ok(Published {
            listed,
            place: self.store.place(&name_of(module, version, "module.zip")),
        })
    }

    /// Says whose content the version gets.
    async fn claim(
        &self,
        publication: &Publication<'_>,
        claim: &Claim,
    ) -> Result<(), CatalogueError> {
        if self.put(&claim.name, &claim.bytes, When::Absent).await? {
            return Ok(());
        }
        let Some(there) = self.get(&claim.name).await? else {
            return Err(begun(publication));
        };
        if *there.bytes == *claim.bytes {
            return Ok(());
        }
        let replaced = publication.takes_over
            && self
                .put(&claim.name, &claim.bytes, When::Is(&there.version))
                .await?;
        if replaced {
            Ok(())
        } else {
            Err(begun(publication))
        }
    }

    async fn write_content(&self, publication: &Publication<'_>) -> Result<(), CatalogueError> {
        let Publication {
            module,
            version,
            archive,
            attestation,
            ..
        } = *publication;
        let about = About::of(archive).to_json();
        let statement = format!("statement-{}.json", attestation.digest());
        self.put(
            &name_of(module, version, "about.json"),
            &about,
            When::Always,
        )
        .await?;
        self.put(
            &name_of(module, version, &statement),
            attestation.envelope(),
            When::Always,
        )
        .await?;
        let name = name_of(module, version, "module.zip");
        if self.put(&name, archive.bytes(), When::Absent).await? {
            return Ok(());
        }
        let there = self.get(&name).await?;
        match there {
            Some(there) if *there.bytes == *archive.bytes() => Ok(()),
            Some(there) if publication.takes_over => {
                let done = self
                    .put(&name, archive.bytes(), When::Is(&there.version))
                    .await?;
                if done {
                    Ok(())
                } else {
                    Err(begun(publication))
                }
            }
            _ => Err(begun(publication)),
        }
    }

    /// Lists the version: the moment from which it exists.
    async fn commit(
        &self,
        publication: &Publication<'_>,
        claim: &Claim,
        listed: &Listed,
    ) -> Result<(), CatalogueError> {
        let (module, version) = (publication.module, publication.version);
        let there = self.get(&claim.name).await?;
        if there.is_none_or(|there| *there.bytes != *claim.bytes) {
            return Err(begun(publication));
        }
        self.change(module, |listing| {
            match listing.find(version) {
                // Written by an attempt whose answer was lost.
                Some(there) if there == listed => Ok(false),
                Some(_) => Err(already(module, version)),
                None => {
                    listing.versions.push(listed.clone());
                    Ok(true)
                }
            }
        })
        .await
    }

    /// Takes a version back: nobody who has not locked it gets it from now on.
    ///
    /// # Errors
    /// [`CatalogueError::NoVersion`].
    pub async fn yank(
        &self,
        module: &ModuleAddress,
        version: &Version,
        reason: &str,
    ) -> Result<(), CatalogueError> {
        self.change(module, |listing| {
            if let Some(yanked) = listing
                .yanked
                .iter_mut()
                .find(|yanked| yanked.listed.version == *version)
            {
                let changes = yanked.reason != reason;
                reason.clone_into(&mut yanked.reason);
                return Ok(changes);
            }
            let listed = take(&mut listing.versions, |listed| listed.version == *version);
            let listed = listed.ok_or_else(|| no_version(module, version))?;
            listing.yanked.push(Yanked {
                listed,
                reason: reason.to_owned(),
            });
            Ok(true)
        })
        .await
    }

    /// Lets a version that was taken back be selected again.
    ///
    /// # Errors
    /// [`CatalogueError::NoVersion`].
    pub async fn restore(
        &self,
        module: &ModuleAddress,
        version: &Version,
    ) -> Result<(), CatalogueError> {
        self.change(module, |listing| {
            let found = take(&mut listing.yanked, |yanked| {
                yanked.listed.version == *version
            });
            match found {
                Some(yanked) => {
                    listing.versions.push(yanked.listed);
                    Ok(true)
                }
                None if listing.find(version).is_some() => Ok(false),
                None => Err(no_version(module, version)),
            }
        })
        .await
    }

    /// Says that a version is not to be used any more, or takes that back.
    ///
    /// # Errors
    /// [`CatalogueError::NoVersion`].
    pub async fn deprecate(
        &self,
        module: &ModuleAddress,
        version: &Version,
        deprecation: Option<&Deprecation>,
    ) -> Result<(), CatalogueError> {
        self.change(module, |listing| {
            let yanked = listing.yanked.iter_mut().map(|yanked| &mut yanked.listed);
            let listed = listing
                .versions
                .iter_mut()
                .chain(yanked)
                .find(|listed| listed.version == *version)
                .ok_or_else(|| no_version(module, version))?;
            let changes = listed.deprecation.as_ref() != deprecation;
            listed.deprecation = deprecation.cloned();
            Ok(changes)
        })
        .await
    }

    /// The versions of a module; `None` where there is none.
    ///
    /// # Errors
    /// [`CatalogueError::Store`] and [`CatalogueError::Malformed`].
    pub async fn listing(&self, module: &ModuleAddress) -> Result<Option<Listing>, CatalogueError> {
        Ok(self.listed(module).await?.map(|(listing, _)| listing))
    }

    async fn listed(
        &self,
        module: &ModuleAddress,
    ) -> Result<Option<(Listing, Object)>, CatalogueError> {
        let name = versions_of(module);
        let Some(object) = self.get(&name).await? else {
            return Ok(None);
        };
        let listing = Listing::parse(&object.bytes).map_err(|error| CatalogueError::Malformed {
            place: self.store.place(&name),
            why: error.to_string(),
        })?;
        Ok(Some((listing, object)))
    }

    /// Changes a list of versions as `change` says, which tells whether there is anything to write; again where someone
    /// else was faster.
    async fn change(
        &self,
        module: &ModuleAddress,
        mut change: impl FnMut(&mut Listing) -> Result<bool, CatalogueError> + Send,
    ) -> Result<(), CatalogueError> {
        let name = versions_of(module);
        for attempt in 0..MOST_ATTEMPTS {
            let there = self.listed(module).await?;
            let (mut listing, object) = match there {
                Some((listing, object)) => (listing, Some(object)),
                None => (Listing::default(), None),
            };
            if !change(&mut listing)? {
                return Ok(());
            }
            let when = match &object {
                Some(object) => When::Is(&object.version),
                None => When::Absent,
            };
            if self
                .put(&name, &listing.to_json(&module.to_string()), when)
                .await?
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(50)))).await;
        }
        Err(CatalogueError::Contended(module.clone()))
    }

    /// All modules of which versions are listed, in the order of their names.
    ///
    /// # Errors
    /// [`CatalogueError::Store`].
    pub async fn modules(&self) -> Result<Vec<ModuleAddress>, CatalogueError> {
        let names = self.store.list(MODULES).await?;
        let modules = names.iter().filter_map(|name| {
            let name = name.strip_prefix(MODULES)?.strip_suffix("/versions")?;
            name.parse().ok()
        });
        Ok(modules.collect())
    }

    /// A listed version's archive.
    ///
    /// # Errors
    /// [`CatalogueError::Store`].
    pub async fn archive(
        &self,
        module: &ModuleAddress,
        version: &Version,
    ) -> Result<Option<Object>, CatalogueError> {
        self.of_listed(module, version, |_| Some("module.zip".to_owned()))
            .await
    }

    /// The envelope of a listed version's statement.
    ///
    /// # Errors
    /// [`CatalogueError::Store`].
    pub async fn statement(
        &self,
        module: &ModuleAddress,
        version: &Version,
    ) -> Result<Option<Object>, CatalogueError> {
        self.of_listed(module, version, |listed| {
            Some(format!("statement-{}.json", listed.statement.as_ref()?))
        })
        .await
    }

    /// What a listed version is.
    ///
    /// # Errors
    /// [`CatalogueError::Store`] and [`CatalogueError::Malformed`].
    pub async fn about(
        &self,
        module: &ModuleAddress,
        version: &Version,
    ) -> Result<Option<About>, CatalogueError> {
        let found = self
            .of_listed(module, version, |_| Some("about.json".to_owned()))
            .await?;
        let read = |object: Object| {
            About::parse(&object.bytes).map_err(|why| CatalogueError::Malformed {
                place: self.store.place(&name_of(module, version, "about.json")),
                why,
            })
        };
        found.map(read).transpose()
    }

    /// An object of a version, if the version is listed: what is being published is nobody's business.
    async fn of_listed(
        &self,
        module: &ModuleAddress,
        version: &Version,
        name: impl FnOnce(&Listed) -> Option<String> + Send,
    ) -> Result<Option<Object>, CatalogueError> {
        let Some(listing) = self.listing(module).await? else {
            return Ok(None);
        };
        let Some(name) = listing.find(version).and_then(name) else {
            return Ok(None);
        };
        self.get(&name_of(module, version, &name)).await
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, CatalogueError> {
        for repetition in 1..MOST_REPETITIONS {
            match self.store.get(name).await {
                Err(Failure::Transient { after, .. }) => pause(repetition, after).await,
                other => return Ok(other?),
            }
        }
        Ok(self.store.get(name).await?)
    }

    /// Writes; `false` where the condition does not hold. A write whose answer was lost is repeated: then the condition may
    /// fail because of ourselves, which callers see by what is there.
    async fn put(&self, name: &str, bytes: &[u8], when: When<'_>) -> Result<bool, CatalogueError> {
        let put = || self.store.put(name, bytes, Write::when(when));
        for repetition in 1..MOST_REPETITIONS {
            match put().await {
                Err(Failure::Transient { after, .. }) => pause(repetition, after).await,
                other => return Ok(matches!(other?, Put::Written(_))),
            }
        }
        Ok(matches!(put().await?, Put::Written(_)))
    }
}

async fn pause(repetition: u32, asked: Option<Duration>) {
    let usual = Duration::from_millis(100) * 2_u32.pow(repetition);
    tokio::time::sleep(asked.unwrap_or(usual)).await;
}

/// What says whose content a version gets: the answer to those who ask where its archive is.
struct Claim {
    name: String,
    bytes: Vec<u8>,
}

impl Claim {
    fn of(publication: &Publication<'_>) -> Self {
        let digest = publication.archive.digest();
        let location = wire::Location {
            location: format!("./module.zip?checksum=sha256:{digest}"),
        };
        Self {
            name: name_of(publication.module, publication.version, "download"),
            bytes: serde_json::to_vec(&location).expect("a location is a string"),
        }
    }
}

fn versions_of(module: &ModuleAddress) -> String {
    format!("{MODULES}{module}/versions")
}

fn name_of(module: &ModuleAddress, version: &Version, name: &str) -> String {
    format!("{MODULES}{module}/{version}/{name}")
}

fn take<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> Option<T> {
    let at = list.iter().position(is_it)?;
    Some(list.remove(at))
}

fn already(module: &ModuleAddress, version: &Version) -> CatalogueError {
    CatalogueError::AlreadyPublished {
        module: module.clone(),
        version: version.clone(),
    }
}

fn begun(publication: &Publication<'_>) -> CatalogueError {
    CatalogueError::Begun {
        module: publication.module.clone(),
        version: publication.version.clone(),
    }
}

fn no_version(module: &ModuleAddress, version: &Version) -> CatalogueError {
    CatalogueError::NoVersion {
        module: module.clone(),
        version: version.clone(),
    }
}

#[cfg(test)]
mod tests;
