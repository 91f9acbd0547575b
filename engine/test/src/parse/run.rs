//! `run` blocks.

use terrace_addr::{AbsResourceInstance, Target};
use terrace_config::{CheckRule, references};
use terrace_plan::PlanMode;
use terrace_syntax::{Block, BodySchema, Content, Expr, ObjectKey};

use super::{Reader, is_identifier, schema};
use crate::reference;
use crate::suite::{Expected, ModuleUnderTest, PlanSettings, ProviderPassed, RunBlock, RunCommand};

impl Reader<'_> {
    pub(super) fn run(&mut self, block: &Block) -> Option<RunBlock> {
        let label = block.labels.first()?;
        if !is_identifier(&label.text) {
            self.problem(
                "invalid-name",
                "Invalid run block name",
                "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.",
                label.span,
            );
        }
        let schema = schema(
            &[
                "command",
                "providers",
                "expect_failures",
                "state_key",
                "parallel",
            ],
            &[
                ("plan_options", &[]),
                ("assert", &[]),
                ("variables", &[]),
                ("module", &[]),
                ("override_resource", &[]),
                ("override_data", &[]),
                ("override_module", &[]),
            ],
        );
        let content = self.content(&block.body, &schema);
        let command = match self.is_plan(&content, "command", "invalid-run-command") {
            Some(true) => RunCommand::Plan,
            _ => RunCommand::Apply,
        };
        let mut run = RunBlock {
            name: label.text.clone(),
            command,
            plan: PlanSettings::default(),
            variables: Vec::new(),
            providers: self.passed(&content),
            module: None,
            assertions: Vec::new(),
            expected: self.expected(&content),
            overrides: Vec::new(),
            state_key: self.text(&content, "state_key").map(|(key, _)| key),
            parallel: self.flag(&content, "parallel"),
            span: block.header_span,
        };
        for inner in &content.blocks {
            match &*inner.type_name.name {
                "plan_options" => run.plan = self.plan_options(inner),
                "assert" => run.assertions.extend(self.assertion(inner)),
                "variables" => run.variables.extend(self.variables(&inner.body)),
                "module" => run.module = self.module(inner),
                _ => run.overrides.extend(self.overriding(inner)),
            }
        }
        self.check_overrides(&run.overrides);
        Some(run)
    }

    fn passed(&mut self, content: &Content) -> Vec<ProviderPassed> {
        let Some(attribute) = content.attributes.get("providers") else {
            return Vec::new();
        };
        let Some(items) = attribute.value.as_map() else {
            self.problem(
                "invalid-provider-reference",
                "Invalid providers",
                "The argument \"providers\" must be a map from the module's providers to those of this file, such as { aws = aws.fake }.",
                attribute.value.span,
            );
            return Vec::new();
        };
        let mut passed = Vec::new();
        for item in items {
            let inner = match &item.key {
                ObjectKey::Name(ident) => Ok(terrace_addr::LocalProviderConfig {
                    local_name: ident.name.clone(),
                    alias: None,
                }),
                ObjectKey::Expr(key) => reference::provider(key),
            };
            let inner = self.keep(inner);
            let outer = self.keep(reference::provider(&item.value));
            if let (Some(inner), Some(outer)) = (inner, outer) {
                passed.push(ProviderPassed {
                    inner,
                    outer,
                    span: item.value.span,
                });
            }
        }
        passed
    }

    /// The items of an argument that must be a list.
    fn items<'c>(&mut self, content: &'c Content, name: &str) -> &'c [Expr] {
        let Some(attribute) = content.attributes.get(name) else {
            return &[];
        };
        if let Some(items) = attribute.value.as_list() {
            return items;
        }
        let detail = format!("The argument {name:?} must be a list of references.");
        self.problem(
            "invalid-address",
            "Invalid expression",
            detail,
            attribute.value.span,
        );
        &[]
    }

    fn expected(&mut self, content: &Content) -> Vec<Expected> {
        let items = self.items(content, "expect_failures");
        let mut expected = Vec::new();
        for item in items {
            expected.extend(self.keep(reference::expected(item)));
        }
        expected
    }

    fn plan_options(&mut self, block: &Block) -> PlanSettings {
        let names = ["mode", "refresh", "replace", "target"];
        let content = self.content(&block.body, &BodySchema::of(&names, &[]));
        let mut settings = PlanSettings::default();
        if let Some(mode) = content.attributes.get("mode") {
            match mode.value.as_keyword().as_deref() {
                Some("normal") => {}
                Some("refresh-only") => settings.mode = PlanMode::RefreshOnly,
                _ => self.problem(
                    "invalid-plan-mode",
                    "Invalid \"mode\" keyword",
                    "The \"mode\" argument requires one of the following keywords without quotes: normal or refresh-only.",
                    mode.value.span,
                ),
            }
        }
        if let Some(refresh) = self.flag(&content, "refresh") {
            settings.refresh = refresh;
        }
        if !settings.refresh && settings.mode == PlanMode::RefreshOnly {
            self.problem(
                "incompatible-options",
                "Incompatible plan options",
                "The \"refresh\" option cannot be set to false when running a test in \"refresh-only\" mode.",
                block.header_span,
            );
        }
        for item in self.items(&content, "replace") {
            let found: Option<AbsResourceInstance> =
                self.keep(reference::address(item, "replace address"));
            settings.replace.extend(found);
        }
        for item in self.items(&content, "target") {
            let found: Option<Target> = self.keep(reference::address(item, "target address"));
            settings.targets.extend(found);
        }
        settings
    }

    fn assertion(&mut self, block: &Block) -> Option<CheckRule> {
        let mut schema = BodySchema::of(&["condition", "error_message"], &[]);
        for attribute in &mut schema.attributes {
            attribute.required = true;
        }
        let content = self.content(&block.body, &schema);
        let condition = content.attributes.get("condition")?.value.clone();
        let error_message = content.attributes.get("error_message")?.value.clone();
        if references(&condition).is_empty() {
            self.problem(
                "constant-condition",
                "Invalid assert expression",
                "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
                condition.span,
            );
            return None;
        }
        Some(CheckRule {
            condition,
            error_message,
            span: block.header_span,
        })
    }

    fn module(&mut self, block: &Block) -> Option<ModuleUnderTest> {
        let mut schema = BodySchema::of(&["source", "version"], &[]);
        schema.attributes[0].required = true;
        let content = self.content(&block.body, &schema);
        let version = self.text(&content, "version");
        let (source, span) = self.text(&content, "source")?;
        Some(ModuleUnderTest {
            source: source.into(),
            version: version.map(|(version, _)| version.into()),
            span,
        })
    }
}
