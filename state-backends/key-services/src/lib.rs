//! The key providers `aws_kms`, `gcp_kms` and `azure_vault` of state encryption, as OpenTofu has them: keys that a service
//! makes or wraps, so that data encrypted by one tool is decrypted by the other.
//!
//! | key provider | a new key | what is kept beside the data |
//! | --- | --- | --- |
//! | `aws_kms` | `GenerateDataKey` | the data key, encrypted by KMS |
//! | `gcp_kms` | random bytes | these, encrypted by the key of Cloud KMS |
//! | `azure_vault` | random bytes | these, encrypted by the current version of the vault's key, and which that was |

mod aws;
mod azure;
mod given;
mod google;
mod service;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use terrace_backend_remote::Surroundings;
use terrace_encryption::{KeySource, KeySources};
use terrace_port::Clock;
use terrace_value::Value;

/// Looks up a variable of the environment.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Opens the key providers of the clouds. Signing in happens when a key is first asked for.
#[derive(Clone)]
pub struct KeyServices {
    /// Variables of the environment, which give what arguments leave out.
    pub environment: Environment,
    /// The directory of the root module, to which relative paths belong.
    pub directory: PathBuf,
    /// The time, for statements that are signed.
    pub clock: Arc<dyn Clock>,
    /// What requests call their sender.
    pub user_agent: String,
}

impl KeySources for KeyServices {
    fn open(
        &self,
        type_name: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Arc<dyn KeySource>, String> {
        let surroundings = Surroundings {
            environment: &*self.environment,
            directory: &self.directory,
            clock: self.clock.clone(),
            user_agent: &self.user_agent,
            watcher: None,
        };
        match type_name {
            "aws_kms" => aws::open(arguments, &surroundings),
            "gcp_kms" => google::open(arguments, &surroundings),
            "azure_vault" => azure::open(arguments, &surroundings),
            _ => Err(format!("The key provider {type_name:?} is not known.")),
        }
    }
}
