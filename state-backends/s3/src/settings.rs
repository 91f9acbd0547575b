//! What was asked for, checked.

use terrace_aws_access::{Access, checks::filled, endpoint};
use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings};

use crate::checks;

/// How what is written is encrypted by S3.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    /// As the bucket has it.
    Bucket,
    /// By keys of S3's.
    Own,
    /// By a key of KMS.
    Kms(String),
    /// By a key that is sent along.
    Customer(Vec<u8>),
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) workspace_prefix: String,
    pub(crate) table: Option<String>,
    pub(crate) use_lockfile: bool,
    pub(crate) acl: Option<String>,
    pub(crate) encryption: Encryption,
    pub(crate) skip_checksum: bool,
    pub(crate) path_style: bool,
    pub(crate) access: Access,
}

impl Settings {
    /// Reads and checks the arguments.
    pub(crate) fn new(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        Reader::read(arguments, surroundings, |reader| Some(settings(reader)))
    }
}

fn settings(reader: &mut Reader<'_>) -> Settings {
    let (bucket, key) = (reader.owned("bucket"), reader.owned("key"));
    let workspace_prefix = reader
        .arguments
        .text("workspace_key_prefix")
        .unwrap_or("env:")
        .to_owned();
    let bucket = bucket.unwrap_or_default();
    let key = key.unwrap_or_default();
    filled("bucket", &bucket, &mut reader.problems);
    filled("key", &key, &mut reader.problems);
    checks::path("key", &key, &mut reader.problems);
    checks::path(
        "workspace_key_prefix",
        &workspace_prefix,
        &mut reader.problems,
    );
    Settings {
        bucket,
        key,
        workspace_prefix,
        table: reader.owned("dynamodb_table"),
        use_lockfile: reader.arguments.flag("use_lockfile"),
        acl: reader.owned("acl"),
        encryption: encryption(reader),
        skip_checksum: reader.arguments.flag("skip_s3_checksum"),
        path_style: reader.arguments.flag("use_path_style")
            || reader.arguments.flag("force_path_style"),
        access: access(reader),
    }
}

fn encryption(reader: &mut Reader<'_>) -> Encryption {
    let kms = reader.arguments.filled("kms_key_id");
    if let Some(key) = kms {
        checks::kms_key("kms_key_id", key, &mut reader.problems);
    }
    let customer = reader
        .arguments
        .filled("sse_customer_key")
        .and_then(|key| checks::customer_key("sse_customer_key", key, &mut reader.problems));
    match (reader.arguments.flag("encrypt"), kms, customer) {
        (false, ..) => Encryption::Bucket,
        (true, Some(key), _) => Encryption::Kms(key.to_owned()),
        (true, None, Some(key)) => Encryption::Customer(key),
        (true, None, None) => Encryption::Own,
    }
}

/// Who one is to AWS, with what is particular to the services that states lie in.
fn access(reader: &mut Reader<'_>) -> Access {
    let own = [
        endpoint(
            reader,
            "s3",
            "endpoint",
            &["AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT"],
        )
        .map(|url| ("s3".to_owned(), url)),
        endpoint(
            reader,
            "dynamodb",
            "dynamodb_endpoint",
            &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_DYNAMODB_ENDPOINT"],
        )
        .map(|url| ("dynamodb".to_owned(), url)),
    ];
    let mut access = Access::read(reader);
    access.endpoints.extend(own.into_iter().flatten());
    access
}
