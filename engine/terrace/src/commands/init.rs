//! `terrace init`

use std::path::Path;
use std::sync::Arc;

use terrace_diag::Diagnostic;
use terrace_port::Files as _;
use terrace_provider_install::{Event, Installer, LockFile};
use terrace_value::Value;

use crate::args::InitArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::installation;
use crate::modules::{self, ModuleOptions};
use crate::outside::{Disk, write_file};
use crate::session::Session;
use crate::wiring::{Wiring, load_sound_config, needed_providers, requirements};

/// Whether the working directory holds any configuration.
pub(crate) fn has_configuration() -> bool {
    has_configuration_in(".")
}

/// Whether a directory holds files of a configuration.
pub(crate) fn has_configuration_in(directory: &str) -> bool {
    Disk.list(directory).is_ok_and(|entries| {
        entries.iter().any(|entry| {
            [".tf", ".tf.json", ".tofu", ".tofu.json"]
                .iter()
                .any(|ending| entry.name.ends_with(ending))
        })
    })
}

pub(crate) async fn run(session: &Arc<Session>, args: &InitArgs) -> Outcome {
    check_options(args)?;
    if let Some(source) = &args.from_module {
        modules::copy(session, source).await?;
    }
    if !has_configuration() {
        session.view.line("Terrace initialized in an empty directory!\n\nThe directory has no Terrace configuration files. You may begin working\nwith Terrace immediately by creating Terrace configuration files.");
        return Ok(SUCCESS);
    }
    let data_directory = session.data_directory();
    let config = if args.get {
        let options = ModuleOptions {
            upgrade: args.upgrade,
            readonly: args.lockfile.as_deref() == Some("readonly"),
            heading: true,
        };
        modules::install(session, options).await?
    } else {
        let (config, diagnostics) = load_sound_config(session)?;
        session.view.diagnostics(diagnostics, &config.sources);
        Arc::unwrap_or_clone(config)
    };
    remember_backend(session, &data_directory, args)?;
    let state = if args.backend {
        session.view.line(session.view.style.paint(
            crate::view::style::Role::Strong,
            "Initializing the backend...",
        ));
        let place = session.place(args.place.env.as_deref(), Some(&config))?;
        let kind = place.store.kind();
        session.view.line(format!(
            "State is kept in the {kind:?} backend, workspace {:?}.",
            place.workspace
        ));
        terrace_state::load(&*place.store, &place.workspace).await?
    } else {
        terrace_state::State::default()
    };
    install_providers(session, args, &config, &state).await?;
    session.view.line(format!(
        "\n{}\n\nYou may now begin working with Terrace. Try running \"terrace plan\" to see\nany changes that are required for your infrastructure.",
        session.view.style.paint(crate::view::style::Role::Add, "Terrace has been successfully initialized!")
    ));
    Ok(SUCCESS)
}

fn check_options(args: &InitArgs) -> Result<(), CommandError> {
    match args.lockfile.as_deref() {
        None => Ok(()),
        Some("readonly") if args.upgrade => Err(CommandError::one(
            "conflicting-options",
            "Conflicting options",
            "The -upgrade flag conflicts with -lockfile=readonly: one changes the lock files, the other forbids it.",
        )),
        Some("readonly") => Ok(()),
        Some(mode) => Err(CommandError::one(
            "invalid-option",
            "Invalid option",
            format!("-lockfile={mode} is not known; the only mode is -lockfile=readonly."),
        )),
    }
}

/// Keeps what `-backend-config` says, so that later commands open the same backend.
fn remember_backend(
    session: &Session,
    data_directory: &str,
    args: &InitArgs,
) -> Result<(), CommandError> {
    let path = format!("{data_directory}/terrace-backend.json");
    if args.backend_config.is_empty() {
        return Ok(());
    }
    let mut arguments = std::collections::BTreeMap::new();
    for given in &args.backend_config {
        match given.split_once('=') {
            Some((name, value)) => {
                arguments.insert(name.trim().to_owned(), Value::string(value));
            }
            None => arguments.extend(backend_file(given)?),
        }
    }
    let text = terrace_value::json::simple_encode(&Value::object(arguments)).unwrap_or_default();
    write_file(&path, text.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Backend settings cannot be kept",
            format!("{path} cannot be written: {error}."),
        )
    })?;
    session
        .view
        .line("The backend's arguments of -backend-config are kept for later commands.");
    Ok(())
}

fn backend_file(path: &str) -> Result<Vec<(String, Value)>, CommandError> {
    let bytes = Disk.read(path).map_err(|error| {
        let detail = format!(
            "-backend-config={path} is neither KEY=VALUE nor a file that can be read: {error}."
        );
        CommandError::one("unreadable-file", "Backend settings cannot be read", detail)
    })?;
    let mut sources = terrace_diag::SourceMap::new();
    let id = sources.add(terrace_diag::SourceFile::new(
        path,
        String::from_utf8_lossy(&bytes).into_owned(),
    ));
    let (body, mut diagnostics) = terrace_syntax::parse(id, &bytes);
    let (attributes, found) = body.just_attributes();
    diagnostics.append(found);
    let values = attributes
        .into_iter()
        .map(|(name, attribute)| {
            (
                name.to_string(),
                terrace_config::evaluate_constant(&attribute.value, &mut diagnostics),
            )
        })
        .collect();
    if diagnostics.has_errors() {
        Err(CommandError::new(diagnostics, sources))
    } else {
        Ok(values)
    }
}

async fn install_providers(
    session: &Session,
    args: &InitArgs,
    config: &terrace_config::Config,
    state: &terrace_state::State,
) -> Result<(), CommandError> {
    session.view.line(session.view.style.paint(
        crate::view::style::Role::Strong,
        "Initializing provider plugins...",
    ));
    let Wiring {
        mut installer,
        lock_file,
        plugins,
    } = Wiring::new(session)?;
    if !args.plugin_dir.is_empty() {
        let mut settings = installer.settings().clone();
        settings.only_directories(args.plugin_dir.iter().map(Into::into));
        installer = Installer::new(settings);
    }
    let mut wanted = requirements(config, &needed_providers(config, state));
    wanted.retain(|requirement| !plugins.is_attached(&requirement.provider));
    let (earlier, upgrade) = (lock_file.clone(), args.upgrade);
    let work = move |on_event: &mut dyn FnMut(&Event)| {
        let mut third_party = false;
        let (lock, diagnostics) = installer.install(&wanted, &earlier, upgrade, &mut |event| {
            third_party |=
                matches!(event, Event::Installed { trust, .. } if trust.is_third_party());
            on_event(event);
        });
        (lock, diagnostics, third_party)
    };
    let (lock, diagnostics, third_party) = installation::blocking(session, work).await?;
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, config.sources.clone()));
    }
    if third_party {
        session.view.line("\nPartner and community providers are signed by their developers.\nIf you'd like to know more about provider signing, you can read about it here:\nhttps://developer.hashicorp.com/terraform/cli/plugins/signing");
    }
    let readonly = args.lockfile.as_deref() == Some("readonly");
    let told = if lock == lock_file {
        Ok(())
    } else if readonly {
        keep_lock(session, &lock_file, &lock)
    } else {
        save_lock(session, &lock_file, &lock)
    };
    // What was found out on the way is said whatever becomes of the lock file, which comes first.
    session.view.diagnostics(diagnostics, &config.sources);
    told
}

/// Writes the lock file of the working directory.
pub(super) fn write_lock(lock: &LockFile) -> Result<(), CommandError> {
    lock.save(Path::new(LockFile::NAME)).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Lock file cannot be written",
            format!("{} cannot be written: {error}.", LockFile::NAME),
        )
    })
}

fn save_lock(session: &Session, earlier: &LockFile, lock: &LockFile) -> Result<(), CommandError> {
    write_lock(lock)?;
    session.view.line(if earlier.providers.is_empty() {
        format!("\nTerrace has created a lock file {} to record the provider\nselections it made above. Include this file in your version control repository\nso that Terrace can guarantee to make the same selections by default when\nyou run \"terrace init\" in the future.", LockFile::NAME)
    } else {
        format!("\nTerrace has made some changes to the provider dependency selections recorded\nin the {} file. Review those changes and commit them to your\nversion control system if they represent changes you intended to make.", LockFile::NAME)
    });
    Ok(())
}

/// Leaves the lock file alone: an error where other providers are needed than it has, else a warning.
fn keep_lock(session: &Session, earlier: &LockFile, lock: &LockFile) -> Result<(), CommandError> {
    if !lock.providers.keys().eq(earlier.providers.keys()) {
        return Err(CommandError::one(
            "lock-file-readonly",
            "Provider dependency changes detected",
            "Changes to the required provider dependencies were detected, but the lock file is read-only. To use and record these requirements, run \"terrace init\" without the \"-lockfile=readonly\" flag.",
        ));
    }
    let detail = format!(
        "Changes to the provider selections were detected, but not saved in the {} file. To record these selections, run \"terrace init\" without the \"-lockfile=readonly\" flag.",
        LockFile::NAME
    );
    let warning = Diagnostic::warning(
        "lock-file-not-updated",
        "Provider lock file not updated",
        detail,
    );
    session
        .view
        .diagnostics(warning.into(), &terrace_diag::SourceMap::new());
    Ok(())
}
