//! Encryption of states and plan files, as the configuration and the environment say.

use std::sync::Arc;

use terrace_config::{Config, EarlyEvaluator as _, EarlyPlace, evaluate_constant};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_encryption::{Encryption, EncryptionError, Settings, decode, decode_environment};
use terrace_key_services::KeyServices;
use terrace_plan::is_plan_file;
use terrace_port::Files as _;
use terrace_syntax::Expr;
use terrace_value::Value;

use crate::command_error::CommandError;
use crate::early::Early;
use crate::outside::{Disk, SystemClock};
use crate::session::Session;
use crate::wiring::load_config_for_backend;

/// The environment variable with settings that go over those of the configuration.
const VARIABLE: &str = "TF_ENCRYPTION";

impl Session {
    /// How states and plan files are encrypted: found once, by the configuration of the first who asks. No key is asked
    /// for yet.
    pub(crate) fn encryption(&self, config: Option<&Config>) -> Result<&Encryption, CommandError> {
        if let Some(known) = self.encryption.get() {
            return Ok(known);
        }
        let encryption = self.open_encryption(config)?;
        Ok(self.encryption.get_or_init(|| encryption))
    }

    fn open_encryption(&self, config: Option<&Config>) -> Result<Encryption, CommandError> {
        let mut sources = config.map_or_else(SourceMap::new, |config| config.sources.clone());
        let mut diagnostics = Diagnostics::new();
        let mut settings = Settings::default();
        if let Some(block) = config.and_then(|config| config.root.module.encryption.as_ref()) {
            let (decoded, problems) = decode(&block.body);
            diagnostics.append(problems);
            settings = decoded;
        }
        let text = self.environment.get(VARIABLE).unwrap_or_default();
        if !text.trim().is_empty() {
            let source = sources.add(SourceFile::new(VARIABLE, text));
            let (decoded, problems) = decode_environment(source, text);
            diagnostics.append(problems);
            settings = settings.overridden_by(decoded);
        }
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, sources));
        }
        let early = Early::new(self);
        let evaluate = |expression: &Expr| evaluate(&early, config, &sources, expression);
        let (encryption, problems) = Encryption::open(&settings, &evaluate, &self.key_services());
        diagnostics.append(problems);
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, sources));
        }
        Ok(encryption)
    }

    fn key_services(&self) -> KeyServices {
        let environment = self.environment.clone();
        KeyServices {
            environment: Arc::new(move |name| environment.get(name).map(str::to_owned)),
            directory: ".".into(),
            clock: Arc::new(SystemClock),
            user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

fn evaluate(
    early: &Early,
    config: Option<&Config>,
    sources: &SourceMap,
    expression: &Expr,
) -> Result<Value, Diagnostics> {
    let is_constant = expression.traversals().is_empty() && expression.calls().is_empty();
    match config {
        Some(config) if !is_constant => early.evaluate(
            &EarlyPlace {
                modules: &[Arc::clone(&config.root.module)],
                path: &config.root.path,
                sources,
                what: "the encryption of the state",
            },
            expression,
        ),
        _ => {
            let mut diagnostics = Diagnostics::new();
            let value = evaluate_constant(expression, &mut diagnostics);
            if diagnostics.has_errors() {
                Err(diagnostics)
            } else {
                Ok(value)
            }
        }
    }
}

/// A plan file as it is saved: encrypted where the configuration says so.
pub(crate) async fn seal_plan(session: &Session, plan: &[u8]) -> Result<Vec<u8>, CommandError> {
    match session.encryption.get().and_then(Encryption::plan) {
        None => Ok(plan.to_vec()),
        Some(cipher) => cipher
            .encrypt_plan(plan)
            .await
            .map_err(|error| refused(&error)),
    }
}

/// A saved plan or state file, decrypted where it is encrypted. The settings are those of the working directory, never
/// those in the plan: whoever could put another plan there could leave them out.
pub(crate) async fn read_saved(session: &Session, file: &str) -> Result<Vec<u8>, CommandError> {
    let bytes = Disk.read(file).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "File cannot be read",
            format!("{file} cannot be read: {error}."),
        )
    })?;
    let config = load_config_for_backend(session);
    open_saved(session.encryption(config.as_deref())?, bytes.to_vec()).await
}

async fn open_saved(encryption: &Encryption, bytes: Vec<u8>) -> Result<Vec<u8>, CommandError> {
    let is_plan = is_plan_file(&bytes);
    if !is_plan && !terrace_encryption::is_encrypted(&bytes) {
        return Ok(bytes);
    }
    let ciphers = if is_plan {
        [encryption.plan(), None]
    } else {
        // The outside of a plan does not say that it is one; a state's holds its lineage, which is checked.
        [encryption.plan(), encryption.state()]
    };
    let mut refusal = None;
    for cipher in ciphers.into_iter().flatten() {
        match cipher.decrypt_plan(&bytes, is_plan_file).await {
            Ok(opened) => return Ok(opened.bytes),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match refusal {
        Some(error) => Err(refused(&error)),
        None if is_plan => Ok(bytes),
        None => Err(Diagnostic::error(
            "encrypted-file",
            "File is encrypted",
            "The file is encrypted, and nothing says how to decrypt it.",
        )
        .hint("give the settings by which it was encrypted in `terraform { encryption { … } }` or in TF_ENCRYPTION")
        .into()),
    }
}

fn refused(error: &EncryptionError) -> CommandError {
    CommandError::one("encryption-failed", "Encryption failed", error.to_string())
}
