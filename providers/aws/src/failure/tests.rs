//! What refusals say: AWS's own words, and what they leave out.

use aws_sdk_s3::operation::put_bucket_versioning::PutBucketVersioningError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

fn advice(told: &str, permission: &str) -> String {
    Cause::Denied.advice(told, permission).unwrap()
}

#[test]
fn a_refusal_names_the_action_and_where_it_is_to_be_allowed() {
    let told = "AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: sqs:createqueue on resource: arn:aws:sqs:eu-west-1:1:q because no identity-based policy allows the sqs:createqueue action";
    assert_eq!(
        advice(told, "sqs:CreateQueue"),
        "The credentials lack the permission sqs:CreateQueue on arn:aws:sqs:eu-west-1:1:q. Allow it in a policy of the role or user that this run signs in as."
    );
}

#[test]
fn another_action_than_the_calls_is_the_one_that_is_missing() {
    let told = "AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on resource: \"arn:aws:iam::1:role/r\" with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1";
    assert_eq!(
        advice(told, "lambda:CreateFunction"),
        "The credentials lack the permission iam:PassRole on arn:aws:iam::1:role/r. It is denied by a service control policy, which counts more than any policy that allows it: change the deny, or sign in as somebody whom it does not concern."
    );
    let told = "AccessDenied: not authorized to perform: s3:GetObject because no VPC endpoint policy allows the s3:GetObject action";
    assert_eq!(
        advice(told, "s3:GetObject"),
        "The credentials lack the permission s3:GetObject. No VPC endpoint policy allows it: allow it there."
    );
    let told = "AccessDenied: not authorized to perform: s3:GetObject with an explicit deny in an identity-based policy";
    assert!(advice(told, "s3:GetObject").contains("It is denied by an identity-based policy,"));
}

#[test]
fn a_refusal_that_names_no_action_is_of_the_calls_own() {
    let error = PutBucketVersioningError::generic(
        ErrorMetadata::builder()
            .code("AccessDenied")
            .message("Access Denied")
            .build(),
    );
    let error = refused(error);
    let subject = Subject::new("S3 Bucket Versioning", "storefront-media");
    let refused = error.when("creating", &subject, "s3:PutBucketVersioning");
    insta::assert_snapshot!(text(refused), @r"
    Permission denied while creating S3 Bucket Versioning

    S3 Bucket Versioning (storefront-media): AccessDenied: Access Denied

    The credentials lack the permission s3:PutBucketVersioning. AWS does not say why. Allow it in a policy of the role or user that this run signs in as; where that is done, look for a deny in the object's own policy, in permissions boundaries and in service control policies.
    ");
}

#[test]
fn a_bucket_that_vanished() {
    let error = PutBucketVersioningError::generic(
        ErrorMetadata::builder()
            .code("NoSuchBucket")
            .message("The specified bucket does not exist")
            .build(),
    );
    let error = refused(error);
    let subject = Subject::new("S3 Bucket Versioning", "storefront-media");
    let refused = error.when("updating", &subject, "s3:PutBucketVersioning");
    insta::assert_snapshot!(text(refused), @r"
    Not found while updating S3 Bucket Versioning

    S3 Bucket Versioning (storefront-media): NoSuchBucket: The specified bucket does not exist

    It was deleted outside of this configuration, or what the call refers to was never there. Run plan again: what is gone is planned to be made anew. What must be there before is to be referred to, or named in depends_on.
    ");
}

#[test]
fn what_services_call_the_same() {
    for (code, cause) in [
        ("QueueDoesNotExist", Cause::Gone),
        ("AWS.SimpleQueueService.NonExistentQueue", Cause::Gone),
        ("ParameterAlreadyExists", Cause::Exists),
        ("LimitExceededException", Cause::Quota),
        ("RequestLimitExceeded", Cause::Throttled),
        ("ValidationException", Cause::Other),
    ] {
        assert_eq!(Cause::of_code(code), cause, "{code}");
    }
}

#[test]
fn an_object_that_vanished_after_it_was_made() {
    let found = vanished(&Subject::new("SSM Parameter", "/app/url"));
    insta::assert_snapshot!(text::<()>(Err(found.into())), @r"
    Object not found after it was made

    SSM Parameter (/app/url) was made, and AWS does not know it. It may have been deleted by someone else meanwhile, or AWS needs longer than usual to tell of it. It stays in the state: run plan again, and see whether it is there.
    ");
}

fn refused<E>(error: E) -> Result<(), SdkError<E, HttpResponse>> {
    let status = 403.try_into().unwrap();
    let answer = HttpResponse::new(status, SdkBody::empty());
    Err(SdkError::service_error(error, answer))
}

fn text<T>(outcome: Outcome<T>) -> String {
    let refused = outcome.err().unwrap();
    let lines: Vec<String> = refused
        .into_iter()
        .map(|diagnostic| format!("{}\n\n{}", diagnostic.summary, diagnostic.detail))
        .collect();
    lines.join("\n")
}
