//! A case: one configuration of a type and what is done to it.

use serde_json::Value as Json;

/// The life of one object. Texts in configurations may hold `$name` (a name that no other case has) and `${dead.arn}` (an
/// attribute of an object that was made before, `self` being the object itself).
pub(crate) struct Case {
    pub(crate) type_name: &'static str,
    pub(crate) variant: &'static str,
    pub(crate) given: Vec<(&'static str, Given)>,
    pub(crate) config: Json,
    pub(crate) steps: Vec<Step>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) import: Option<&'static str>,
    pub(crate) import_leaves: Vec<&'static str>,
    pub(crate) settles: Vec<&'static str>,
    pub(crate) untried: Vec<(&'static str, &'static str)>,
    pub(crate) remains: Option<&'static str>,
}

/// What must be there before.
pub(crate) enum Given {
    /// An object of a type, so configured.
    Object(&'static str, Json),
    /// What a service answers that is asked for something that no type here makes.
    Answer {
        service: &'static str,
        call: &'static str,
        body: Json,
    },
}

/// A change of the configuration: what it says is merged over what was there; null takes out.
pub(crate) enum Step {
    /// It is carried out in place.
    Update(Json),
    /// It asks for a replacement, for each of these arguments; for all that it says where none are named.
    Replace(Json, Vec<&'static str>),
}

impl Step {
    /// Whether what becomes of an argument is looked at.
    pub(crate) fn is_about(&self, argument: &str) -> bool {
        let top = argument.split('.').next().unwrap_or_default();
        match self {
            Self::Update(_) => true,
            Self::Replace(_, names) => names.is_empty() || names.contains(&top),
        }
    }
}

/// How an object is found by those who only read it.
pub(crate) struct Reading {
    pub(crate) type_name: &'static str,
    pub(crate) ephemeral: bool,
    pub(crate) config: Json,
    /// What is read as the object says it: `attribute`, or `read = attribute` where the two are called otherwise.
    pub(crate) same: Vec<&'static str>,
}

/// What a data source tells of no object that a case makes.
pub(crate) struct Fact {
    pub(crate) type_name: &'static str,
    pub(crate) config: Json,
    /// What it tells, attribute by attribute.
    pub(crate) told: Json,
}

impl Fact {
    /// A data source that tells this where it is so configured.
    pub(crate) const fn of(type_name: &'static str, config: Json, told: Json) -> Self {
        Self {
            type_name,
            config,
            told,
        }
    }
}

impl Reading {
    /// What is asked, ephemeral resources after `ephemeral.`, and the arguments that say what for.
    pub(crate) fn asked(&self) -> (String, Vec<String>) {
        let place = if self.ephemeral {
            "ephemeral."
        } else {
            "data."
        };
        let mut arguments = Vec::new();
        crate::cover::mentioned(&self.config, "", &mut arguments);
        (format!("{place}{}", self.type_name), arguments)
    }
}

impl Case {
    /// A case of a type, made with this configuration.
    pub(crate) fn of(type_name: &'static str, config: Json) -> Self {
        Self {
            type_name,
            variant: "",
            given: Vec::new(),
            config,
            steps: Vec::new(),
            readings: Vec::new(),
            import: Some("${self.id}"),
            import_leaves: Vec::new(),
            settles: Vec::new(),
            untried: Vec::new(),
            remains: None,
        }
    }

    /// What tells it from other cases of the same type.
    pub(crate) fn variant(mut self, variant: &'static str) -> Self {
        self.variant = variant;
        self
    }

    /// An object that must be there before: `${name.attribute}` is what it says.
    pub(crate) fn given(
        mut self,
        name: &'static str,
        type_name: &'static str,
        config: Json,
    ) -> Self {
        self.given.push((name, Given::Object(type_name, config)));
        self
    }

    /// What no type here makes and must be there before: a service is called for it, by its target, or by a method
    /// and a path. `${name.Part}` is what its answer says.
    pub(crate) fn asked(
        mut self,
        name: &'static str,
        service: &'static str,
        call: &'static str,
        body: Json,
    ) -> Self {
        let answer = Given::Answer {
            service,
            call,
            body,
        };
        self.given.push((name, answer));
        self
    }

    /// A change that is carried out in place.
    pub(crate) fn update(mut self, change: Json) -> Self {
        self.steps.push(Step::Update(change));
        self
    }

    /// A change for which the object is replaced.
    pub(crate) fn replace(mut self, change: Json) -> Self {
        self.steps.push(Step::Replace(change, Vec::new()));
        self
    }

    /// A change for which the object is replaced because of these arguments; what else it says only goes with them.
    pub(crate) fn replace_for(mut self, names: &[&'static str], change: Json) -> Self {
        self.steps.push(Step::Replace(change, names.to_vec()));
        self
    }

    /// A data source that finds the object after its last change, and which of its attributes say what the object's do: each
    /// by its name, or as `read = attribute` where the object calls it otherwise.
    pub(crate) fn found_by(
        mut self,
        type_name: &'static str,
        config: Json,
        same: &[&'static str],
    ) -> Self {
        self.readings.push(Reading {
            type_name,
            ephemeral: false,
            config,
            same: same.to_vec(),
        });
        self
    }

    /// The same for an ephemeral resource.
    pub(crate) fn opened_by(
        mut self,
        type_name: &'static str,
        config: Json,
        same: &[&'static str],
    ) -> Self {
        self.readings.push(Reading {
            type_name,
            ephemeral: true,
            config,
            same: same.to_vec(),
        });
        self
    }

    /// The import id, where it is not the object's id.
    pub(crate) fn import(mut self, id: &'static str) -> Self {
        self.import = Some(id);
        self
    }

    /// It is not imported in this case: another does.
    pub(crate) fn not_imported(mut self) -> Self {
        self.import = None;
        self
    }

    /// Attributes that only the configuration knows, so that an import leaves them out.
    pub(crate) fn import_leaves(mut self, names: &[&'static str]) -> Self {
        self.import_leaves.extend(names);
        self
    }

    /// Attributes that AWS writes in another way than they are configured; the state has AWS's, as hashicorp/aws's has.
    pub(crate) fn settles(mut self, names: &[&'static str]) -> Self {
        self.settles.extend(names);
        self
    }

    /// An argument (`block.argument` within blocks) that is not tried here, and why.
    pub(crate) fn untried(mut self, argument: &'static str, why: &'static str) -> Self {
        self.untried.push((argument, why));
        self
    }

    /// It can still be read when it was destroyed, and why.
    pub(crate) fn remains(mut self, why: &'static str) -> Self {
        self.remains = Some(why);
        self
    }

    /// How it is called in reports.
    pub(crate) fn title(&self) -> String {
        if self.variant.is_empty() {
            self.type_name.to_owned()
        } else {
            format!("{} ({})", self.type_name, self.variant)
        }
    }
}
