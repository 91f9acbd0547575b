//! Keys of the services: AWS KMS as moto has it, and stand-ins that keep to the documentation of Google's and Microsoft's.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod amazon;
mod google;
mod microsoft;
mod stand_in;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use terrace_encryption::{KeySource, KeySources as _};
use terrace_key_services::KeyServices;
use terrace_port::Clock;
use terrace_value::Value;

struct Now;

impl Clock for Now {
    fn now(&self) -> (i64, u32) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        (i64::try_from(now.unwrap().as_secs()).unwrap(), 0)
    }
}

/// A key provider with these arguments, in an environment.
fn open(
    type_name: &str,
    arguments: &[(&str, Value)],
    variables: &[(&str, &str)],
) -> Result<Arc<dyn KeySource>, String> {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let services = KeyServices {
        environment: Arc::new(move |name| variables.get(name).cloned()),
        directory: ".".into(),
        clock: Arc::new(Now),
        user_agent: "Terrace/test".to_owned(),
    };
    let arguments = arguments
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    services.open(type_name, &arguments)
}

/// What is wrong with arguments.
fn wrong(type_name: &str, arguments: &[(&str, Value)]) -> String {
    match open(type_name, arguments, &[("HOME", "/nowhere")]) {
        Ok(_) => panic!("nothing is wrong"),
        Err(why) => why,
    }
}

/// A new key can be recovered by what is kept beside the data, which the test gets to see.
async fn round_trip(source: &dyn KeySource, length: usize) -> serde_json::Value {
    let one = source.generate().await.unwrap();
    let other = source.generate().await.unwrap();
    assert_eq!(one.key.bytes().len(), length);
    assert_ne!(one.key.bytes(), other.key.bytes());
    for generated in [&one, &other] {
        let recovered = source.recover(&generated.metadata).await.unwrap();
        assert_eq!(recovered.bytes(), generated.key.bytes());
    }
    serde_json::from_slice(&one.metadata).unwrap()
}

#[test]
fn other_types_are_not_known() {
    assert_eq!(
        wrong("openbao", &[]),
        "The key provider \"openbao\" is not known."
    );
}
