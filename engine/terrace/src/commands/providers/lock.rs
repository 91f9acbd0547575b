//! `terrace providers lock`

use std::collections::BTreeSet;
use std::path::PathBuf;

use terrace_addr::ProviderAddr;
use terrace_diag::SourceMap;
use terrace_provider_install::{Event, Installer, LockFile, Method, Requirement};

use super::{platforms, required};
use crate::args::ProvidersLockArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::commands::init::write_lock;
use crate::installation;
use crate::session::Session;
use crate::wiring::Wiring;

pub(super) async fn run(session: &Session, args: &ProvidersLockArgs) -> Outcome {
    let platforms = platforms(&args.platform)?;
    let (config, required) = required(session)?;
    let wanted = chosen(required, &args.providers)?;
    let Wiring {
        installer,
        lock_file,
        ..
    } = Wiring::new(session)?;
    let mut settings = installer.settings().clone();
    if let Some(method) = only_method(args) {
        settings.methods = vec![method];
    } else {
        // Lock files are for all machines, and mirrors that happen to be on this one for it alone.
        settings.methods = vec![Method::Direct {
            include: Vec::new(),
            exclude: Vec::new(),
        }];
    }
    let installer = Installer::new(settings);
    let (earlier, use_cache) = (lock_file.clone(), args.enable_plugin_cache);
    let asked = platforms.clone();
    let work = move |on_event: &mut dyn FnMut(&Event)| {
        installer.lock_platforms(&wanted, &earlier, &asked, use_cache, on_event)
    };
    let (lock, diagnostics) = installation::blocking(session, work).await?;
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, config.sources.clone()));
    }
    session.view.diagnostics(diagnostics, &SourceMap::new());
    for (provider, locked) in &lock.providers {
        let earlier = lock_file
            .providers
            .get(provider)
            .filter(|earlier| earlier.version == locked.version);
        let what = match earlier {
            None => {
                "This was a new provider and the checksums for this platform are now tracked in the lock file"
            }
            Some(earlier) if earlier.hashes == locked.hashes => {
                "All checksums for this platform were already tracked in the lock file"
            }
            Some(_) => "Additional checksums for this platform are now tracked in the lock file",
        };
        for platform in platforms.iter().filter(|_| is_asked(args, provider)) {
            session.view.line(format!(
                "- Obtained {} checksums for {platform}; {what}",
                provider.for_display()
            ));
        }
    }
    save(session, &lock_file, &lock)?;
    Ok(SUCCESS)
}

fn save(session: &Session, earlier: &LockFile, lock: &LockFile) -> Result<(), CommandError> {
    if earlier == lock {
        session
            .view
            .line("\nSuccess! Terrace has validated the lock file and found no need for changes.");
        return Ok(());
    }
    write_lock(lock)?;
    session.view.line("\nSuccess! Terrace has updated the lock file.\n\nReview the changes in .terraform.lock.hcl and then commit to your\nversion control system to retain the new checksums.\n");
    Ok(())
}

/// The one place that options name to take packages from.
fn only_method(args: &ProvidersLockArgs) -> Option<Method> {
    let (include, exclude) = (Vec::new(), Vec::new());
    if let Some(path) = &args.fs_mirror {
        return Some(Method::FilesystemMirror {
            path: PathBuf::from(path),
            include,
            exclude,
        });
    }
    if let Some(url) = &args.net_mirror {
        return Some(Method::NetworkMirror {
            url: url.clone(),
            include,
            exclude,
        });
    }
    args.oci_mirror.as_ref().map(|template| Method::OciMirror {
        repository_template: template.clone(),
        include,
        exclude,
    })
}

fn is_asked(args: &ProvidersLockArgs, provider: &ProviderAddr) -> bool {
    args.providers.is_empty()
        || args
            .providers
            .iter()
            .any(|text| ProviderAddr::parse(text).as_ref() == Ok(provider))
}

/// The required providers that are named, or all where none is.
fn chosen(required: Vec<Requirement>, named: &[String]) -> Result<Vec<Requirement>, CommandError> {
    if named.is_empty() {
        return Ok(required);
    }
    let mut asked = BTreeSet::new();
    for text in named {
        let provider = ProviderAddr::parse(text).map_err(|error| {
            CommandError::one("invalid-option", "Invalid provider argument", error.0)
        })?;
        if !required
            .iter()
            .any(|requirement| requirement.provider == provider)
        {
            return Err(CommandError::one(
                "invalid-option",
                "Invalid provider argument",
                format!("The provider {provider} is not required by the current configuration."),
            ));
        }
        asked.insert(provider);
    }
    Ok(required
        .into_iter()
        .filter(|requirement| asked.contains(&requirement.provider))
        .collect())
}
