//! `conformance_faulty`: goes wrong when asked.

use terrace_provider_sdk::{
    Attribute, Call, Diagnostic, Diagnostics, Object, Outcome, Plan, Resource, Schema, Type, Value,
    async_trait, attribute,
};

use crate::client::Client;
use crate::plain::with_id;

pub(crate) struct Faulty;

#[async_trait]
impl Resource for Faulty {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_faulty".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .attribute("mode", Attribute::string().required())
            .attribute("items", Attribute::list(Type::String).optional())
            .attribute("labels", Attribute::map(Type::String).optional())
            .attribute("value", Attribute::string().optional().computed().keep())
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        match config.text("mode") {
            Some("validate-error") => diagnostics.error_at(
                attribute("items").index(Value::int(1)),
                "Invalid item",
                "Item 1 is not welcome.",
            ),
            Some("validate-warning") => diagnostics.warning_at(
                attribute("labels").index(Value::string("odd")),
                "Odd label",
                "The label is odd.",
            ),
            _ => {}
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let creates = plan.creates();
        let Some(planned) = &mut plan.planned else {
            return Ok(());
        };
        let mode = planned.text("mode").unwrap_or_default().to_owned();
        match mode.as_str() {
            "plan-error" => plan.diagnostics.error_at(
                attribute("mode"),
                "Cannot plan",
                "Planning was asked to fail.",
            ),
            "plan-warning" => plan.diagnostics.warning_at(
                attribute("mode"),
                "Doubtful plan",
                "Planning was asked to warn.",
            ),
            "crash-plan" if creates => crash(),
            "inconsistent" if creates => planned.set("value", "planned"),
            "invalid-plan" => planned.set("items", None::<Vec<String>>),
            _ => {}
        }
        Ok(())
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        let mode = planned.text("mode").unwrap_or_default().to_owned();
        let failed =
            |detail: &str| Diagnostic::error("Cannot create", detail).at(attribute("value"));
        planned.set("id", "faulty");
        match mode.as_str() {
            "create-error" => return Err(failed("Creation was asked to fail.").into()),
            "create-partly" => {
                planned.set("value", "half");
                call.keep(planned);
                return Err(failed("Creation was asked to fail halfway.").into());
            }
            "create-warning" => call
                .diagnostics
                .warning("Doubtful creation", "Creation was asked to warn."),
            "crash" => crash(),
            "inconsistent" => planned.set("value", "other"),
            "unknown" => {
                planned.forget("value", Type::String);
                return Ok(planned);
            }
            _ => {}
        }
        complete(&mut planned);
        Ok(planned)
    }

    async fn read(&self, _call: &mut Call<Client>, state: Object) -> Outcome<Option<Object>> {
        if state.text("mode") == Some("read-error") {
            return Err(Diagnostic::error("Cannot read", "Reading was asked to fail.").into());
        }
        Ok(Some(state))
    }

    async fn update(
        &self,
        _call: &mut Call<Client>,
        _prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        if planned.text("mode") == Some("update-error") {
            return Err(Diagnostic::error("Cannot update", "The change was asked to fail.").into());
        }
        complete(&mut planned);
        Ok(planned)
    }

    async fn delete(&self, _call: &mut Call<Client>, state: Object) -> Outcome<()> {
        if state.text("mode") == Some("delete-error") {
            return Err(Diagnostic::error("Cannot delete", "Deletion was asked to fail.").into());
        }
        Ok(())
    }
}

fn complete(object: &mut Object) {
    if !object.is_known("value") || !object.is_set("value") {
        object.set("value", "value");
    }
}

/// How long a host has to read what was said before the process ends.
///
/// Terraform reads standard error beside its work, and passes over what it has not read when a call fails.
const TO_BE_READ: std::time::Duration = std::time::Duration::from_secs(2);

/// Ends the process.
#[expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "it was asked to crash, and to say so"
)]
fn crash() -> ! {
    eprintln!("panic: conformance: crashing as asked");
    std::thread::sleep(TO_BE_READ);
    std::process::exit(2)
}
