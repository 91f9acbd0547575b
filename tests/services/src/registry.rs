//! A registry of providers in the test's own process: signed packages, as any registry serves them.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password};
use rand_core::OsRng;
use sha2::{Digest as _, Sha256};

use crate::web::{Reply, Web};

/// The registry. It speaks for the host [`ProviderRegistry::HOST`], which the CLI configuration must lead to it.
#[derive(Debug)]
pub struct ProviderRegistry {
    /// The server behind it, for answers out of the ordinary.
    pub web: Web,
    key: Signer,
}

/// Someone who signs releases.
#[derive(Clone, Debug)]
pub struct Signer {
    key: SignedSecretKey,
}

/// A release as it was published.
#[derive(Clone, Debug)]
pub struct Release {
    /// `namespace/name`
    pub provider: String,
    /// The version.
    pub version: String,
    /// The list of checksums.
    pub checksums: String,
    /// The paths of the archives, by platform, with their bytes.
    pub archives: Vec<(String, String, Vec<u8>)>,
}

impl Signer {
    /// A new one with a key of its own.
    pub fn new(name: &str) -> io::Result<Self> {
        let parameters = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id(format!("{name} <{name}@example.com>"))
            .build()
            .map_err(io::Error::other)?;
        let key = parameters.generate(OsRng).map_err(io::Error::other)?;
        Ok(Self { key })
    }

    /// The key's id, as people see it.
    pub fn key_id(&self) -> String {
        self.key.legacy_key_id().to_string().to_uppercase()
    }

    /// The public key in armour.
    pub fn armor(&self) -> io::Result<String> {
        self.key
            .to_public_key()
            .to_armored_string(ArmorOptions::default())
            .map_err(io::Error::other)
    }

    /// A signature over `document`, in binary form.
    pub fn sign(&self, document: &[u8]) -> io::Result<Vec<u8>> {
        DetachedSignature::sign_binary_data(
            OsRng,
            &self.key.primary_key,
            &Password::empty(),
            HashAlgorithm::Sha256,
            document,
        )
        .and_then(|signature| signature.to_bytes())
        .map_err(io::Error::other)
    }
}

impl ProviderRegistry {
    /// The host that it speaks for.
    pub const HOST: &'static str = "registry.example.com";

    /// Starts it, with nothing in it.
    pub fn start() -> io::Result<Self> {
        Ok(Self {
            web: Web::start()?,
            key: Signer::new("publisher")?,
        })
    }

    /// Who signs what is published.
    pub fn signer(&self) -> &Signer {
        &self.key
    }

    /// The block of the CLI configuration that leads to it.
    pub fn host_block(&self) -> String {
        format!(
            "host \"{}\" {{\n  services = {{\n    \"providers.v1\" = \"{}\"\n  }}\n}}\n",
            Self::HOST,
            self.web.url("/v1/providers/")
        )
    }

    /// Publishes a version of `namespace/name` for these platforms, after those that were published before, which are
    /// named too. Its archives hold one program with this text.
    pub fn publish(
        &self,
        provider: &str,
        versions: &[&str],
        platforms: &[&str],
        text: &str,
    ) -> io::Result<Release> {
        let version = versions.last().copied().unwrap_or_default();
        let name = provider.rsplit('/').next().unwrap_or_default();
        let mut archives = Vec::new();
        for platform in platforms {
            let file = format!("terraform-provider-{name}_{version}_{platform}.zip");
            let program = format!("terraform-provider-{name}_v{version}");
            let bytes = archive(&[(&program, &format!("{text} {platform}"))])?;
            archives.push(((*platform).to_owned(), file, bytes));
        }
        let mut checksums = String::new();
        for (_, file, bytes) in &archives {
            // Writing to a string cannot fail.
            let _written = writeln!(checksums, "{:x}  {file}", Sha256::digest(bytes));
        }
        let release = Release {
            provider: provider.to_owned(),
            version: version.to_owned(),
            checksums,
            archives,
        };
        self.list(provider, versions, platforms);
        self.serve(&release, &self.key.clone())?;
        Ok(release)
    }

    /// Lists these versions.
    pub fn list(&self, provider: &str, versions: &[&str], platforms: &[&str]) {
        let platforms: Vec<String> = platforms
            .iter()
            .filter_map(|platform| platform.split_once('_'))
            .map(|(os, arch)| format!(r#"{{"os":"{os}","arch":"{arch}"}}"#))
            .collect();
        let listed: Vec<String> = versions
            .iter()
            .map(|version| {
                format!(
                    r#"{{"version":"{version}","protocols":["5.0","6.0"],"platforms":[{}]}}"#,
                    platforms.join(",")
                )
            })
            .collect();
        let body = format!(r#"{{"versions":[{}]}}"#, listed.join(","));
        let path = format!("/v1/providers/{provider}/versions");
        self.web.on(&path, Reply::json(&body));
    }

    /// Serves a release, signed by `signer`, whose key is not necessarily the one that is named.
    pub fn serve(&self, release: &Release, signer: &Signer) -> io::Result<()> {
        let Release {
            provider, version, ..
        } = release;
        let files = format!("/files/{provider}/{version}");
        let sums = format!("{files}/SHA256SUMS");
        let signature = signer.sign(release.checksums.as_bytes())?;
        self.web.on(&sums, Reply::of(release.checksums.as_bytes()));
        self.web.on(&format!("{sums}.sig"), Reply::of(signature));
        for (platform, file, bytes) in &release.archives {
            let (os, arch) = platform.split_once('_').unwrap_or_default();
            let description = format!(
                r#"{{"protocols":["5.0","6.0"],"os":"{os}","arch":"{arch}","filename":"{file}","download_url":"{files}/{file}","shasum":"{:x}","shasums_url":"{sums}","shasums_signature_url":"{sums}.sig","signing_keys":{{"gpg_public_keys":[{{"key_id":"{}","ascii_armor":{},"trust_signature":"","source":"","source_url":null}}]}}}}"#,
                Sha256::digest(bytes),
                self.key.key_id(),
                quoted(&self.key.armor()?),
            );
            let path = format!("/v1/providers/{provider}/{version}/download/{os}/{arch}");
            self.web.on(&path, Reply::json(&description));
            let archive = Reply::of(bytes.clone()).header("ETag", &format!("\"{file}\""));
            self.web.on(&format!("{files}/{file}"), archive);
        }
        Ok(())
    }
}

impl Release {
    /// The path at which the archive for a platform is served.
    pub fn archive_path(&self, platform: &str) -> String {
        let file = self
            .archives
            .iter()
            .find(|(named, ..)| named == platform)
            .map(|(_, file, _)| file.as_str())
            .unwrap_or_default();
        format!("/files/{}/{}/{file}", self.provider, self.version)
    }

    /// The path at which the list of checksums is served; its signature is behind it with `.sig`.
    pub fn checksums_path(&self) -> String {
        format!("/files/{}/{}/SHA256SUMS", self.provider, self.version)
    }
}

/// A zip of these files, which may all be run.
pub fn archive(files: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    for (name, text) in files {
        zip.start_file(*name, options).map_err(io::Error::other)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish().map_err(io::Error::other)?.into_inner())
}

/// A string in JSON.
pub(crate) fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\r', "").replace('\n', "\\n"))
}
