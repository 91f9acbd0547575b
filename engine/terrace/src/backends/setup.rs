//! What `init` does with the backend.

use std::path::Path;
use std::sync::Arc;

use terrace_backend_local::LocalStore;
use terrace_config::Config;
use terrace_diag::{Diagnostic, SourceMap};
use terrace_encryption::EncryptedStore;
use terrace_port::StateStore;

use super::migration::{Migration, Side};
use super::saved::Saved;
use super::settings::{Configured, Overrides};
use crate::command_error::CommandError;
use crate::session::Session;
use crate::view::style::Role;

/// How `init` was asked to treat the backend.
pub(crate) struct Setup {
    /// What `-backend-config` says.
    pub(crate) overrides: Overrides,
    /// Forget the settings in use, and leave their states where they are.
    pub(crate) reconfigure: bool,
    /// Copy states to where the settings now say.
    pub(crate) migrate: bool,
    /// Answer every question of that with yes.
    pub(crate) force_copy: bool,
    /// Whether questions may be asked.
    pub(crate) input: bool,
    /// How long to wait for locks.
    pub(crate) lock_timeout: String,
}

fn changed() -> CommandError {
    CommandError::one(
        "backend-changed",
        "Backend configuration changed",
        "A change in the backend configuration has been detected, which may require migrating existing state.\n\nIf you wish to attempt automatic migration of the state, use \"terrace init -migrate-state\".\nIf you wish to store the current configuration with no changes to the state, use \"terrace init -reconfigure\".",
    )
}

/// Sets up the backend that the configuration names, so that the commands after it use it.
pub(crate) async fn set_up(
    session: &Session,
    config: &Config,
    setup: &Setup,
) -> Result<(), CommandError> {
    let mut saved = Saved::read(session)?;
    let Some(mut configured) = Configured::of(session, config)? else {
        if !setup.overrides.is_empty() {
            warn_unused(session);
        }
        return match saved {
            Some(saved) => unset(session, config, setup, &saved).await,
            None => Ok(()),
        };
    };
    if let (Some(before), true) = (&saved, setup.overrides.is_empty()) {
        if configured.is_as_saved(before) && !setup.reconfigure {
            return Ok(());
        }
    }
    setup.overrides.apply(session, config, &mut configured)?;
    let now = Saved {
        kind: configured.kind,
        values: configured.values,
        hash: configured.hash,
    };
    if setup.reconfigure {
        saved = None;
    }
    if let Some(before) = &saved {
        if before.kind.name == now.kind.name && before.values == now.values {
            return now.write(session);
        }
        if !setup.migrate && !setup.force_copy {
            return Err(changed());
        }
        tell_change(session, before, &now);
    }
    let located = |mut error: CommandError| {
        error.sources = config.sources.clone();
        for diagnostic in &mut error.diagnostics {
            diagnostic.subject.get_or_insert(configured.span);
        }
        error
    };
    let to = Side::open(session, config, Some(&now)).map_err(located)?;
    let from = Side::open(session, config, saved.as_ref())?;
    let asked_for = saved.is_some();
    let is_local = now.kind.name == "local" && !asked_for;
    if asked_for || (!is_local && from.has_state().await?) {
        Migration {
            session,
            setup,
            from,
            to,
        }
        .run()
        .await?;
    } else if let Err(error) = to.store.read("default").await {
        // Wrong credentials are told now, not in the middle of the next command.
        return Err(located(error.into()));
    }
    now.write(session)?;
    session.view.line(session.view.style.paint(
        Role::Add,
        format!(
            "\nSuccessfully configured the backend {:?}! Terrace will automatically\nuse this backend unless the backend configuration changes.",
            now.kind.name
        ),
    ));
    Ok(())
}

fn tell_change(session: &Session, before: &Saved, now: &Saved) {
    if before.kind.name == now.kind.name {
        session.view.line("Backend configuration changed!\n\nTerrace has detected that the configuration specified for the backend\nhas changed. Terrace will now check for existing state in the backends.\n");
    } else {
        session.view.line(format!(
            "Terrace detected that the backend type changed from {:?} to {:?}.\n",
            before.kind.name, now.kind.name
        ));
    }
}

fn warn_unused(session: &Session) {
    let warning = Diagnostic::warning(
        "unused-backend-config",
        "Missing backend configuration",
        "-backend-config was used without a \"backend\" block in the configuration.\n\nIf you intended to override the default local backend configuration, no action is required, but you may add an explicit backend block to your configuration to clear this warning:\n\nterraform {\n  backend \"local\" {}\n}\n\nHowever, if you intended to override a defined backend, please verify that the backend configuration is present and valid.",
    );
    session.view.diagnostics(warning.into(), &SourceMap::new());
}

/// Goes back to state files in the working directory.
async fn unset(
    session: &Session,
    config: &Config,
    setup: &Setup,
    saved: &Saved,
) -> Result<(), CommandError> {
    if setup.reconfigure {
        return Saved::forget(session);
    }
    if !setup.migrate && !setup.force_copy {
        return Err(changed());
    }
    session.view.line(format!(
        "Terrace has detected you're unconfiguring your previously set {:?} backend.",
        saved.kind.name
    ));
    let from = Side::open(session, config, Some(saved))?;
    let to = Side::open(session, config, None)?;
    Migration {
        session,
        setup,
        from,
        to,
    }
    .run()
    .await?;
    Saved::forget(session)?;
    session.view.line(session.view.style.paint(
        Role::Add,
        format!(
            "\n\nSuccessfully unset the backend {:?}. Terrace will now operate locally.",
            saved.kind.name
        ),
    ));
    Ok(())
}

impl Side {
    /// Opens what settings name; the state files of the working directory where there are none.
    fn open(
        session: &Session,
        config: &Config,
        settings: Option<&Saved>,
    ) -> Result<Self, CommandError> {
        let store: Arc<dyn StateStore> = match settings {
            Some(saved) => super::open_settings(
                &session.environment,
                saved.kind,
                &saved.values,
                Path::new("."),
            )?,
            None => Arc::new(LocalStore::new(".")),
        };
        let encryption = session.encryption(Some(config))?;
        Ok(Self {
            kind: settings.map_or("local", |saved| saved.kind.name),
            has_workspaces: store.has_workspaces(),
            store: EncryptedStore::around(store, encryption),
        })
    }
}
