//! What single files say, before files are merged and overrides applied.

use std::collections::BTreeMap;

use terrace_addr::version::Constraints;
use terrace_addr::{LocalProviderConfig, Name, ProviderAddr, Resource};
use terrace_diag::Span;
use terrace_syntax::{Body, Expr, Traversal};
use terrace_value::{Type, Value};

use crate::{
    Backend, CheckRule, Encryption, ForEachOrCount, IgnoreChanges, ImportBlock, Local, Moved,
    ProviderPassed, Provisioner, Removed, TypeDefaults,
};

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct FileParts {
    pub(crate) required_versions: Vec<RequiredVersion>,
    pub(crate) required_providers: Vec<RequiredProviders>,
    pub(crate) backends: Vec<Backend>,
    pub(crate) clouds: Vec<Backend>,
    pub(crate) encryptions: Vec<Encryption>,
    pub(crate) provider_metas: Vec<ProviderMetaPart>,
    pub(crate) provider_configs: Vec<ProviderPart>,
    pub(crate) variables: Vec<VariablePart>,
    pub(crate) locals: Vec<Local>,
    pub(crate) outputs: Vec<OutputPart>,
    pub(crate) calls: Vec<CallPart>,
    pub(crate) resources: Vec<ResourcePart>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) removed: Vec<Removed>,
    pub(crate) imports: Vec<ImportPart>,
    pub(crate) checks: Vec<CheckPart>,
}

/// A `required_version`.
#[derive(Debug)]
pub(crate) struct RequiredVersion {
    pub(crate) text: String,
    pub(crate) constraints: Constraints,
    pub(crate) span: Span,
    /// Whether it stands in a `.tofu` file, which is judged by another version of the language.
    pub(crate) is_tofu: bool,
}

/// A `required_providers` block.
#[derive(Debug)]
pub(crate) struct RequiredProviders {
    pub(crate) entries: BTreeMap<Name, RequiredProvider>,
    pub(crate) span: Span,
}

/// An entry of it.
#[derive(Debug)]
pub(crate) struct RequiredProvider {
    pub(crate) provider: Option<ProviderAddr>,
    pub(crate) version: Option<(String, Span)>,
    pub(crate) aliases: Vec<LocalProviderConfig>,
    pub(crate) span: Span,
}

/// A `provider_meta` block.
#[derive(Debug)]
pub(crate) struct ProviderMetaPart {
    pub(crate) provider: Name,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// A `provider` block.
#[derive(Debug)]
pub(crate) struct ProviderPart {
    pub(crate) local: LocalProviderConfig,
    pub(crate) version: Option<(String, Span)>,
    pub(crate) for_each: Option<Expr>,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// A `variable` block: `None` is what it does not say.
#[derive(Debug)]
pub(crate) struct VariablePart {
    pub(crate) name: Name,
    pub(crate) description: Option<std::sync::Arc<str>>,
    pub(crate) ty: Option<(Type, TypeDefaults, Span)>,
    pub(crate) default: Option<(Value, Span)>,
    pub(crate) sensitive: Option<bool>,
    pub(crate) ephemeral: Option<bool>,
    pub(crate) nullable: Option<bool>,
    pub(crate) deprecated: Option<std::sync::Arc<str>>,
    pub(crate) constant: Option<bool>,
    pub(crate) validations: Vec<CheckRule>,
    pub(crate) span: Span,
}

/// An `output` block.
#[derive(Debug)]
pub(crate) struct OutputPart {
    pub(crate) name: Name,
    pub(crate) description: Option<std::sync::Arc<str>>,
    pub(crate) value: Option<Expr>,
    pub(crate) sensitive: Option<bool>,
    pub(crate) ephemeral: Option<bool>,
    pub(crate) deprecated: Option<std::sync::Arc<str>>,
    pub(crate) depends_on: Option<Vec<Traversal>>,
    pub(crate) preconditions: Vec<CheckRule>,
    pub(crate) span: Span,
}

/// A `module` block.
#[derive(Debug)]
pub(crate) struct CallPart {
    pub(crate) name: Name,
    pub(crate) source: Option<(Early<std::sync::Arc<str>>, Span)>,
    pub(crate) version: Option<(Early<String>, Span)>,
    /// Inputs, each with the place of its name.
    pub(crate) inputs: BTreeMap<Name, (Expr, Span)>,
    pub(crate) repetition: Option<ForEachOrCount>,
    pub(crate) depends_on: Option<Vec<Traversal>>,
    pub(crate) providers: Option<Vec<ProviderPassed>>,
    pub(crate) overridden: bool,
    pub(crate) span: Span,
    pub(crate) missing_span: Span,
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Debug)]
pub(crate) struct ResourcePart {
    pub(crate) resource: Resource,
    pub(crate) body: Body,
    pub(crate) repetition: Option<ForEachOrCount>,
    pub(crate) provider: Option<ProviderReference>,
    pub(crate) depends_on: Option<Vec<Traversal>>,
    pub(crate) lifecycle: LifecyclePart,
    pub(crate) connection: Option<Body>,
    pub(crate) provisioners: Vec<Provisioner>,
    pub(crate) in_check: Option<Name>,
    pub(crate) span: Span,
}

/// A `lifecycle` block.
#[derive(Debug, Default)]
pub(crate) struct LifecyclePart {
    pub(crate) create_before_destroy: Option<bool>,
    pub(crate) prevent_destroy: Option<(Early<bool>, Span)>,
    pub(crate) destroy: Option<bool>,
    pub(crate) enabled: Option<(Expr, Span)>,
    pub(crate) ignore_changes: Option<IgnoreChanges>,
    pub(crate) replace_triggered_by: Option<Vec<Expr>>,
    pub(crate) preconditions: Vec<CheckRule>,
    pub(crate) postconditions: Vec<CheckRule>,
}

/// What is written as a constant, or as an expression that is evaluated later.
#[derive(Clone, Debug)]
pub(crate) enum Early<T> {
    Constant(T),
    Expression(Expr),
}

impl<T> Early<T> {
    /// The constant, or the expression.
    pub(crate) fn split(self) -> (Option<T>, Option<Expr>) {
        match self {
            Self::Constant(value) => (Some(value), None),
            Self::Expression(expression) => (None, Some(expression)),
        }
    }
}

/// A reference to a provider configuration: `aws`, `aws.west` or `aws.by_region[KEY]`.
#[derive(Clone, Debug)]
pub(crate) struct ProviderReference {
    pub(crate) local: LocalProviderConfig,
    /// Where the name stands.
    pub(crate) span: Span,
    pub(crate) key: Option<Expr>,
}

/// An `import` block.
#[derive(Debug)]
pub(crate) struct ImportPart {
    pub(crate) block: ImportBlock,
    /// What it imports, where that is constant.
    pub(crate) static_target: Option<terrace_addr::Target>,
    /// Where its `provider` argument stands.
    pub(crate) provider_span: Option<Span>,
}

/// A `check` block.
#[derive(Debug)]
pub(crate) struct CheckPart {
    pub(crate) name: Name,
    pub(crate) data: Option<Resource>,
    pub(crate) asserts: Vec<CheckRule>,
    pub(crate) span: Span,
}
