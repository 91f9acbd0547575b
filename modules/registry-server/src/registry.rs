//! The registry: who may, and then what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use terrace_backend_remote::Objects;
use terrace_module_package::Catalogue;
use terrace_port::{Clock, Entropy};

use crate::access::{Caller, Role, token_in};
use crate::request::{Method, Reply, Request};
use crate::routes::{Action, Need, Parameters, Route, find};
use crate::tickets::Tickets;
use crate::{RegistryError, Tokens, pages};

/// What a registry is made of.
pub struct RegistryParts {
    /// Where modules and providers lie.
    pub content: Arc<dyn Objects>,
    /// Where tokens and secrets lie; nobody serves it.
    pub private: Arc<dyn Objects>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where tokens come from.
    pub entropy: Arc<dyn Entropy>,
    /// Whether everybody may read, token or not.
    pub public: bool,
    /// The fingerprints of the keys whose signatures count; any where it is `None`.
    pub signers: Option<BTreeSet<String>>,
}

/// A registry of modules and providers.
pub struct Registry {
    pub(crate) catalogue: Catalogue,
    pub(crate) content: Arc<dyn Objects>,
    pub(crate) tokens: Tokens,
    pub(crate) tickets: Tickets,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) public: bool,
    pub(crate) signers: Option<BTreeSet<String>>,
}

/// A request that may go on to its body and to its answer.
#[derive(Clone, Debug)]
pub struct Admission {
    pub(crate) route: &'static Route,
    pub(crate) parameters: Parameters,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) host: Option<String>,
    pub(crate) caller: Option<Caller>,
}

impl Admission {
    /// The route.
    pub const fn route(&self) -> &'static Route {
        self.route
    }

    /// A part of the path. Routes name what their actions ask for.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Who asks, for what is recorded.
    pub(crate) fn who(&self) -> String {
        let name = self.caller.as_ref().map(|caller| caller.name.clone());
        name.unwrap_or_else(|| "everybody".to_owned())
    }
}

impl Registry {
    /// Opens a registry over its stores.
    ///
    /// # Errors
    /// [`RegistryError`] where the private store cannot be used.
    pub async fn open(parts: RegistryParts) -> Result<Self, RegistryError> {
        let tickets = Tickets::open(&*parts.private, &*parts.entropy).await?;
        Ok(Self {
            catalogue: Catalogue::new(Arc::clone(&parts.content)),
            content: parts.content,
            tokens: Tokens::new(parts.private),
            tickets,
            clock: parts.clock,
            entropy: parts.entropy,
            public: parts.public,
            signers: parts.signers,
        })
    }

    /// The registry's tokens.
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Finds what a request asks for and whether its sender may, before anything of its body is read.
    ///
    /// # Errors
    /// The refusal, where there is no such route or the caller has not what it needs.
    pub async fn admit(&self, request: Request) -> Result<Admission, Reply> {
        let (route, parameters) = match find(request.method, &request.path) {
            Ok(found) => found,
            Err(true) => return Err(Reply::refusal(405, "This address has other methods.")),
            Err(false) => return Err(Reply::refusal(404, "Not Found")),
        };
        let caller = match &request.authorization {
            None => None,
            Some(_) if route.need == Need::Nothing => None,
            Some(header) => self.caller(route, header).await?,
        };
        let admission = Admission {
            route,
            parameters,
            query: request.query,
            host: request.host,
            caller,
        };
        self.allow(&request.path, &admission)?;
        Ok(admission)
    }

    async fn caller(&self, route: &Route, header: &str) -> Result<Option<Caller>, Reply> {
        let Some(token) = token_in(header) else {
            return Err(unknown(route));
        };
        match self.tokens.find(&token).await {
            Ok(Some(caller)) => Ok(Some(caller)),
            Ok(None) => Err(unknown(route)),
            Err(error) => Err(error.reply()),
        }
    }

    fn allow(&self, path: &str, admission: &Admission) -> Result<(), Reply> {
        let caller = admission.caller.as_ref();
        let reads = self.public || caller.is_some();
        let may = match admission.route.need {
            Need::Nothing => true,
            Need::Ticket => reads || self.tickets.opens(path, &admission.query, self.now()),
            Need::Read => reads,
            Need::Publish => {
                caller.is_some_and(|caller| caller.publishes_in(admission.part("namespace")))
            }
            Need::Admin => caller.is_some_and(|caller| caller.role == Role::Admin),
        };
        match caller {
            _ if may => Ok(()),
            None => Err(unknown(admission.route)),
            Some(caller) => Err(Reply::refusal(
                403,
                &format!(
                    "The token {:?} has the role {}{}, which is not enough for this.",
                    caller.name,
                    caller.role.name(),
                    within(&caller.namespaces)
                ),
            )),
        }
    }

    /// Answers a request that was admitted.
    pub async fn answer(&self, admission: &Admission, body: Vec<u8>) -> Reply {
        if body.len() > admission.route.largest {
            return Reply::refusal(413, "The request's body is larger than what belongs here.");
        }
        match self.act(admission, body).await {
            Ok(reply) => reply,
            Err(error) => error.reply(),
        }
    }

    /// Admits and answers.
    pub async fn respond(&self, request: Request, body: Vec<u8>) -> Reply {
        match self.admit(request).await {
            Ok(admission) => self.answer(&admission, body).await,
            Err(refusal) => refusal,
        }
    }

    async fn act(&self, admission: &Admission, body: Vec<u8>) -> Result<Reply, RegistryError> {
        match admission.route.action {
            Action::Discovery => Ok(Reply::json(&json!({
                "modules.v1": "/v1/modules/",
                "providers.v1": "/v1/providers/",
            }))),
            Action::Health => Ok(Reply::json(&json!({"status": "ok"}))),
            Action::Style => Ok(pages::style()),
            Action::Icon => Ok(pages::icon()),
            Action::SearchPage => self.search_page(admission).await,
            Action::ModulePage | Action::VersionPage => self.module_page(admission).await,
            Action::ProviderPage => self.provider_page(admission).await,
            Action::Search => self.search(admission).await,
            Action::ModuleVersions => self.module_versions(admission).await,
            Action::ModuleDownload => self.module_download(admission).await,
            Action::ModuleArchive => self.module_archive(admission).await,
            Action::ModuleAbout => self.module_about(admission).await,
            Action::ModuleStatement => self.module_statement(admission).await,
            Action::PublishModule => self.publish_module(admission, body).await,
            Action::YankModule => self.yank_module(admission, &body).await,
            Action::RestoreModule => self.restore_module(admission).await,
            Action::DeprecateModule => self.deprecate_module(admission, &body).await,
            Action::UndeprecateModule => self.undeprecate_module(admission).await,
            Action::ProviderVersions => self.provider_versions(admission).await,
            Action::ProviderDownload => self.provider_download(admission).await,
            Action::ProviderFile => self.provider_file(admission).await,
            Action::UploadProviderFile => self.upload_provider_file(admission, &body).await,
            Action::PublishProvider => self.publish_provider(admission, &body).await,
            Action::ListTokens => self.list_tokens().await,
            Action::IssueToken => self.issue_token(admission, &body).await,
            Action::RevokeToken => {
                self.tokens.revoke(admission.part("token")).await?;
                Ok(Reply::empty())
            }
        }
    }

    async fn list_tokens(&self) -> Result<Reply, RegistryError> {
        let tokens = self.tokens.list().await?;
        let tokens: Vec<_> = tokens
            .iter()
            .map(|record| {
                json!({
                    "name": record.caller.name,
                    "role": record.caller.role.name(),
                    "namespaces": record.caller.namespaces,
                    "issued_at": record.issued_at,
                    "issued_by": record.issued_by,
                })
            })
            .collect();
        Ok(Reply::json(&json!({"tokens": tokens})).header("cache-control", "no-store"))
    }

    async fn issue_token(
        &self,
        admission: &Admission,
        body: &[u8],
    ) -> Result<Reply, RegistryError> {
        let asked: crate::wire::IssueRequest = read_json(body)?;
        let role = Role::parse(&asked.role).ok_or_else(|| {
            RegistryError::Refused(format!(
                "{:?} is no role; there are read, publish and admin",
                asked.role
            ))
        })?;
        let record = crate::TokenRecord {
            caller: Caller {
                name: admission.part("token").to_owned(),
                role,
                namespaces: asked.namespaces,
            },
            issued_at: self.now(),
            issued_by: admission.who(),
        };
        let issued = self.tokens.issue(&record, &*self.entropy).await?;
        Ok(Reply::json(&json!({"token": issued.secret()}))
            .status(201)
            .header("cache-control", "no-store"))
    }
}

/// Reads a document that a client sent.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, RegistryError> {
    serde_json::from_slice(body).map_err(|error| {
        RegistryError::Refused(format!("the request's body is not understood: {error}"))
    })
}

fn within(namespaces: &[String]) -> String {
    if namespaces.is_empty() {
        String::new()
    } else {
        format!(" in {}", namespaces.join(", "))
    }
}

/// The refusal of someone who is not known. Browsers ask their user for a password where a page says so.
fn unknown(route: &Route) -> Reply {
    let is_page = matches!(
        route.action,
        Action::SearchPage | Action::ModulePage | Action::VersionPage | Action::ProviderPage
    );
    let scheme = if is_page {
        "Basic realm=\"a token of this registry, as password\", charset=\"UTF-8\""
    } else {
        "Bearer realm=\"terrace registry\""
    };
    let why = if route.method == Method::Get {
        "This registry is read with a token, and none that it knows was given."
    } else {
        "This needs a token, and none that the registry knows was given."
    };
    Reply::refusal(401, why).header("www-authenticate", scheme)
}

#[cfg(test)]
pub(crate) mod tests;
