//! Functions of CloudFront. moto has one stage of them, which can be neither changed nor published: they have their two stages
//! here, and a tag of each.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::corrections::between;
use super::{Answer, Asked};

/// Functions by their names.
pub(super) type Functions = Mutex<BTreeMap<String, Function>>;

#[derive(Debug)]
pub(super) struct Function {
    development: Stage,
    live: Option<Stage>,
}

/// A function as it is at a stage.
#[derive(Clone, Debug)]
struct Stage {
    /// What `FunctionConfig` holds.
    config: String,
    code: Vec<u8>,
    /// How often it was written until then, by which its tag is told from others.
    version: u32,
}

const MADE: &str = "2026-01-01T00:00:00.000Z";

/// The answer to a call about a function; none where it is one about something else.
pub(super) fn answered(asked: &Asked, functions: &Functions) -> Option<Answer> {
    let (method, path) = asked.method_and_path();
    let rest = path.strip_prefix("/2020-05-31/function")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts = rest.trim_matches('/').split('/');
    let (name, call) = (parts.next()?, parts.next());
    let mut functions = functions.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = String::from_utf8_lossy(&asked.body).into_owned();
    if method == "POST" && name.is_empty() {
        let name = between(&sent, "<Name>", "</Name>").unwrap_or_default();
        if functions.contains_key(name) {
            return Some(refused(409, "FunctionAlreadyExists"));
        }
        let function = Function {
            development: Stage::of(&sent, 1),
            live: None,
        };
        let answer = function.summary(name, "DEVELOPMENT", 201, "etag");
        functions.insert(name.to_owned(), function);
        return answer;
    }
    let stage = if query.contains("Stage=LIVE") {
        "LIVE"
    } else {
        "DEVELOPMENT"
    };
    let Some(function) = functions.get_mut(name) else {
        return Some(refused(404, "NoSuchFunctionExists"));
    };
    if method != "GET" && asked.header("if-match") != Some(&function.development.tag()) {
        return Some(refused(412, "PreconditionFailed"));
    }
    match (method, call) {
        ("GET", Some("describe")) => function.summary(name, stage, 200, "etag"),
        ("GET", None) => function.code(stage),
        ("PUT", None) => {
            function.development = Stage::of(&sent, function.development.version + 1);
            // The service itself calls this header so.
            function.summary(name, "DEVELOPMENT", 200, "ettag")
        }
        ("POST", Some("publish")) => {
            function.live = Some(function.development.clone());
            function.summary(name, "LIVE", 200, "etag")
        }
        ("DELETE", None) => {
            functions.remove(name);
            Some(Answer {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            })
        }
        _ => None,
    }
    .or_else(|| Some(refused(404, "NoSuchFunctionExists")))
}

impl Stage {
    fn of(sent: &str, version: u32) -> Self {
        let code = between(sent, "<FunctionCode>", "</FunctionCode>").unwrap_or_default();
        Self {
            config: between(sent, "<FunctionConfig>", "</FunctionConfig>")
                .unwrap_or_default()
                .to_owned(),
            code: STANDARD.decode(code).unwrap_or_default(),
            version,
        }
    }

    fn tag(&self) -> String {
        format!("E{:013}", self.version)
    }
}

impl Function {
    fn at(&self, stage: &str) -> Option<&Stage> {
        if stage == "LIVE" {
            self.live.as_ref()
        } else {
            Some(&self.development)
        }
    }

    /// What is said of a stage; nothing of one that the function has not come to.
    fn summary(&self, name: &str, stage: &str, status: u16, tag: &str) -> Option<Answer> {
        let told = self.at(stage)?;
        let live = self.live.as_ref().map(|live| live.version);
        let state = if live == Some(told.version) {
            "UNASSOCIATED"
        } else {
            "UNPUBLISHED"
        };
        let config = &told.config;
        let body = format!(
            "<FunctionSummary><Name>{name}</Name><Status>{state}</Status><FunctionConfig>{config}</FunctionConfig>\
             <FunctionMetadata><FunctionARN>arn:aws:cloudfront::123456789012:function/{name}</FunctionARN><Stage>{stage}</Stage>\
             <CreatedTime>{MADE}</CreatedTime><LastModifiedTime>{MADE}</LastModifiedTime></FunctionMetadata></FunctionSummary>"
        );
        Some(Answer {
            status,
            headers: vec![
                ("content-type".into(), "text/xml".into()),
                (tag.into(), told.tag()),
            ],
            body: body.into_bytes(),
        })
    }

    fn code(&self, stage: &str) -> Option<Answer> {
        let told = self.at(stage)?;
        Some(Answer {
            status: 200,
            headers: vec![
                ("content-type".into(), "application/octet-stream".into()),
                ("etag".into(), told.tag()),
            ],
            body: told.code.clone(),
        })
    }
}

fn refused(status: u16, code: &str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".into(), "text/xml".into())],
        body: format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{code}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        .into_bytes(),
    }
}
