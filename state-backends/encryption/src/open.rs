//! From settings to ciphers.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::Expr;
use terrace_value::{Number, Value};

use crate::cipher::Cipher;
use crate::keys::{
    ExternalKeys, KeySources, MINIMUM_ITERATIONS, MINIMUM_PASSPHRASE, NamedKeys, Origin,
    Passphrase, Pbkdf2, Pbkdf2Hash, Secret,
};
use crate::methods::{Method, MethodKind};
use crate::settings::{Definition, Reference, Settings, Target};

/// Evaluates an argument over what is known before the state is.
pub type Evaluate<'a> = dyn Fn(&Expr) -> Result<Value, Diagnostics> + 'a;

/// What is encrypted, and how.
#[derive(Debug, Default)]
pub struct Encryption {
    state: Option<Arc<Cipher>>,
    plan: Option<Arc<Cipher>>,
    remote: Option<Arc<Cipher>>,
}

impl Encryption {
    /// Opens `settings`: arguments are evaluated and checked, and no key is made yet.
    pub fn open(
        settings: &Settings,
        evaluate: &Evaluate<'_>,
        services: &dyn KeySources,
    ) -> (Self, Diagnostics) {
        let mut opening = Opening {
            settings,
            evaluate,
            services,
            keys: BTreeMap::new(),
            methods: BTreeMap::new(),
            diagnostics: Diagnostics::new(),
        };
        let encryption = Self {
            state: opening.target("the state", settings.state.as_ref()),
            plan: opening.target("the plan", settings.plan.as_ref()),
            remote: opening.remote(),
        };
        // What nothing uses is checked too.
        for definition in &settings.methods {
            opening.method(&definition.reference);
        }
        for definition in &settings.key_providers {
            opening.key_provider(&definition.reference, &mut Vec::new());
        }
        (encryption, opening.diagnostics)
    }

    /// For the state of this configuration.
    pub const fn state(&self) -> Option<&Arc<Cipher>> {
        self.state.as_ref()
    }

    /// For plan files.
    pub const fn plan(&self) -> Option<&Arc<Cipher>> {
        self.plan.as_ref()
    }

    /// For the states that `terraform_remote_state` reads: the methods of the `default` block, and then those of the
    /// blocks that are for one data resource alone.
    pub const fn remote(&self) -> Option<&Arc<Cipher>> {
        self.remote.as_ref()
    }
}

struct Opening<'a> {
    settings: &'a Settings,
    evaluate: &'a Evaluate<'a>,
    services: &'a dyn KeySources,
    /// `None` for what was found wrong.
    keys: BTreeMap<Reference, Option<Arc<NamedKeys>>>,
    methods: BTreeMap<Reference, Option<Arc<Method>>>,
    diagnostics: Diagnostics,
}

impl Opening<'_> {
    fn problem(&mut self, id: &'static str, summary: &str, detail: String, at: Option<Span>) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at_opt(at));
    }

    fn target(&mut self, subject: &str, target: Option<&Target>) -> Option<Arc<Cipher>> {
        let methods = self.methods_of(subject, target?)?;
        Some(Arc::new(Cipher::new(subject, methods)))
    }

    /// A provider is not told which data resource it reads for, so that their methods are tried one after the other.
    fn remote(&mut self) -> Option<Arc<Cipher>> {
        let settings = self.settings;
        let mut methods: Vec<Arc<Method>> = Vec::new();
        for target in settings
            .remote_default
            .iter()
            .chain(settings.remotes.values())
        {
            for method in self
                .methods_of("the other state", target)
                .unwrap_or_default()
            {
                if methods.iter().all(|known| !Arc::ptr_eq(known, &method)) {
                    methods.push(method);
                }
            }
        }
        (!methods.is_empty()).then(|| Arc::new(Cipher::new("the other state", methods)))
    }

    fn methods_of(&mut self, subject: &str, target: &Target) -> Option<Vec<Arc<Method>>> {
        let mut methods = Vec::new();
        let mut next = Some(target);
        while let Some(one) = next {
            next = one.fallback.as_deref();
            let Some((reference, span)) = &one.method else {
                if one.enforced && one.fallback.is_none() {
                    self.problem(
                        "encryption-enforced",
                        "Encryption is enforced",
                        format!("Encryption of {subject} is enforced, and no method is configured for it. Give one here or in the environment variable TF_ENCRYPTION."),
                        one.span,
                    );
                } else {
                    self.problem(
                        "missing-encryption-method",
                        "Missing encryption method",
                        format!("This block must name the \"method\" for {subject}."),
                        one.span,
                    );
                }
                return None;
            };
            if !self
                .settings
                .methods
                .iter()
                .any(|known| known.reference == *reference)
            {
                self.problem(
                    "unknown-encryption-method",
                    "Reference to undeclared encryption method",
                    format!(
                        "There is no method {:?} {:?} block declared in the encryption block.",
                        reference.type_name, reference.name
                    ),
                    Some(*span),
                );
                return None;
            }
            let method = self.method(reference)?;
            if target.enforced && method.is_unencrypted() {
                self.problem(
                    "encryption-enforced",
                    "Unencrypted method is forbidden",
                    "Unable to use unencrypted method since the enforced flag is set.".to_owned(),
                    Some(*span),
                );
                return None;
            }
            methods.push(method);
        }
        Some(methods)
    }

    fn method(&mut self, reference: &Reference) -> Option<Arc<Method>> {
        if let Some(known) = self.methods.get(reference) {
            return known.clone();
        }
        let definition = self
            .settings
            .methods
            .iter()
            .find(|known| known.reference == *reference)?;
        let opened = self.open_method(definition).map(Arc::new);
        self.methods.insert(reference.clone(), opened.clone());
        opened
    }

    fn open_method(&mut self, definition: &Definition) -> Option<Method> {
        let keys = match &definition.keys {
            None => None,
            Some((reference, span)) => {
                self.check_key_provider(reference, *span)?;
                Some(self.key_provider(reference, &mut Vec::new())?)
            }
        };
        let arguments = self.arguments(definition)?;
        let kind = match &*definition.reference.type_name {
            "aes_gcm" => MethodKind::AesGcm {
                associated: match arguments.get("aad") {
                    None => Vec::new(),
                    Some(value) => self.bytes(definition, "aad", value)?,
                },
            },
            "external" => MethodKind::External {
                encrypt: self.command(definition, "encrypt_command", &arguments)?,
                decrypt: self.command(definition, "decrypt_command", &arguments)?,
            },
            _ => MethodKind::Unencrypted,
        };
        Some(Method {
            reference: definition.reference.clone(),
            kind,
            keys,
        })
    }

    fn check_key_provider(&mut self, reference: &Reference, span: Span) -> Option<()> {
        let is_known = self
            .settings
            .key_providers
            .iter()
            .any(|known| known.reference == *reference);
        if !is_known {
            self.problem(
                "unknown-key-provider",
                "Reference to undeclared key provider",
                format!(
                    "There is no key_provider {:?} {:?} block declared in the encryption block.",
                    reference.type_name, reference.name
                ),
                Some(span),
            );
            return None;
        }
        Some(())
    }

    fn key_provider(
        &mut self,
        reference: &Reference,
        stack: &mut Vec<Reference>,
    ) -> Option<Arc<NamedKeys>> {
        if let Some(known) = self.keys.get(reference) {
            return known.clone();
        }
        let definition = self
            .settings
            .key_providers
            .iter()
            .find(|known| known.reference == *reference)?;
        if stack.contains(reference) {
            stack.push(reference.clone());
            let way: Vec<String> = stack
                .iter()
                .map(|step| format!("key_provider.{}.{}", step.type_name, step.name))
                .collect();
            self.problem(
                "key-provider-cycle",
                "Circular reference detected",
                format!(
                    "Key providers take their passphrase from each other in a circle: {}.",
                    way.join(" -> ")
                ),
                Some(definition.span),
            );
            return None;
        }
        stack.push(reference.clone());
        let opened = self.open_key_provider(definition, stack).map(Arc::new);
        stack.pop();
        self.keys.insert(reference.clone(), opened.clone());
        opened
    }

    fn open_key_provider(
        &mut self,
        definition: &Definition,
        stack: &mut Vec<Reference>,
    ) -> Option<NamedKeys> {
        let chain = match &definition.keys {
            None => None,
            Some((reference, span)) => {
                self.check_key_provider(reference, *span)?;
                Some(self.key_provider(reference, stack)?)
            }
        };
        let mut arguments = self.arguments(definition)?;
        let reference = &definition.reference;
        let storage_name = match arguments.remove("encrypted_metadata_alias") {
            Some(value) if !value.is_null() => {
                self.text(definition, "encrypted_metadata_alias", &value)?
            }
            _ => format!("key_provider.{}.{}", reference.type_name, reference.name),
        };
        let origin = match &*reference.type_name {
            "pbkdf2" => Origin::Pbkdf2(self.pbkdf2(definition, &arguments, chain)?),
            "external" => Origin::Source(Arc::new(ExternalKeys {
                command: self.command(definition, "command", &arguments)?,
            })),
            type_name => match self.services.open(type_name, &arguments) {
                Ok(source) => Origin::Source(source),
                Err(why) => {
                    self.problem(
                        "invalid-key-provider",
                        "Unable to build encryption key data",
                        why,
                        Some(definition.span),
                    );
                    return None;
                }
            },
        };
        Some(NamedKeys {
            storage_name,
            origin,
        })
    }

    fn pbkdf2(
        &mut self,
        definition: &Definition,
        arguments: &BTreeMap<String, Value>,
        chain: Option<Arc<NamedKeys>>,
    ) -> Option<Pbkdf2> {
        let passphrase = match arguments.get("passphrase").filter(|value| !value.is_null()) {
            None => None,
            Some(value) => Some(self.text(definition, "passphrase", value)?),
        };
        let passphrase = match (passphrase, chain) {
            (Some(text), None) if text.chars().count() < MINIMUM_PASSPHRASE => {
                return self.refuse(
                    definition,
                    "passphrase",
                    format!("The passphrase is too short: it must have at least {MINIMUM_PASSPHRASE} characters."),
                );
            }
            (Some(text), None) => Passphrase::Text(Secret::new(text.into_bytes())),
            (None, Some(keys)) => Passphrase::Chained(keys),
            (Some(_), Some(_)) => {
                return self.refuse(
                    definition,
                    "passphrase",
                    "The passphrase stands here and comes from the key provider that \"chain\" names. Keep one of the two.".to_owned(),
                );
            }
            (None, None) => {
                return self.refuse(
                    definition,
                    "passphrase",
                    "There is no passphrase: give \"passphrase\", or \"chain\" with the key provider that it comes from.".to_owned(),
                );
            }
        };
        let hash = match arguments
            .get("hash_function")
            .filter(|value| !value.is_null())
        {
            None => Pbkdf2Hash::Sha512,
            Some(value) => {
                let name = self.text(definition, "hash_function", value)?;
                let Some(hash) = Pbkdf2Hash::named(&name) else {
                    return self.refuse(
                        definition,
                        "hash_function",
                        format!(
                            "There is no hash function {name:?} for it. There are: sha256, sha512."
                        ),
                    );
                };
                hash
            }
        };
        let limits = u64::from(MINIMUM_ITERATIONS)..=100_000_000;
        let iterations = self.count(definition, "iterations", arguments, 600_000, limits)?;
        Some(Pbkdf2 {
            passphrase,
            key_length: usize::try_from(self.count(
                definition,
                "key_length",
                arguments,
                32,
                1..=1024,
            )?)
            .ok()?,
            iterations: NonZeroU32::new(u32::try_from(iterations).ok()?)?,
            salt_length: usize::try_from(self.count(
                definition,
                "salt_length",
                arguments,
                32,
                1..=1024,
            )?)
            .ok()?,
            hash,
        })
    }

    fn arguments(&mut self, definition: &Definition) -> Option<BTreeMap<String, Value>> {
        let mut arguments = BTreeMap::new();
        let mut is_whole = true;
        for (name, expression) in &definition.arguments {
            match (self.evaluate)(expression) {
                Ok(value) => {
                    let (value, _) = value.unmark_deep();
                    arguments.insert(name.clone(), value);
                }
                Err(problems) => {
                    self.diagnostics.append(problems);
                    is_whole = false;
                }
            }
        }
        is_whole.then_some(arguments)
    }

    /// Reports an argument; its value is not shown, since it may be a secret.
    fn refuse<T>(&mut self, definition: &Definition, name: &str, detail: String) -> Option<T> {
        let at = definition
            .arguments
            .get(name)
            .map_or(definition.span, |expression| expression.span);
        self.problem(
            "invalid-encryption-argument",
            "Invalid encryption configuration",
            detail,
            Some(at),
        );
        None
    }

    fn text(&mut self, definition: &Definition, name: &str, value: &Value) -> Option<String> {
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.refuse(
                definition,
                name,
                format!(
                    "{name:?} must be a string, and this is {}.",
                    value.ty().friendly_name()
                ),
            ),
        }
    }

    fn count(
        &mut self,
        definition: &Definition,
        name: &str,
        arguments: &BTreeMap<String, Value>,
        default: u64,
        limits: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let Some(value) = arguments.get(name).filter(|value| !value.is_null()) else {
            return Some(default);
        };
        match value.as_number().and_then(Number::to_u64) {
            Some(count) if limits.contains(&count) => Some(count),
            _ => self.refuse(
                definition,
                name,
                format!(
                    "{name:?} must be a whole number from {} to {}.",
                    limits.start(),
                    limits.end()
                ),
            ),
        }
    }

    fn command(
        &mut self,
        definition: &Definition,
        name: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Option<Vec<String>> {
        let words: Option<Vec<String>> =
            arguments
                .get(name)
                .and_then(Value::as_sequence)
                .and_then(|items| {
                    items
                        .iter()
                        .map(|item| item.as_str().map(str::to_owned))
                        .collect()
                });
        match words {
            Some(words) if !words.is_empty() => Some(words),
            _ => self.refuse(
                definition,
                name,
                format!("{name:?} must be a list of strings: the program and its arguments."),
            ),
        }
    }

    fn bytes(&mut self, definition: &Definition, name: &str, value: &Value) -> Option<Vec<u8>> {
        let bytes: Option<Vec<u8>> = value.as_sequence().and_then(|items| {
            let byte = |item: &Value| item.as_number()?.to_u64()?.try_into().ok();
            items.iter().map(byte).collect()
        });
        match bytes {
            Some(bytes) => Some(bytes),
            None => self.refuse(
                definition,
                name,
                format!("{name:?} must be a list of numbers from 0 to 255."),
            ),
        }
    }
}
