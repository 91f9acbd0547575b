//! `aws_s3_bucket_website_configuration`.

use async_trait::async_trait;
use aws_sdk_s3::operation::get_bucket_website::GetBucketWebsiteOutput;
use aws_sdk_s3::types::{
    Condition, ErrorDocument, IndexDocument, Protocol, Redirect, RedirectAllRequestsTo,
    RoutingRule, WebsiteConfiguration,
};
use serde_json::{Map, Value as Json};
use terrace_provider_sdk::{
    Diagnostic, Diagnostics, Object, Outcome, Path, Plan, Schema, Type, Value, attribute, validate,
};

use super::place::{Bucket, website_domain};
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, one, text};
use crate::client::Client;
use crate::shape::Behaviour as _;

const GONE: &str = "NoSuchWebsiteConfiguration";

#[derive(Default)]
pub(crate) struct Website;

#[async_trait]
impl Setting for Website {
    const NAME: &'static str = "aws_s3_bucket_website_configuration";
    const WHAT: &'static str = "S3 Bucket Website Configuration";

    fn behave(shape: Schema) -> Schema {
        let protocol = || validate::one_of(["http", "https"]);
        shape
            .fills_in(&["routing_rule"])
            .within("redirect_all_requests_to", |redirect| {
                redirect.change("protocol", |text| text.validate(protocol()))
            })
            .within("routing_rule", |rule| {
                rule.within("redirect", |redirect| {
                    redirect.change("protocol", |text| text.validate(protocol()))
                })
            })
    }

    fn validate(config: &Object, diagnostics: &mut Diagnostics) {
        let has = |name: &str| !config.items(name).is_empty() || config.text(name).is_some();
        let known = |name: &str| config.is_known(name);
        let documents = ["index_document", "redirect_all_requests_to"];
        let count = documents.into_iter().filter(|name| has(name)).count();
        if count != 1 && documents.into_iter().all(known) {
            diagnostics.error_at(
                Path::root(),
                "Invalid combination of arguments",
                "A website either has an index_document or redirects everything by redirect_all_requests_to: one of the two blocks must be there, and not both.",
            );
        }
        let pairs = [
            ("redirect_all_requests_to", "error_document"),
            ("redirect_all_requests_to", "routing_rule"),
            ("redirect_all_requests_to", "routing_rules"),
            ("routing_rule", "routing_rules"),
        ];
        for (one, other) in pairs {
            if has(one) && has(other) {
                diagnostics.error_at(
                    attribute(other),
                    "Invalid combination of arguments",
                    format!("{other} has no use beside {one}: leave one of them out."),
                );
            }
        }
        if let Some(rules) = config.text("routing_rules")
            && let Err(problem) = rules_of_json(rules)
        {
            diagnostics.push(problem);
        }
    }

    /// One of the two ways in which rules are written follows the other.
    fn plan(plan: &mut Plan<Client>) {
        let as_json = plan
            .config
            .as_ref()
            .is_some_and(|config| config.is_set("routing_rules"));
        let blocks_change = plan.changes("routing_rule");
        let json_changes = plan.changes("routing_rules");
        let block_type = plan
            .prior
            .as_ref()
            .map(|prior| prior.value("routing_rule").ty());
        let Some(planned) = &mut plan.planned else {
            return;
        };
        if !as_json && blocks_change {
            planned.forget("routing_rules", Type::String);
        } else if as_json
            && json_changes
            && let Some(ty) = block_type
        {
            planned.forget("routing_rule", ty);
        }
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let rules = match bucket.context.config.text("routing_rules") {
            Some(json) if !json.is_empty() => rules_of_json(json)?,
            _ => all(planned, "routing_rule").iter().map(rule).collect(),
        };
        let everything = one(planned, "redirect_all_requests_to").map(|redirect| {
            RedirectAllRequestsTo::builder()
                .host_name(given(&redirect, "host_name").unwrap_or_default())
                .set_protocol(protocol(&redirect))
                .build()
                .expect("a redirect with a host is complete")
        });
        let error = one(planned, "error_document").map(|document| {
            ErrorDocument::builder()
                .key(given(&document, "key").unwrap_or_default())
                .build()
                .expect("a document with a key is complete")
        });
        let index = one(planned, "index_document").map(|document| {
            IndexDocument::builder()
                .suffix(given(&document, "suffix").unwrap_or_default())
                .build()
                .expect("a document with a suffix is complete")
        });
        let settings = WebsiteConfiguration::builder()
            .set_redirect_all_requests_to(everything)
            .set_error_document(error)
            .set_index_document(index)
            .set_routing_rules((!rules.is_empty()).then_some(rules))
            .build();
        bucket
            .change(doing, "s3:PutBucketWebsite", || {
                bucket
                    .s3
                    .put_bucket_website()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .website_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_website()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let Some(told) = bucket.look("s3:GetBucketWebsite", &[GONE], call).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        let index = told.index_document.as_ref();
        object.set(
            "index_document",
            blocks(index.map(|index| block([("suffix", text(Some(&index.suffix)))]))),
        );
        let error = told.error_document.as_ref();
        object.set(
            "error_document",
            blocks(error.map(|error| block([("key", text(Some(&error.key)))]))),
        );
        let everything = told.redirect_all_requests_to.as_ref();
        let everything = everything.map(|redirect| {
            let protocol = redirect.protocol.as_ref().map(Protocol::as_str);
            block([
                ("host_name", text(Some(&redirect.host_name))),
                ("protocol", text(protocol)),
            ])
        });
        object.set("redirect_all_requests_to", blocks(everything));
        object.set(
            "routing_rule",
            blocks(told.routing_rules().iter().map(told_rule)),
        );
        object.set("routing_rules", json_of_rules(told.routing_rules()));
        let domain = website_domain(&bucket.context.region);
        object.set("website_endpoint", format!("{}.{domain}", bucket.name));
        object.set("website_domain", domain);
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .delete_bucket_website()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        bucket.end("s3:DeleteBucketWebsite", &[GONE], call).await
    }
}

fn protocol(object: &Object) -> Option<Protocol> {
    given(object, "protocol").map(|protocol| Protocol::from(protocol.as_str()))
}

fn rule(rule: &Object) -> RoutingRule {
    let condition = one(rule, "condition").map(|condition| {
        Condition::builder()
            .set_http_error_code_returned_equals(given(
                &condition,
                "http_error_code_returned_equals",
            ))
            .set_key_prefix_equals(given(&condition, "key_prefix_equals"))
            .build()
    });
    let redirect = one(rule, "redirect").map(|redirect| {
        Redirect::builder()
            .set_host_name(given(&redirect, "host_name"))
            .set_http_redirect_code(given(&redirect, "http_redirect_code"))
            .set_protocol(protocol(&redirect))
            .set_replace_key_prefix_with(given(&redirect, "replace_key_prefix_with"))
            .set_replace_key_with(given(&redirect, "replace_key_with"))
            .build()
    });
    RoutingRule::builder()
        .set_condition(condition)
        .set_redirect(redirect)
        .build()
}

fn told_rule(rule: &RoutingRule) -> Value {
    let condition = rule.condition.as_ref().map(|condition| {
        block([
            (
                "http_error_code_returned_equals",
                text(condition.http_error_code_returned_equals.as_deref()),
            ),
            (
                "key_prefix_equals",
                text(condition.key_prefix_equals.as_deref()),
            ),
        ])
    });
    let redirect = rule.redirect.as_ref().map(|redirect| {
        block([
            ("host_name", text(redirect.host_name.as_deref())),
            (
                "http_redirect_code",
                text(redirect.http_redirect_code.as_deref()),
            ),
            (
                "protocol",
                text(redirect.protocol.as_ref().map(Protocol::as_str)),
            ),
            (
                "replace_key_prefix_with",
                text(redirect.replace_key_prefix_with.as_deref()),
            ),
            (
                "replace_key_with",
                text(redirect.replace_key_with.as_deref()),
            ),
        ])
    });
    block([
        ("condition", blocks(condition)),
        ("redirect", blocks(redirect)),
    ])
}

/// Rules as `routing_rules` has them: the names of S3's API in JSON.
fn rules_of_json(json: &str) -> Result<Vec<RoutingRule>, Diagnostic> {
    let refused = |why: &str| {
        Diagnostic::error(
            "Invalid routing rules",
            format!("routing_rules must be a list of rules in JSON, each with a Redirect and perhaps a Condition as S3's API calls them: {why}."),
        )
        .at(attribute("routing_rules"))
    };
    let rules: Vec<Json> =
        serde_json::from_str(json).map_err(|error| refused(&error.to_string()))?;
    let part =
        |rule: &Json, part: &str, name: &str| Some(rule.get(part)?.get(name)?.as_str()?.to_owned());
    rules
        .iter()
        .map(|rule| {
            if !rule.get("Redirect").is_some_and(Json::is_object) {
                return Err(refused("a rule has no Redirect"));
            }
            let redirect = |name: &str| part(rule, "Redirect", name);
            let condition = |name: &str| part(rule, "Condition", name);
            let conditions = rule.get("Condition").is_some_and(Json::is_object).then(|| {
                Condition::builder()
                    .set_http_error_code_returned_equals(condition("HttpErrorCodeReturnedEquals"))
                    .set_key_prefix_equals(condition("KeyPrefixEquals"))
                    .build()
            });
            let redirect = Redirect::builder()
                .set_host_name(redirect("HostName"))
                .set_http_redirect_code(redirect("HttpRedirectCode"))
                .set_protocol(redirect("Protocol").map(|text| Protocol::from(text.as_str())))
                .set_replace_key_prefix_with(redirect("ReplaceKeyPrefixWith"))
                .set_replace_key_with(redirect("ReplaceKeyWith"))
                .build();
            Ok(RoutingRule::builder()
                .set_condition(conditions)
                .redirect(redirect)
                .build())
        })
        .collect()
}

fn json_of_rules(rules: &[RoutingRule]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let parts = |parts: &[(&str, Option<&str>)]| {
        let parts: Map<String, Json> = parts
            .iter()
            .filter_map(|(name, text)| Some(((*name).to_owned(), Json::from((*text)?))))
            .collect();
        Json::Object(parts)
    };
    let rules = rules.iter().map(|rule| {
        let mut written = Map::new();
        if let Some(condition) = &rule.condition {
            let condition = parts(&[
                (
                    "HttpErrorCodeReturnedEquals",
                    condition.http_error_code_returned_equals.as_deref(),
                ),
                ("KeyPrefixEquals", condition.key_prefix_equals.as_deref()),
            ]);
            written.insert("Condition".into(), condition);
        }
        if let Some(redirect) = &rule.redirect {
            let redirect = parts(&[
                ("HostName", redirect.host_name.as_deref()),
                ("HttpRedirectCode", redirect.http_redirect_code.as_deref()),
                ("Protocol", redirect.protocol.as_ref().map(Protocol::as_str)),
                (
                    "ReplaceKeyPrefixWith",
                    redirect.replace_key_prefix_with.as_deref(),
                ),
                ("ReplaceKeyWith", redirect.replace_key_with.as_deref()),
            ]);
            written.insert("Redirect".into(), redirect);
        }
        Json::Object(written)
    });
    Json::Array(rules.collect()).to_string()
}

/// A website as `aws_s3_bucket` shows it.
pub(super) fn old_website(told: &GetBucketWebsiteOutput) -> Value {
    let everything = told.redirect_all_requests_to.as_ref().map(|redirect| {
        let protocol = redirect.protocol.as_ref();
        let protocol = protocol.map(|protocol| format!("{}://", protocol.as_str()));
        format!("{}{}", protocol.unwrap_or_default(), redirect.host_name)
    });
    let index = told.index_document.as_ref();
    let error = told.error_document.as_ref();
    block([
        (
            "index_document",
            text(index.map(|index| index.suffix.as_str())),
        ),
        (
            "error_document",
            text(error.map(|error| error.key.as_str())),
        ),
        ("redirect_all_requests_to", text(everything.as_deref())),
        (
            "routing_rules",
            text(Some(&json_of_rules(told.routing_rules()))),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_in_json_are_those_in_blocks() {
        let json = r#"[{"Condition":{"KeyPrefixEquals":"a/"},"Redirect":{"Protocol":"https","ReplaceKeyPrefixWith":"b/"}}]"#;
        let rules = rules_of_json(json).unwrap();
        assert_eq!(json_of_rules(&rules), json);
        assert!(rules_of_json("[{}]").is_err());
        assert!(rules_of_json("{}").is_err());
    }
}
