//! Parameters that are only read: the data source and the ephemeral resource `aws_ssm_parameter`.

use async_trait::async_trait;
use terrace_provider_sdk::{Call, Diagnostic, EphemeralResource, Object, Opened, Outcome, Schema};

use super::parameter::{facts, fetch};
use crate::client::Client;
use crate::failure::Subject;
use crate::kind::{Context, Source};
use crate::shape;

#[derive(Default)]
pub(crate) struct ParameterData;

#[async_trait]
impl Source for ParameterData {
    const NAME: &'static str = "aws_ssm_parameter";
    const WHAT: &'static str = "SSM Parameter";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let decrypted = config.flag("with_decryption").unwrap_or(true);
        let subject = Self::subject(name);
        let told = fetch(context, name, decrypted, &subject)
            .await?
            .ok_or_else(|| missing(&subject, &context.region))?;
        let mut object = Object::new();
        facts(&mut object, &told);
        object.set("id", name);
        object.set("value", told.value.clone());
        object.set("with_decryption", decrypted);
        let public = told
            .r#type
            .as_ref()
            .map(aws_sdk_ssm::types::ParameterType::as_str)
            != Some("SecureString");
        object.set("insecure_value", told.value.filter(|_| public));
        Ok(object)
    }
}

fn missing(subject: &Subject, region: &str) -> Diagnostic {
    Diagnostic::error(
        "SSM Parameter not found",
        format!(
            "{subject} is not in {region}. Look at its name (a path begins with /), the region and the account that this run signs in to."
        ),
    )
}

/// A parameter that is read for the run alone: neither plan nor state holds it.
pub(crate) struct EphemeralParameter;

#[async_trait]
impl EphemeralResource for EphemeralParameter {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "aws_ssm_parameter".into()
    }

    fn schema(&self) -> Schema {
        shape::ephemeral("aws_ssm_parameter")
    }

    async fn open(&self, call: &mut Call<Client>, config: Object) -> Outcome<Opened<Object>> {
        let context = Context::of(call, &config);
        let arn = config.text("arn").unwrap_or_default();
        let decrypted = config.flag("with_decryption").unwrap_or(true);
        let subject = Subject::new("SSM Parameter", arn);
        let told = fetch(&context, arn, decrypted, &subject)
            .await?
            .ok_or_else(|| missing(&subject, &context.region))?;
        let mut object = config.clone();
        facts(&mut object, &told);
        object.set("value", told.value.clone());
        object.set("with_decryption", decrypted);
        object.set("region", context.region.clone());
        Ok(Opened::lasting(object))
    }
}
