//! What changed between two versions of a module, and what that means for its version.

use std::fmt;

use terrace_addr::version::Version;

use crate::Place;

/// How far the version of a module must be raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing that callers could notice has changed.
    #[default]
    None,
    /// Callers need not do anything, and nothing is new for them.
    Patch,
    /// There is something new; callers need not do anything.
    Minor,
    /// Some callers must change something, or lose something.
    Major,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// The kinds of changes: a stable name and what it asks for.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $step:ident, $summary:literal;)*) => {
        /// What kind of change it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All kinds, the breaking ones first.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable name, such as `variable-removed`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The step that it asks for.
            pub const fn step(self) -> Step {
                match self { $(Self::$name => Step::$step,)* }
            }

            /// What happened, in a few words without names.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }
        }
    };
}

kinds! {
    /// Callers that set it are refused.
    VariableRemoved = "variable-removed", Major, "A variable was removed";
    /// Callers that do not set it are refused.
    RequiredVariableAdded = "required-variable-added", Major, "A required variable was added";
    /// Callers that left it out are refused.
    DefaultRemoved = "default-removed", Major, "A variable has lost its default";
    /// Values that were taken are refused, or lose a part.
    TypeNarrowed = "type-narrowed", Major, "The type of a variable takes less than before";
    /// `null` is refused, or means the default now.
    NullRefused = "null-refused", Major, "A variable is no longer nullable";
    /// `null` meant the default.
    NullKept = "null-kept", Major, "A null that meant the default reaches the module now";
    /// What callers gave to be hidden is shown.
    VariableShown = "variable-no-longer-sensitive", Major, "A variable is no longer sensitive";
    /// Ephemeral values are refused.
    VariableStored = "variable-no-longer-ephemeral", Major, "A variable no longer takes ephemeral values";
    /// Values that are known only after an apply are refused.
    VariableConstant = "variable-now-constant", Major, "The value of a variable must be known early now";
    /// Values that passed are refused.
    ValidationNarrowed = "validation-narrowed", Major, "A validation refuses values that passed before";
    /// Callers that read it are refused.
    OutputRemoved = "output-removed", Major, "An output was removed";
    /// Expressions of callers that read it may fail.
    OutputRetyped = "output-retyped", Major, "The type of an output has changed";
    /// Root outputs of callers that pass it on are refused until they are marked.
    OutputHidden = "output-now-sensitive", Major, "An output is sensitive now";
    /// It can no longer be stored.
    OutputEphemeral = "output-now-ephemeral", Major, "An output is ephemeral now";
    /// Situations that passed are refused.
    PreconditionAdded = "precondition-added", Major, "A precondition was added or changed";
    /// An upgrade destroys its objects.
    ResourceLost = "resource-lost", Major, "An upgrade would destroy the objects of a resource";
    /// An upgrade forgets its objects.
    ResourceForgotten = "resource-forgotten", Major, "An upgrade would forget the objects of a resource";
    /// An upgrade destroys objects and creates others.
    ResourceReplaced = "resource-replaced", Major, "An upgrade would replace the objects of a resource";
    /// An upgrade destroys some of its objects.
    InstancesLost = "instances-lost", Major, "An upgrade would destroy instances";
    /// The provider of objects in states is another.
    ProviderChanged = "resource-provider-changed", Major, "A resource belongs to another provider now";
    /// An upgrade destroys what a called module manages.
    CallLost = "module-call-lost", Major, "An upgrade would destroy what a called module manages";
    /// Provider versions that sufficed are refused.
    ProviderConstraintRaised = "provider-constraint-raised", Major, "Versions of a provider are no longer allowed";
    /// Engine versions that sufficed are refused.
    EngineConstraintRaised = "engine-constraint-raised", Major, "Versions of the engine are no longer allowed";
    /// A local name means another provider.
    ProviderSourceChanged = "provider-source-changed", Major, "A provider comes from elsewhere";
    /// Callers must install and configure one more provider.
    ProviderAdded = "provider-added", Major, "A provider that callers must configure was added";
    /// Callers must pass one more provider configuration.
    AliasAdded = "provider-alias-added", Major, "A provider configuration must be passed now";
    /// Callers that pass it are refused.
    AliasRemoved = "provider-alias-removed", Major, "A provider configuration is no longer taken";

    /// Callers may set it.
    VariableAdded = "variable-added", Minor, "An optional variable was added";
    /// Callers need no longer set it.
    DefaultAdded = "default-added", Minor, "A variable has got a default";
    /// Callers that leave it out get something else.
    DefaultChanged = "default-changed", Minor, "The default of a variable has changed";
    /// More values are taken.
    TypeWidened = "type-widened", Minor, "The type of a variable takes more than before";
    /// `null` is taken.
    NullTaken = "null-taken", Minor, "A variable is nullable now";
    /// Its values are hidden.
    VariableHidden = "variable-now-sensitive", Minor, "A variable is sensitive now";
    /// Ephemeral values are taken.
    VariableEphemeral = "variable-now-ephemeral", Minor, "A variable takes ephemeral values now";
    /// Values need not be known early.
    VariableNotConstant = "variable-no-longer-constant", Minor, "The value of a variable need no longer be known early";
    /// Values that were refused pass.
    ValidationWidened = "validation-widened", Minor, "A validation refuses less than before";
    /// Callers are asked to use something else.
    VariableDeprecated = "variable-deprecated", Minor, "A variable is deprecated now";
    /// Callers may read it.
    OutputAdded = "output-added", Minor, "An output was added";
    /// It holds more.
    OutputExtended = "output-extended", Minor, "An output has got more attributes";
    /// It is shown.
    OutputShown = "output-no-longer-sensitive", Minor, "An output is no longer sensitive";
    /// It may be stored.
    OutputStored = "output-no-longer-ephemeral", Minor, "An output is no longer ephemeral";
    /// Callers are asked to read something else.
    OutputDeprecated = "output-deprecated", Minor, "An output is deprecated now";
    /// Less is refused.
    PreconditionRemoved = "precondition-removed", Minor, "A precondition was removed";
    /// An upgrade creates objects.
    ResourceAdded = "resource-added", Minor, "A resource was added";
    /// An upgrade creates what it manages.
    CallAdded = "module-call-added", Minor, "A called module was added";
    /// More provider versions are allowed.
    ProviderConstraintWidened = "provider-constraint-widened", Minor, "More versions of a provider are allowed";
    /// More engine versions are allowed.
    EngineConstraintWidened = "engine-constraint-widened", Minor, "More versions of the engine are allowed";
    /// It needs no configuration.
    UtilityProviderAdded = "utility-provider-added", Minor, "A provider that needs no configuration was added";
    /// It is needed no longer.
    ProviderRemoved = "provider-removed", Minor, "A provider is no longer needed";
    /// Objects may be destroyed.
    ProtectionRemoved = "protection-removed", Minor, "Objects of a resource may be destroyed now";

    /// States follow by themselves.
    ResourceMoved = "resource-moved", Patch, "A resource has another address, to which states follow";
    /// Which instances there are is known only with values.
    InstancesUnknown = "instances-not-judged", Patch, "Which instances there are is decided in another way";
    /// What it gives may be something else of the same type.
    OutputChanged = "output-changed", Patch, "An output is computed in another way";
    /// Arguments differ.
    ResourceChanged = "resource-changed", Patch, "The arguments of a resource have changed";
    /// What it is may have changed.
    CallChanged = "module-call-changed", Patch, "A called module has another source, version or other arguments";
    /// Words for people.
    DescriptionChanged = "description-changed", Patch, "A description has changed";
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// What changed, such as `variable region` or `aws_vpc.main`.
    pub subject: String,
    /// Sentences: what was, what is, and what callers meet.
    pub detail: String,
    /// How it could be made harmless, where it could.
    pub advice: Option<String>,
    /// Where it stands in the new version, or, of something that went, nothing.
    pub now: Option<Place>,
    /// Where it stood in the old version.
    pub before: Option<Place>,
}

impl Finding {
    /// A finding without places.
    pub(crate) fn new(kind: Kind, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            detail: detail.into(),
            advice: None,
            now: None,
            before: None,
        }
    }

    /// The name of the variable or output that it is about; `None` where it is about something else.
    pub fn name(&self) -> Option<&str> {
        ["variable \"", "output \""]
            .into_iter()
            .find_map(|kind| self.subject.strip_prefix(kind)?.strip_suffix('"'))
    }

    /// With its place in the new version.
    pub(crate) fn now(mut self, place: &Place) -> Self {
        self.now = Some(place.clone());
        self
    }

    /// With its place in the old version.
    pub(crate) fn before(mut self, place: &Place) -> Self {
        self.before = Some(place.clone());
        self
    }

    /// With a way to make it harmless.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// All that changed, the gravest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The findings: by step, then by place.
    pub findings: Vec<Finding>,
}

impl Changes {
    /// Sorts what was found.
    pub(crate) fn of(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| {
            let place = |finding: &Finding| finding.now.clone().or_else(|| finding.before.clone());
            b.kind
                .step()
                .cmp(&a.kind.step())
                .then_with(|| place(a).cmp(&place(b)))
                .then_with(|| a.kind.cmp(&b.kind))
                .then_with(|| a.subject.cmp(&b.subject))
        });
        findings.dedup();
        Self { findings }
    }

    /// How far the version must be raised.
    pub fn step(&self) -> Step {
        self.findings
            .iter()
            .map(|finding| finding.kind.step())
            .max()
            .unwrap_or_default()
    }

    /// Those that break callers.
    pub fn breaking(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.kind.step() == Step::Major)
    }
}

/// The version that follows `version` by a step. Before 1.0 a breaking change raises the second number, and all else
/// the third, as is usual.
pub fn next_version(version: &Version, step: Step) -> Version {
    let at = |index: usize| version.segments().get(index).copied().unwrap_or(0);
    let (major, minor, patch) = (at(0), at(1), at(2));
    if version.is_prerelease() && step <= Step::Patch {
        return Version::new(major, minor, patch);
    }
    match (step, major) {
        (Step::None, _) => version.clone(),
        (Step::Major, 0) => Version::new(0, minor + 1, 0),
        (Step::Major, _) => Version::new(major + 1, 0, 0),
        (Step::Minor, 1..) => Version::new(major, minor + 1, 0),
        (Step::Minor | Step::Patch, _) => Version::new(major, minor, patch + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_by_steps() {
        let next = |version: &str, step| {
            next_version(&version.parse::<Version>().expect("a version"), step).to_string()
        };
        assert_eq!(next("1.2.3", Step::None), "1.2.3");
        assert_eq!(next("1.2.3", Step::Patch), "1.2.4");
        assert_eq!(next("1.2.3", Step::Minor), "1.3.0");
        assert_eq!(next("1.2.3", Step::Major), "2.0.0");
        assert_eq!(next("0.2.3", Step::Minor), "0.2.4");
        assert_eq!(next("0.2.3", Step::Major), "0.3.0");
        assert_eq!(next("1.2.3-rc1", Step::Patch), "1.2.3");
    }

    #[test]
    fn names_of_kinds_are_distinct() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
