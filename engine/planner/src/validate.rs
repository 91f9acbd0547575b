//! Checking a configuration without a state.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use terrace_addr::{ProviderAddr, ResourceMode};
use terrace_config::{Config, ForEachOrCount, ResourceConfig};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, NoValues, RepetitionData, Scope};
use terrace_port::{Provider, ProviderDiagnostic};
use terrace_schema::Block;

use crate::instance::verify::{Written, remark_of};
use crate::{ProviderSource, moves};

/// A configuration to check.
#[derive(Clone)]
pub struct ValidateRequest<'a> {
    /// The configuration; it must know the schemas of all providers that it uses.
    pub evaluator: Arc<Evaluator>,
    /// Where providers come from; they are not configured.
    pub providers: &'a dyn ProviderSource,
    /// How many provider calls run at once; at least 1.
    pub parallelism: usize,
}

/// Checks all that can be checked without a state and without values: references, types, bodies against schemas, and
/// what providers say of them.
pub async fn validate(request: ValidateRequest<'_>) -> Diagnostics {
    let evaluator = &request.evaluator;
    let config = Arc::clone(evaluator.config());
    let mut diagnostics = terrace_config::check(&config);
    diagnostics.append(evaluator.config_graph().1);
    diagnostics.append(moves::validate_static(&config));
    let unsound = diagnostics.has_errors();
    // What is wrong with one block keeps nobody from being asked about the others.
    diagnostics.append(evaluator.validate());
    if unsound {
        return diagnostics;
    }
    let mut opened: BTreeMap<ProviderAddr, Arc<dyn Provider>> = BTreeMap::new();
    let mut questions = Vec::new();
    for node in config.root.walk() {
        for block in node.module.resources.values() {
            let Some(question) = question(evaluator, &config, &node.path, block) else {
                continue;
            };
            if !opened.contains_key(&block.provider) {
                match request.providers.open(&block.provider).await {
                    Ok(provider) => {
                        opened.insert(block.provider.clone(), provider);
                    }
                    Err(error) => {
                        let detail = format!(
                            "The provider {} could not be started: {}",
                            block.provider.for_display(),
                            error.message
                        );
                        diagnostics.push(
                            Diagnostic::error(
                                "provider-call-failed",
                                "Provider call failed",
                                detail,
                            )
                            .at(block.span),
                        );
                        continue;
                    }
                }
            }
            if let Some(provider) = opened.get(&block.provider) {
                questions.push((Arc::clone(provider), question));
            }
        }
    }
    let limit = request.parallelism.max(1);
    let answers: Vec<Diagnostics> = stream::iter(questions)
        .map(|(provider, question)| ask(evaluator, provider, question))
        .buffered(limit)
        .collect()
        .await;
    for answer in answers {
        diagnostics.append(answer);
    }
    for provider in opened.values() {
        provider.close().await;
    }
    diagnostics
}

/// One block to ask a provider about.
struct Question {
    address: String,
    block: Arc<ResourceConfig>,
    schema: Block,
    config: terrace_value::Value,
}

fn question(
    evaluator: &Evaluator,
    config: &Config,
    path: &terrace_addr::ModulePath,
    block: &Arc<ResourceConfig>,
) -> Option<Question> {
    let schemas = evaluator.schemas().get(&block.provider)?;
    let resource = &block.resource;
    let schema = match resource.mode {
        ResourceMode::Managed => schemas.resources.get(&resource.type_name)?,
        ResourceMode::Data => schemas.data_sources.get(&resource.type_name)?,
        ResourceMode::Ephemeral => schemas.ephemeral_resources.get(&resource.type_name)?,
    };
    config.module(path)?;
    let module = path
        .steps()
        .iter()
        .fold(terrace_addr::ModuleInstance::root(), |module, step| {
            module.child(step.clone(), None)
        });
    let repetition = match &block.repetition {
        ForEachOrCount::Single => RepetitionData::default(),
        repetition => RepetitionData::unknown(repetition),
    };
    let address = resource.in_module(module.clone());
    let scope = Scope::instance(module, repetition);
    let body = evaluator.resource_body(&address.instance(None), block, &scope, &NoValues);
    if body.diagnostics.has_errors() {
        // Whatever is wrong with it has been said by the evaluator's own validation, or depends on values.
        return None;
    }
    Some(Question {
        address: address.to_string(),
        block: Arc::clone(block),
        schema: schema.block.clone(),
        config: body.value.unmark_deep().0,
    })
}

async fn ask(
    evaluator: &Evaluator,
    provider: Arc<dyn Provider>,
    question: Question,
) -> Diagnostics {
    let resource = &question.block.resource;
    let reply = match resource.mode {
        ResourceMode::Data => {
            provider
                .validate_data_config(&resource.type_name, question.config.clone())
                .await
        }
        ResourceMode::Ephemeral => {
            provider
                .validate_ephemeral_config(&resource.type_name, question.config.clone())
                .await
        }
        ResourceMode::Managed => {
            provider
                .validate_resource_config(&resource.type_name, question.config.clone())
                .await
        }
    };
    let remarks: Vec<ProviderDiagnostic> = match reply {
        Ok(reply) => reply.diagnostics,
        Err(error) => vec![ProviderDiagnostic::error(
            "Provider call failed",
            error.message,
        )],
    };
    let mut diagnostics = Diagnostics::new();
    for remark in remarks {
        let written = Written {
            evaluator,
            body: &question.block.body,
            schema: &question.schema,
        };
        diagnostics.push(remark_of(
            &question.address,
            Some(&written),
            Some(question.block.span),
            remark,
        ));
    }
    diagnostics
}
