//! `conformance_slow`.

use std::time::Duration;

use terrace_provider_sdk::{
    Attribute, Block, Call, Diagnostic, Object, Outcome, Resource, Schema, async_trait,
};

use crate::client::Client;
use crate::plain::with_id;

pub(crate) struct Slow;

#[async_trait]
impl Resource for Slow {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_slow".into()
    }

    fn schema(&self) -> Schema {
        let timeouts = Schema::new()
            .attribute("create", Attribute::string().optional())
            .attribute("update", Attribute::string().optional());
        with_id()
            .attribute("duration", Attribute::number().required())
            .block("timeouts", Block::single(timeouts))
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        work(call, &planned, "create", "Creation").await?;
        planned.set("id", "slow");
        Ok(planned)
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        _prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        work(call, &planned, "update", "The change").await?;
        Ok(planned)
    }
}

async fn work(call: &Call<Client>, planned: &Object, timeout: &str, what: &str) -> Outcome<()> {
    let milliseconds = u64::try_from(planned.whole("duration").unwrap_or(0)).unwrap_or(0);
    let duration = Duration::from_millis(milliseconds);
    let timeouts = Object::of(planned.value("timeouts")).unwrap_or_default();
    let limit = timeouts.text(timeout).unwrap_or("1m0s");
    let patience = parse(limit).unwrap_or(Duration::from_mins(1));
    tokio::select! {
        () = tokio::time::sleep(duration.min(patience)) => {}
        () = call.stop.wanted() => {
            return Err(Diagnostic::error("Stopped", format!("{what} was stopped.")).into());
        }
    }
    if duration > patience {
        let detail = format!("{what} took longer than {limit}.");
        return Err(Diagnostic::error("Timeout", detail).into());
    }
    Ok(())
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_mins(number)),
        _ => None,
    }
}
