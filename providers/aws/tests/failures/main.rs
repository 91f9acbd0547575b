//! What people read when AWS refuses, and what becomes of the object: throttling, credentials that expired, an action that is
//! denied, an object that was made by half, one that vanished, no network.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test sets up must succeed, or the test fails"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "requests are signed by the machine's clock"
)]

mod stand_in;
#[allow(dead_code, reason = "only configurations are made of it here")]
#[path = "../acceptance/values.rs"]
mod values;
mod world;

use serde_json::{Value as Json, json};
use terrace_port::Provider as _;
use tokio::net::TcpSocket;

use stand_in::{Answer, Request, StandIn};
use world::{World, keys};

const PARAMETER: &str = "aws_ssm_parameter";
const ROLE: &str = "aws_iam_role";
const VERSIONING: &str = "aws_s3_bucket_versioning";

fn parameter(name: &str) -> Json {
    json!({"name": name, "type": "String", "value": "https://example.com"})
}

fn role() -> Json {
    json!({"name": "site", "assume_role_policy": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"})
}

fn versioning(status: &str) -> Json {
    json!({"bucket": "storefront-media", "versioning_configuration": [{"status": status}]})
}

/// SSM where nothing goes wrong.
fn ssm(request: &Request) -> Answer {
    let name = request.part("Name");
    let arn = format!("arn:aws:ssm:eu-west-1:123456789012:parameter{name}");
    match request.operation.as_str() {
        "PutParameter" => Answer::json(&json!({"Version": 1, "Tier": "Standard"})),
        "GetParameter" => Answer::json(&json!({"Parameter": {
            "Name": name, "Type": "String", "Value": "https://example.com", "Version": 1, "ARN": arn,
            "DataType": "text",
        }})),
        "DescribeParameters" => Answer::json(&json!({"Parameters": []})),
        "ListTagsForResource" => Answer::json(&json!({"TagList": []})),
        "DeleteParameter" | "AddTagsToResource" => Answer::json(&json!({})),
        other => panic!("nobody was to ask for {other}"),
    }
}

fn throttled() -> Answer {
    Answer::json_error("ThrottlingException", "Rate exceeded")
}

fn created_role() -> Answer {
    Answer::xml(
        "<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateRoleResult><Role><Path>/</Path><RoleName>site</RoleName><RoleId>AROAEXAMPLE</RoleId><Arn>arn:aws:iam::123456789012:role/site</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></CreateRoleResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></CreateRoleResponse>",
    )
}

/// A world at a port that nobody listens on: it is bound without being listened on.
async fn closed(settings: Json) -> (TcpSocket, World) {
    let mut stand_in = StandIn::start(|_| panic!("nobody is to be asked")).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    stand_in.endpoint = format!("http://{}", socket.local_addr().unwrap());
    (socket, World::with(settings, stand_in).await)
}

/// What was said, without the port, and without the number by which systems know a refused connection.
fn plain(said: &str, world: &World) -> String {
    let said = said.replace(
        world.stand_in.endpoint.trim_start_matches("http://"),
        "closed:1",
    );
    let mut parts = said.split(" (os error ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').unwrap().1)
}

#[tokio::test]
async fn a_call_that_is_throttled_is_made_again() {
    let world = World::start(|request| match request.operation.as_str() {
        "PutParameter" if request.before < 2 => throttled(),
        _ => ssm(request),
    })
    .await;
    let came = world.create(PARAMETER, &parameter("/app/url")).await;
    assert_eq!(came.said, "");
    assert_eq!(came.text("id"), Some("/app/url"));
    assert_eq!(world.stand_in.asked("PutParameter"), 3);
}

/// Each call has its own attempts, however many others are throttled at the same time.
#[tokio::test]
async fn many_objects_that_are_throttled_at_once_are_all_made() {
    const MANY: usize = 120;
    let world = World::start(|request| match request.operation.as_str() {
        "PutParameter" if request.before < 2 => throttled(),
        _ => ssm(request),
    })
    .await;
    let calls = (0..MANY).map(|place| {
        let config = parameter(&format!("/app/{place}"));
        let world = &world;
        async move { world.create(PARAMETER, &config).await.said }
    });
    let said = futures::future::join_all(calls).await;
    assert_eq!(said, vec![String::new(); MANY]);
    assert_eq!(world.stand_in.asked("PutParameter"), 3 * MANY);
}

#[tokio::test]
async fn a_call_that_is_throttled_for_ever() {
    let mut settings = keys();
    settings["max_retries"] = json!(2);
    let stand_in = StandIn::start(|_| throttled()).await;
    let world = World::with(settings, stand_in).await;
    let came = world.create(PARAMETER, &parameter("/app/url")).await;
    assert!(came.state.is_null(), "nothing was made");
    assert_eq!(world.stand_in.asked("PutParameter"), 2);
    insta::assert_snapshot!(came.said, @r"
    Error: Too many requests while creating SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: ThrottlingException: Rate exceeded (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    AWS throttled the call, also after the retries that the provider's max_retries allows. Wait a little, lower -parallelism, or raise max_retries.
    ");
}

#[tokio::test]
async fn credentials_that_expired() {
    let world = World::start(|_| {
        Answer::json_error(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    })
    .await;
    let state = world
        .state(PARAMETER, &json!({"id": "/app/url", "type": "String"}))
        .await;
    let came = world.read(PARAMETER, &state).await;
    assert_eq!(came.state, state, "what was known stays");
    insta::assert_snapshot!(came.said, @r"
    Error: Credentials expired while reading SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: ExpiredTokenException: The security token included in the request is expired (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The session that this run signed in with is over. Sign in again (for a profile of AWS SSO: aws sso login) and run the command again: what was finished before is in the state.
    ");
}

#[tokio::test]
async fn credentials_that_expired_in_xml() {
    let world = World::start(|_| {
        Answer::query_error(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        )
    })
    .await;
    insta::assert_snapshot!(world.create(ROLE, &role()).await.said, @r"
    Error: Credentials expired while creating IAM Role

    IAM Role (site): ExpiredToken: The security token included in the request is expired (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The session that this run signed in with is over. Sign in again (for a profile of AWS SSO: aws sso login) and run the command again: what was finished before is in the state.
    ");
}

#[tokio::test]
async fn credentials_that_are_none() {
    let world = World::start(|_| {
        Answer::json_error(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    })
    .await;
    insta::assert_snapshot!(world.create(PARAMETER, &parameter("/app/url")).await.said, @r"
    Error: Credentials not accepted while creating SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: UnrecognizedClientException: The security token included in the request is invalid. (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    AWS does not know the key that signed the request, or the secret is not the key's. Look at which credentials are in use (aws sts get-caller-identity says it): the provider's arguments count most, then AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then the profile. A temporary key needs its AWS_SESSION_TOKEN too; a key of another partition (China, GovCloud) is none here.
    ");
}

#[tokio::test]
async fn nobody_is_signed_in() {
    let stand_in = StandIn::start(|_| panic!("nobody is to be asked")).await;
    let world = World::with(json!({}), stand_in).await;
    let said = world.create(PARAMETER, &parameter("/app/url")).await.said;
    // Behind that is what was looked at, which depends on the machine.
    let (said, looked_at) = said.split_once("\n\nError: ").unwrap();
    assert!(looked_at.contains("no credentials found"), "{looked_at}");
    insta::assert_snapshot!(said, @r"
    Error: No valid credential sources found

    Creating SSM Parameter (/app/url) takes credentials. Neither the provider's configuration nor the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), nor the shared files (AWS_PROFILE), nor the machine give credentials for AWS.
    ");
}

#[tokio::test]
async fn an_action_that_no_policy_allows() {
    let world = World::start(|_| {
        Answer::query_error(
            403,
            "AccessDenied",
            "User: arn:aws:sts::123456789012:assumed-role/plan/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/site because no identity-based policy allows the iam:CreateRole action",
        )
    })
    .await;
    let came = world.create(ROLE, &role()).await;
    assert!(came.state.is_null(), "nothing was made");
    insta::assert_snapshot!(came.said, @r"
    Error: Permission denied while creating IAM Role

    IAM Role (site): AccessDenied: User: arn:aws:sts::123456789012:assumed-role/plan/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/site because no identity-based policy allows the iam:CreateRole action (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The credentials lack the permission iam:CreateRole on arn:aws:iam::123456789012:role/site. Allow it in a policy of the role or user that this run signs in as.
    ");
}

#[tokio::test]
async fn an_action_that_is_denied() {
    let world = World::start(|_| {
        Answer::json_error(
            "AccessDeniedException",
            "User: arn:aws:sts::123456789012:assumed-role/apply/ci is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:eu-west-1:123456789012:parameter/app/url with an explicit deny in a service control policy",
        )
    })
    .await;
    insta::assert_snapshot!(world.create(PARAMETER, &parameter("/app/url")).await.said, @r"
    Error: Permission denied while creating SSM Parameter

    SSM Parameter (/app/url): AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/apply/ci is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:eu-west-1:123456789012:parameter/app/url with an explicit deny in a service control policy (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The credentials lack the permission ssm:PutParameter on arn:aws:ssm:eu-west-1:123456789012:parameter/app/url. It is denied by a service control policy, which counts more than any policy that allows it: change the deny, or sign in as somebody whom it does not concern.
    ");
}

#[tokio::test]
async fn an_action_that_aws_does_not_name() {
    let world = World::start(|request| match request.operation.as_str() {
        "DescribeParameters" => Answer::json_error("AccessDeniedException", ""),
        _ => ssm(request),
    })
    .await;
    let state = world
        .state(PARAMETER, &json!({"id": "/app/url", "type": "String"}))
        .await;
    insta::assert_snapshot!(world.read(PARAMETER, &state).await.said, @r"
    Error: Permission denied while reading SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: AccessDeniedException (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The credentials lack the permission ssm:DescribeParameters. AWS does not say why. Allow it in a policy of the role or user that this run signs in as; where that is done, look for a deny in the object's own policy, in permissions boundaries and in service control policies.
    ");
}

/// The second call of a creation fails: the object is kept with its id, so that the engine taints it and no second one is made.
#[tokio::test]
async fn an_object_that_was_made_by_half() {
    let world = World::start(|request| match request.operation.as_str() {
        "AddTagsToResource" => Answer::json_error("AccessDeniedException", ""),
        _ => ssm(request),
    })
    .await;
    let mut config = parameter("/app/url");
    config["tags"] = json!({"team": "web"});
    let came = world.create(PARAMETER, &config).await;
    assert_eq!(came.text("id"), Some("/app/url"));
    assert_eq!(came.text("value"), Some("https://example.com"));
    assert!(came.state.is_wholly_known(), "a state has no unknowns");
    insta::assert_snapshot!(came.said, @r"
    Error: Permission denied while tagging SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: AccessDeniedException (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The credentials lack the permission ssm:AddTagsToResource. AWS does not say why. Allow it in a policy of the role or user that this run signs in as; where that is done, look for a deny in the object's own policy, in permissions boundaries and in service control policies.

    SSM Parameter (/app/url) itself was made. It stays in the state as tainted, so that the next apply makes it anew; terrace untaint keeps it as it is.
    ");
    // What is kept is enough to end it.
    let gone = world.destroy(PARAMETER, &came.state).await;
    assert_eq!(gone.said, "");
    assert!(gone.state.is_null());
    assert_eq!(world.stand_in.asked("DeleteParameter"), 1);
}

#[tokio::test]
async fn a_role_that_was_made_without_its_policy() {
    let world = World::start(|request| match request.operation.as_str() {
        "CreateRole" => created_role(),
        "PutRolePolicy" => {
            Answer::query_error(400, "MalformedPolicyDocument", "Syntax errors in policy.")
        }
        other => panic!("nobody was to ask for {other}"),
    })
    .await;
    let mut config = role();
    config["inline_policy"] = json!([{"name": "logs", "policy": "{}"}]);
    let came = world.create(ROLE, &config).await;
    assert_eq!(came.text("id"), Some("site"));
    insta::assert_snapshot!(came.said, @r"
    Error: Putting an inline policy into IAM Role failed

    IAM Role (site): MalformedPolicyDocument: Syntax errors in policy. (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    IAM Role (site) itself was made. It stays in the state as tainted, so that the next apply makes it anew; terrace untaint keeps it as it is.
    ");
}

/// An object that somebody else deleted is read as gone, so that it is planned to be made anew.
#[tokio::test]
async fn an_object_that_vanished_is_read_as_gone() {
    let world = World::start(|_| Answer::json_error("ParameterNotFound", "")).await;
    let state = world
        .state(PARAMETER, &json!({"id": "/app/url", "type": "String"}))
        .await;
    let came = world.read(PARAMETER, &state).await;
    assert_eq!(came.said, "");
    assert!(came.state.is_null());
    // To end it is no error either.
    let gone = world.destroy(PARAMETER, &state).await;
    assert_eq!(gone.said, "");
}

#[tokio::test]
async fn an_object_that_vanished_between_plan_and_apply() {
    let world = World::start(|request| match request.operation.as_str() {
        "UpdateRole" => Answer::query_error(
            404,
            "NoSuchEntity",
            "The role with name site cannot be found.",
        ),
        other => panic!("nobody was to ask for {other}"),
    })
    .await;
    let mut state = role();
    state["id"] = json!("site");
    let state = world.state(ROLE, &state).await;
    let mut config = role();
    config["max_session_duration"] = json!(7200);
    let came = world.apply(ROLE, &state, &config).await;
    assert_eq!(came.state, state);
    insta::assert_snapshot!(came.said, @r"
    Error: Not found while updating IAM Role

    IAM Role (site): NoSuchEntity: The role with name site cannot be found. (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    It was deleted outside of this configuration, or what the call refers to was never there. Run plan again: what is gone is planned to be made anew. What must be there before is to be referred to, or named in depends_on.
    ");
}

/// The object is kept while AWS does not tell of it yet, also where the user does not want to wait.
#[tokio::test]
async fn a_wait_that_the_user_ends() {
    let world = World::start(|request| match request.operation.as_str() {
        "GetParameter" => Answer::json_error("ParameterNotFound", ""),
        _ => ssm(request),
    })
    .await;
    world.provider.stop().await.unwrap();
    let came = world.create(PARAMETER, &parameter("/app/url")).await;
    assert_eq!(came.text("id"), Some("/app/url"));
    insta::assert_snapshot!(came.said, @r"
    Error: Interrupted while AWS was still working

    SSM Parameter (/app/url): the run was asked to stop before it was found again. Run plan again to see what became of it.
    ");
}

#[tokio::test]
async fn an_object_whose_name_is_taken() {
    let world = World::start(|_| {
        Answer::json_error(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        )
    })
    .await;
    insta::assert_snapshot!(world.create(PARAMETER, &parameter("/app/url")).await.said, @r"
    Error: Already there while creating SSM Parameter

    SSM Parameter (/app/url) in eu-west-1: ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true. (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    Something of this name is there, and the state does not have it. Import it (terrace import, or an import block) if this configuration is to manage it, or choose another name.
    ");
}

#[tokio::test]
async fn data_that_are_not_there() {
    let world = World::start(|_| Answer::json_error("ParameterNotFound", "")).await;
    let said = world
        .read_data(PARAMETER, &json!({"name": "/app/url"}))
        .await;
    insta::assert_snapshot!(said, @r"
    Error: SSM Parameter not found

    SSM Parameter (/app/url) is not in eu-west-1. Look at its name (a path begins with /), the region and the account that this run signs in to.
    ");
}

#[tokio::test]
async fn a_plan_without_a_network() {
    let (_socket, world) = closed(keys()).await;
    let state = world
        .state(PARAMETER, &json!({"id": "/app/url", "type": "String"}))
        .await;
    let came = world.read(PARAMETER, &state).await;
    assert_eq!(came.state, state, "what was known stays");
    insta::assert_snapshot!(plain(&came.said, &world), @r"
    Error: AWS cannot be reached while reading SSM Parameter

    SSM Parameter (/app/url): there is no connection to ssm at closed:1 (region eu-west-1), tried 7 times: client error (Connect): tcp connect error: Connection refused

    The configured endpoint of ssm is http://closed:1 (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again.
    ");
    // Not the 25 attempts of a call that is throttled.
    insta::assert_snapshot!(plain(&world.log().join("\n"), &world), @r"
    there is no connection to ssm at closed:1 (region eu-west-1), tried once: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 2 times: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 3 times: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 4 times: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 5 times: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 6 times: client error (Connect): tcp connect error: Connection refused; trying again
    there is no connection to ssm at closed:1 (region eu-west-1), tried 7 times: client error (Connect): tcp connect error: Connection refused; that is given up
    ");
    // It is known by now: the next object does not wait as long.
    let came = world.read(PARAMETER, &state).await;
    insta::assert_snapshot!(plain(&came.said, &world), @r"
    Error: AWS cannot be reached while reading SSM Parameter

    SSM Parameter (/app/url): there is no connection to ssm at closed:1 (region eu-west-1), tried once: client error (Connect): tcp connect error: Connection refused

    The configured endpoint of ssm is http://closed:1 (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again.
    ");
}

#[tokio::test]
async fn a_network_that_comes_back() {
    let (socket, world) = closed(keys()).await;
    let calls = async { world.create(PARAMETER, &parameter("/app/url")).await };
    let listening = async {
        while world.log().len() < 2 {
            tokio::task::yield_now().await;
        }
        StandIn::at(socket.listen(8).unwrap(), ssm)
    };
    let (came, _listening) = tokio::join!(calls, listening);
    assert_eq!(came.said, "");
    assert_eq!(came.text("id"), Some("/app/url"));
}

#[tokio::test]
async fn fewer_attempts_than_a_host_without_connection_is_usually_given() {
    let mut settings = keys();
    settings["max_retries"] = json!(2);
    let (_socket, world) = closed(settings).await;
    let said = world.create(ROLE, &role()).await.said;
    insta::assert_snapshot!(plain(&said, &world), @r"
    Error: AWS cannot be reached while creating IAM Role

    IAM Role (site): there is no connection to iam at closed:1, tried 2 times: client error (Connect): tcp connect error: Connection refused

    The configured endpoint of iam is http://closed:1 (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again.
    ");
}

/// By its id, what was to be made when a run was killed is looked for.
#[tokio::test]
async fn an_id_that_is_known_before_there_is_an_object() {
    let world = World::start(|_| panic!("nobody is to be asked")).await;
    let mut elsewhere = parameter("/app/url");
    elsewhere["region"] = json!("us-east-1");
    let nameless = json!({"assume_role_policy": "{}"});
    for (type_name, config, id) in [
        (PARAMETER, parameter("/app/url"), Some("/app/url")),
        (PARAMETER, elsewhere, Some("/app/url@us-east-1")),
        (VERSIONING, versioning("Enabled"), Some("storefront-media")),
        (ROLE, role(), Some("site")),
        (ROLE, nameless, None),
        ("aws_sqs_queue", json!({"name": "orders"}), None),
    ] {
        let planned = world.state(type_name, &config).await;
        let known = world.provider.id_before_creation(type_name, &planned).await;
        assert_eq!(known.as_deref(), id, "{type_name}");
    }
}

/// A region that is spelled wrong is a host that has no address.
#[tokio::test]
async fn a_host_that_has_no_address() {
    let mut stand_in = StandIn::start(|_| panic!("nobody is to be asked")).await;
    stand_in.endpoint = "http://ssm.nowhere.invalid".into();
    let world = World::with(keys(), stand_in).await;
    let said = world.create(PARAMETER, &parameter("/app/url")).await.said;
    // Systems say it in their own words.
    let (before, _) = said.split_once("dns error").unwrap();
    let (_, after) = said.split_once("\n\nThe configured").unwrap();
    insta::assert_snapshot!(format!("{before}[...] The configured{after}"), @r"
    Error: AWS cannot be reached while creating SSM Parameter

    SSM Parameter (/app/url): there is no connection to ssm at ssm.nowhere.invalid (region eu-west-1), tried 7 times: client error (Connect): [...] The configured endpoint of ssm is http://ssm.nowhere.invalid (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again.
    ");
}

/// Who signs in first finds that there is nobody; the others do not each find out for themselves.
#[tokio::test]
async fn nobody_is_there_to_sign_in_at() {
    let mut settings = keys();
    settings["skip_credentials_validation"] = json!(false);
    let (_socket, world) = closed(settings).await;
    let calls = (0..20).map(|place| {
        let config = parameter(&format!("/app/{place}"));
        let world = &world;
        async move { world.create(PARAMETER, &config).await.said }
    });
    let said = futures::future::join_all(calls).await;
    insta::assert_snapshot!(plain(&said[0], &world), @r"
    Error: AWS cannot be reached

    Creating SSM Parameter (/app/0) takes credentials. Whose credentials these are is asked of STS, and there is no connection to sts at closed:1 (region eu-west-1), tried 7 times: client error (Connect): tcp connect error: Connection refused

    The configured endpoint of sts is http://closed:1 (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again. Where there is no STS, set skip_credentials_validation and skip_requesting_account_id.
    ");
    assert!(
        said.iter()
            .all(|said| said.contains("there is no connection to sts"))
    );
    assert_eq!(world.log().len(), 7, "{:#?}", world.log());
}

/// S3 names no action: the call's own is told.
#[tokio::test]
async fn a_bucket_that_denies_access() {
    let world = World::start(|_| Answer::s3_error(403, "AccessDenied", "Access Denied")).await;
    let came = world.create(VERSIONING, &versioning("Enabled")).await;
    assert!(came.state.is_null(), "nothing was made");
    insta::assert_snapshot!(came.said, @r"
    Error: Permission denied while creating S3 Bucket Versioning

    S3 Bucket Versioning (storefront-media) in eu-west-1: AccessDenied: Access Denied (request 4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f)

    The credentials lack the permission s3:PutBucketVersioning. AWS does not say why. Allow it in a policy of the role or user that this run signs in as; where that is done, look for a deny in the object's own policy, in permissions boundaries and in service control policies.
    ");
}

#[tokio::test]
async fn a_bucket_that_vanished() {
    let world = World::start(|_| {
        Answer::s3_error(404, "NoSuchBucket", "The specified bucket does not exist")
    })
    .await;
    let mut state = versioning("Enabled");
    state["id"] = json!("storefront-media");
    state["region"] = json!("eu-west-1");
    let state = world.state(VERSIONING, &state).await;
    let read = world.read(VERSIONING, &state).await;
    assert_eq!(read.said, "");
    assert!(read.state.is_null(), "it is planned to be made anew");
    let gone = world.destroy(VERSIONING, &state).await;
    assert_eq!(gone.said, "");
    // A bucket that was made a moment ago is waited for, until the user wants an end.
    world.provider.stop().await.unwrap();
    let came = world
        .apply(VERSIONING, &state, &versioning("Suspended"))
        .await;
    assert_eq!(came.state, state);
    insta::assert_snapshot!(came.said, @r#"
    Error: S3 bucket does not exist

    There is no bucket "storefront-media" in eu-west-1, so that updating S3 Bucket Versioning (storefront-media) is impossible. It may have been deleted outside of this configuration, or live in another region or account. Refer to the bucket by its resource (bucket = aws_s3_bucket.NAME.bucket), so that it is made first, and see whether a plan makes it again.
    "#);
}
