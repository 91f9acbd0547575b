//! `terrace init`

use std::path::Path;
use std::sync::Arc;

use terrace_diag::Diagnostic;
use terrace_port::Files as _;
use terrace_provider_install::{Event, Installer, LockFile, Requirement};

use super::many;
use crate::args::InitArgs;
use crate::backends::{Overrides, Setup, set_up};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::installation;
use crate::modules::{self, ModuleOptions};
use crate::outside::Disk;
use crate::session::Session;
use crate::test_modules;
use crate::view::steps::Step;
use crate::view::stream;
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
    if let Some(chosen) = many::choose(session, &many::Asked::of_init(args))? {
        return many::init(session, args, &chosen).await;
    }
    run_here(session, args).await
}

/// Prepares the working directory.
pub(crate) async fn run_here(session: &Arc<Session>, args: &InitArgs) -> Outcome {
    if args.style.json {
        session.view.output(stream::version_line());
    }
    check_options(args)?;
    if let Some(source) = &args.from_module {
        modules::copy(session, source).await?;
    }
    if !has_configuration() {
        session.view.step(Step::Empty, "Terrace initialized in an empty directory!\n\nThe directory has no Terrace configuration files. You may begin working\nwith Terrace immediately by creating Terrace configuration files.");
        return Ok(SUCCESS);
    }
    let (config, of_tests) = if args.get {
        let options = ModuleOptions {
            upgrade: args.upgrade,
            readonly: args.lockfile.as_deref() == Some("readonly"),
            heading: true,
        };
        modules::install(session, options, &args.test_directory).await?
    } else {
        let (config, diagnostics) = load_sound_config(session)?;
        session.view.diagnostics(diagnostics, &config.sources);
        let of_tests = modules::needed_by_tests(session, &config, &args.test_directory);
        (Arc::unwrap_or_clone(config), of_tests)
    };
    let state = if args.backend {
        session
            .view
            .step(Step::Backend, "Initializing the backend...");
        if args.place.env.is_none() {
            let setup = Setup {
                overrides: Overrides::new(&args.backend_config),
                reconfigure: args.reconfigure,
                migrate: args.migrate_state,
                force_copy: args.force_copy,
                input: args.input,
                lock_timeout: args.lock_timeout.clone(),
            };
            set_up(session, &config, &setup).await?;
        }
        let place = session.place(args.place.env.as_deref(), Some(&config))?;
        terrace_state::load(&*place.store, &place.workspace).await?
    } else {
        terrace_state::State::default()
    };
    let mut wanted = requirements(&config, &needed_providers(&config, &state));
    test_modules::extend(&mut wanted, of_tests);
    install_providers(session, args, &config, wanted).await?;
    session
        .view
        .step(Step::Success, "Terrace has been successfully initialized!");
    session.view.step(Step::Next, "You may now begin working with Terrace. Try running \"terrace plan\" to see\nany changes that are required for your infrastructure.");
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

async fn install_providers(
    session: &Session,
    args: &InitArgs,
    config: &terrace_config::Config,
    mut wanted: Vec<Requirement>,
) -> Result<(), CommandError> {
    session
        .view
        .step(Step::Providers, "Initializing provider plugins...");
    let Wiring {
        mut installer,
        lock_file,
        plugins,
        ..
    } = Wiring::new(session)?;
    if !args.plugin_dir.is_empty() {
        let mut settings = installer.settings().clone();
        settings.only_directories(args.plugin_dir.iter().map(Into::into));
        installer = Installer::new(settings);
    }
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
        session.view.step(Step::PartnerProviders, "Partner and community providers are signed by their developers.\nIf you'd like to know more about provider signing, you can read about it here:\nhttps://developer.hashicorp.com/terraform/cli/plugins/signing");
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
    if earlier.providers.is_empty() {
        session.view.step(
            Step::LockFile,
            &format!("Terrace has created a lock file {} to record the provider\nselections it made above. Include this file in your version control repository\nso that Terrace can guarantee to make the same selections by default when\nyou run \"terrace init\" in the future.", LockFile::NAME),
        );
    } else {
        session.view.step(
            Step::LockFileChanged,
            &format!("Terrace has made some changes to the provider dependency selections recorded\nin the {} file. Review those changes and commit them to your\nversion control system if they represent changes you intended to make.", LockFile::NAME),
        );
    }
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
