//! `aws_ssm_parameter`.

use async_trait::async_trait;
use aws_sdk_ssm::types::{
    Parameter as Told, ParameterTier, ParameterType, ResourceTypeForTagging, Tag,
};
use terrace_provider_sdk::{
    Attribute, Diagnostics, Object, Outcome, Path, Plan, Schema, Type, Value, attribute, validate,
};

use crate::client::Client;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

/// What SSM says of a parameter that is not there.
const GONE: [&str; 2] = ["ParameterNotFound", "ParameterVersionNotFound"];

/// The three arguments of which one gives the value.
const VALUES: [&str; 3] = ["value", "insecure_value", "value_wo"];

#[derive(Default)]
pub(crate) struct Parameter;

#[async_trait]
impl Kind for Parameter {
    const NAME: &'static str = "aws_ssm_parameter";
    const WHAT: &'static str = "SSM Parameter";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let size = |attribute: Attribute, most| attribute.validate(validate::length(0..=most));
        shape
            .replaces(&["name"])
            .change("name", |name| name.validate(validate::length(1..=2048)))
            .change("description", |text| size(text, 1024))
            .change("allowed_pattern", |text| size(text, 1024))
            .change("type", |ty| {
                ty.validate(validate::one_of(["String", "StringList", "SecureString"]))
            })
            .change("tier", |tier| {
                tier.validate(validate::one_of([
                    "Standard",
                    "Advanced",
                    "Intelligent-Tiering",
                ]))
            })
            .change("data_type", |ty| {
                ty.validate(validate::one_of([
                    "aws:ec2:image",
                    "aws:ssm:integration",
                    "text",
                ]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        let set: Vec<&str> = VALUES
            .into_iter()
            .filter(|name| config.is_set(name))
            .collect();
        if set.len() != 1 {
            let detail = match set.as_slice() {
                [] => {
                    "One of value, value_wo and insecure_value must say what the parameter holds."
                        .to_owned()
                }
                several => format!(
                    "Only one of value, value_wo and insecure_value may be set; set are {}.",
                    several.join(" and ")
                ),
            };
            diagnostics.error_at(Path::root(), "Invalid combination of arguments", detail);
        }
        if config.is_set("insecure_value") && config.text("type") == Some("SecureString") {
            diagnostics.error_at(
                attribute("insecure_value"),
                "A secret where everybody can read it",
                "insecure_value shows in plans and states, and a parameter of type SecureString is a secret: use value, or value_wo, which no state holds.",
            );
        }
        if config.is_set("value_wo") && !config.is_set("value_wo_version") {
            diagnostics.error_at(
                attribute("value_wo_version"),
                "Missing required argument",
                "value_wo is not stored, so nobody can see whether it changed: set value_wo_version, and raise it with each new value.",
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let changed = VALUES
            .iter()
            .chain(&[
                "type",
                "description",
                "value_wo_version",
                "data_type",
                "tier",
                "allowed_pattern",
                "key_id",
            ])
            .any(|name| plan.changes(name));
        let (Some(prior), Some(config)) = (&plan.prior, &plan.config) else {
            return Ok(());
        };
        let write_only = config.is_set("value_wo");
        let (config, lowers) = (config.clone(), prior.text("tier") == Some("Advanced"));
        let Some(planned) = &mut plan.planned else {
            return Ok(());
        };
        if changed {
            planned.forget("version", Type::Number);
        }
        // One of the two follows the other.
        if config.is_set("value") && planned.value("insecure_value") != &Value::null(Type::String) {
            planned.set("insecure_value", Value::null(Type::String));
        }
        if config.is_set("insecure_value") {
            planned.set("value", planned.value("insecure_value").clone());
        }
        if write_only {
            planned.set("value", Value::null(Type::String));
            planned.set("insecure_value", Value::null(Type::String));
        }
        let to_standard = planned.text("tier") == Some("Standard");
        if lowers && to_standard {
            plan.replace_for("tier");
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        put(context, planned, false).await?;
        let name = planned.text("name").unwrap_or_default();
        context.made(name);
        let tags = tags::planned(planned);
        if !tags.is_empty() {
            tag(
                context,
                name,
                &TagChange {
                    set: tags,
                    gone: Vec::new(),
                },
            )
            .await?;
        }
        Ok(name.to_owned())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = fetch(context, name, true, &subject).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        let secret = told.r#type == Some(ParameterType::SecureString);
        let value = told.value.clone();
        let null = || Value::null(Type::String);
        let write_only =
            state.flag("has_value_wo").unwrap_or(false) || context.config.is_set("value_wo");
        if write_only {
            object.set("value", null());
            object.set("insecure_value", null());
        } else if !secret && state.is_set("insecure_value") {
            object.set("insecure_value", value.clone());
            object.set("value", value);
        } else {
            object.set("value", value);
            object.set("insecure_value", null());
        }
        object.set("has_value_wo", write_only);
        facts(&mut object, &told);
        describe(context, name, &subject, &mut object).await?;
        object.set("tags_all", tags_of(context, name, &subject).await?);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let settings = [
            "value",
            "insecure_value",
            "value_wo_version",
            "type",
            "description",
            "tier",
            "key_id",
            "data_type",
            "allowed_pattern",
        ];
        if change.of(&settings) {
            put(context, change.planned, true).await?;
        }
        match change.tags() {
            Some(tags) => tag(context, change.id(), &tags).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        context
            .client
            .ssm(&context.region)
            .delete_parameter()
            .name(name)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(name),
                "ssm:DeleteParameter",
            )?;
        Ok(())
    }
}

/// Writes a parameter; over the one that is there only where that is wanted.
async fn put(context: &Context, planned: &Object, over: bool) -> Outcome<()> {
    let name = planned.text("name").unwrap_or_default();
    let text = |key: &str| {
        planned
            .text(key)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let value = context
        .config
        .text("value_wo")
        .or_else(|| context.config.text("insecure_value"))
        .or_else(|| planned.text("value"))
        .unwrap_or_default();
    let secret = planned.text("type") == Some("SecureString");
    let overwrite = over || planned.flag("overwrite").unwrap_or(false);
    context
        .client
        .ssm(&context.region)
        .put_parameter()
        .name(name)
        .value(value)
        .set_type(text("type").map(|ty| ParameterType::from(ty.as_str())))
        .set_description(if over {
            planned.text("description").map(str::to_owned)
        } else {
            text("description")
        })
        .set_tier(text("tier").map(|tier| ParameterTier::from(tier.as_str())))
        .set_key_id(text("key_id").filter(|_| secret))
        .set_data_type(text("data_type"))
        .set_allowed_pattern(if over {
            planned.text("allowed_pattern").map(str::to_owned)
        } else {
            text("allowed_pattern")
        })
        // commit: no state, but a parameter of SSM
        .overwrite(overwrite)
        .send()
        .await
        .when(
            if over { "updating" } else { "creating" },
            &Parameter::subject(name),
            "ssm:PutParameter",
        )?;
    Ok(())
}

/// A parameter with its value; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    name: &str,
    decrypted: bool,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    let answer = context
        .client
        .ssm(&context.region)
        .get_parameter()
        .name(name)
        .with_decryption(decrypted)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "ssm:GetParameter")?;
    Ok(answer.and_then(|answer| answer.parameter))
}

/// What resource and data source both say of a parameter.
pub(super) fn facts(object: &mut Object, told: &Told) {
    object.set("name", told.name.clone());
    object.set("arn", told.arn.clone());
    object.set(
        "type",
        told.r#type.as_ref().map(|ty| ty.as_str().to_owned()),
    );
    object.set("version", told.version);
}

/// What only the description of a parameter says.
async fn describe(
    context: &Context,
    name: &str,
    subject: &Subject,
    object: &mut Object,
) -> Outcome<()> {
    let filter = aws_sdk_ssm::types::ParameterStringFilter::builder()
        .key("Name")
        .option("Equals")
        .values(name)
        .build()
        .expect("a filter with a key is complete");
    let answer = context
        .client
        .ssm(&context.region)
        .describe_parameters()
        .parameter_filters(filter)
        .send()
        .await
        .when("reading", subject, "ssm:DescribeParameters")?;
    let Some(found) = answer.parameters().first() else {
        return Ok(());
    };
    object.set("description", found.description.clone().unwrap_or_default());
    object.set(
        "allowed_pattern",
        found.allowed_pattern.clone().unwrap_or_default(),
    );
    object.set("key_id", found.key_id.clone().unwrap_or_default());
    object.set(
        "tier",
        found.tier.as_ref().map_or("Standard", |tier| tier.as_str()),
    );
    object.set(
        "data_type",
        found.data_type.clone().unwrap_or_else(|| "text".into()),
    );
    Ok(())
}

async fn tags_of(context: &Context, name: &str, subject: &Subject) -> Outcome<Tags> {
    let answer = context
        .client
        .ssm(&context.region)
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name)
        .send()
        .await
        .when("reading the tags of", subject, "ssm:ListTagsForResource")?;
    let tags = answer.tag_list.unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

async fn tag(context: &Context, name: &str, change: &TagChange) -> Outcome<()> {
    let (ssm, subject) = (
        context.client.ssm(&context.region),
        Parameter::subject(name),
    );
    if !change.gone.is_empty() {
        ssm.remove_tags_from_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", &subject, "ssm:RemoveTagsFromResource")?;
    }
    if !change.set.is_empty() {
        let tags = change.set.iter().map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .expect("a tag with key and value is complete")
        });
        ssm.add_tags_to_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name)
            .set_tags(Some(tags.collect()))
            .send()
            .await
            .when("tagging", &subject, "ssm:AddTagsToResource")?;
    }
    Ok(())
}
