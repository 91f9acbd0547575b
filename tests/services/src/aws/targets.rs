//! What moto forgets or does not know of services that are called by a target: keys, log groups and providers of identities.

use serde_json::{Value as Json, json};

use super::corrections::{Memory, between};
use super::{Answer, Asked};

/// The answer to a call that moto does not know, or that AWS refuses and moto does not; none where moto may answer.
pub(super) fn answered(asked: &Asked, memory: &Memory) -> Option<Answer> {
    let sent = asked.json();
    let group = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
    match asked.header("x-amz-target").unwrap_or_default() {
        // moto protects no log groups.
        "Logs_20140328.PutLogGroupDeletionProtection" => {
            let protected = sent["deletionProtectionEnabled"].to_string();
            memory.keep((group("logGroupIdentifier"), "protected"), protected);
            Some(Answer::of_json(200, &json!({})))
        }
        // moto encrypts log groups only when they are made.
        "Logs_20140328.AssociateKmsKey" | "Logs_20140328.DisassociateKmsKey" => {
            let key = sent["kmsKeyId"].as_str().unwrap_or_default();
            memory.keep((group("logGroupName"), "kmsKeyId"), key.to_owned());
            Some(Answer::of_json(200, &json!({})))
        }
        "Logs_20140328.DeleteLogGroup" => {
            let kept = memory.kept(&(group("logGroupName"), "protected"))?;
            let refusal =
                json!({"__type": "ValidationException", "message": "The log group is protected"});
            (kept == "true").then(|| Answer::of_json(400, &refusal))
        }
        _ => clients(asked, memory),
    }
}

/// moto can neither add clients to a provider of identities nor remove any.
fn clients(asked: &Asked, memory: &Memory) -> Option<Answer> {
    let sent = String::from_utf8_lossy(&asked.body).into_owned();
    let adds = sent.starts_with("Action=AddClientIDToOpenIDConnectProvider&");
    if !adds && !sent.starts_with("Action=RemoveClientIDFromOpenIDConnectProvider&") {
        return None;
    }
    let (arn, client) = (
        field(&sent, "OpenIDConnectProviderArn")?,
        field(&sent, "ClientID")?,
    );
    let key = (arn, "clients");
    let mut known: Vec<String> = memory
        .kept(&key)
        .map(|known| known.lines().map(str::to_owned).collect())?;
    known.retain(|known| *known != client);
    if adds {
        known.push(client);
    }
    memory.keep(key, known.join("\n"));
    let call = if adds {
        "AddClientIDToOpenIDConnectProvider"
    } else {
        "RemoveClientIDFromOpenIDConnectProvider"
    };
    Some(Answer {
        status: 200,
        headers: vec![("content-type".into(), "text/xml".into())],
        body: format!("<{call}Response><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{call}Response>").into_bytes(),
    })
}

/// Tells what moto forgets.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    match asked.header("x-amz-target").unwrap_or_default() {
        target if target.starts_with("Logs_20140328.") => log_groups(target, asked, answer, memory),
        target if target.starts_with("TrentService.") => keys(target, asked, answer, memory),
        _ => told_clients(asked, answer, memory),
    }
}

/// moto forgets the class of a log group, and whether it is protected.
fn log_groups(target: &str, asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let sent = asked.json();
    let name = sent["logGroupName"].as_str().unwrap_or_default().to_owned();
    match target {
        "Logs_20140328.CreateLogGroup" => {
            let class = sent["logGroupClass"].as_str().unwrap_or("STANDARD");
            let protected = sent["deletionProtectionEnabled"] == true;
            memory.keep((name.clone(), "class"), class.to_owned());
            memory.keep((name, "protected"), protected.to_string());
        }
        "Logs_20140328.DescribeLogGroups" => answer.change_json(|told| {
            for group in told["logGroups"].as_array_mut().into_iter().flatten() {
                let name = group["logGroupName"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                let class = memory.kept(&(name.clone(), "class"));
                let protected = memory.kept(&(name.clone(), "protected"));
                group["logGroupClass"] = json!(class.unwrap_or_else(|| "STANDARD".into()));
                if let Some(key) = memory.kept(&(name, "kmsKeyId")) {
                    let key = Some(key).filter(|key| !key.is_empty());
                    group["kmsKeyId"] = json!(key);
                }
                group["deletionProtectionEnabled"] = json!(protected.as_deref() == Some("true"));
            }
        }),
        _ => {}
    }
}

/// moto forgets how often a key is replaced, and the store that it is kept in.
fn keys(target: &str, asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let sent = asked.json();
    let id = |said: &Json| {
        let id = said["KeyId"].as_str().unwrap_or_default();
        id.rsplit('/').next().unwrap_or_default().to_owned()
    };
    match target {
        "TrentService.EnableKeyRotation" => {
            let days = sent["RotationPeriodInDays"].as_u64().unwrap_or(365);
            memory.keep((id(&sent), "rotation"), days.to_string());
        }
        "TrentService.GetKeyRotationStatus" => answer.change_json(|told| {
            let days = memory.kept(&(id(&sent), "rotation"));
            let days = days.and_then(|days| days.parse::<u64>().ok());
            if let Some(days) = days.filter(|_| told["KeyRotationEnabled"] == true) {
                told["RotationPeriodInDays"] = json!(days);
            }
        }),
        "TrentService.CreateKey" => {
            let made = id(&answer.json()["KeyMetadata"]);
            for name in ["CustomKeyStoreId", "XksKeyId"] {
                if let Some(value) = sent[name].as_str() {
                    memory.keep((made.clone(), name), value.to_owned());
                }
            }
        }
        "TrentService.DescribeKey" => answer.change_json(|told| {
            let told = &mut told["KeyMetadata"];
            let made = id(told);
            if let Some(store) = memory.kept(&(made.clone(), "CustomKeyStoreId")) {
                told["CustomKeyStoreId"] = json!(store);
            }
            if let Some(key) = memory.kept(&(made, "XksKeyId")) {
                told["XksKeyConfiguration"] = json!({"Id": key});
            }
        }),
        _ => {}
    }
}

/// The clients of a provider of identities are those that were added last.
fn told_clients(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let sent = String::from_utf8_lossy(&asked.body).into_owned();
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    if sent.starts_with("Action=CreateOpenIDConnectProvider&") {
        let arn = between(
            &told,
            "<OpenIDConnectProviderArn>",
            "</OpenIDConnectProviderArn>",
        );
        let clients =
            (1..).map_while(|place| field(&sent, &format!("ClientIDList.member.{place}")));
        let clients: Vec<String> = clients.collect();
        let arn = arn.unwrap_or_default().to_owned();
        memory.keep((arn, "clients"), clients.join("\n"));
    } else if sent.starts_with("Action=GetOpenIDConnectProvider&") {
        let arn = field(&sent, "OpenIDConnectProviderArn").unwrap_or_default();
        let kept = memory.kept(&(arn, "clients"));
        let list = between(&told, "<ClientIDList>", "</ClientIDList>");
        if let (Some(kept), Some(list)) = (kept, list) {
            let members = kept
                .lines()
                .map(|client| format!("<member>{client}</member>"));
            let members: String = members.collect();
            answer.body = told.replacen(list, &members, 1).into_bytes();
        }
    }
}

/// A field of a form.
fn field(form: &str, name: &str) -> Option<String> {
    let value = form
        .split('&')
        .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))?;
    let mut bytes = value.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(text).ok()
}

#[test]
fn fields_of_forms_are_read() {
    let form = "Action=A&Arn=arn%3Aaws%3Aiam&Name=a+b";
    assert_eq!(field(form, "Arn").as_deref(), Some("arn:aws:iam"));
    assert_eq!(field(form, "Name").as_deref(), Some("a b"));
    assert_eq!(field(form, "Nam"), None);
}
