use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use terrace_gate::SshKey;
use terrace_module_package::{Attestation, Folder, ModuleArchive, Provenance, join_upload};

use super::*;
use crate::routes::ROUTES;
use crate::{IssuedToken, TokenRecord};

const KEY: &str = include_str!("../../../../engine/gate/tests/gate/keys/ecdsa");
const BASE: &str = "/v1/modules/acme/network/aws";

/// Bytes that differ each time they are asked for.
#[derive(Default)]
pub(crate) struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

/// A clock that stands.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

struct World {
    _root: tempfile::TempDir,
    registry: Registry,
}

impl World {
    async fn new(public: bool) -> Self {
        Self::with_signers(public, None).await
    }

    async fn with_signers(public: bool, signers: Option<BTreeSet<String>>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let registry = Registry::open(RegistryParts {
            content: Arc::new(Folder::new(root.path().join("content"))),
            private: Arc::new(Folder::new(root.path().join("private"))),
            clock: Arc::new(Standing),
            entropy: Arc::new(Counting::default()),
            public,
            signers,
        })
        .await
        .unwrap();
        Self {
            _root: root,
            registry,
        }
    }

    async fn token(&self, name: &str, role: Role, namespaces: &[&str]) -> IssuedToken {
        let record = TokenRecord {
            caller: Caller {
                name: name.to_owned(),
                role,
                namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            },
            issued_at: 0,
            issued_by: "a test".to_owned(),
        };
        self.registry
            .tokens()
            .issue(&record, &*self.registry.entropy)
            .await
            .unwrap()
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        token: Option<&IssuedToken>,
        body: Vec<u8>,
    ) -> Reply {
        let mut request = Request::new(method, address);
        if let Some(token) = token {
            request = request.with_token(token.secret());
        }
        self.registry.respond(request, body).await
    }

    async fn get(&self, address: &str, token: Option<&IssuedToken>) -> Reply {
        self.ask(Method::Get, address, token, Vec::new()).await
    }
}

fn document(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn archive(content: &str) -> ModuleArchive {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.tf"), content).unwrap();
    std::fs::write(
        directory.path().join("README.md"),
        "# Net\n\nA <b>network</b>.\n",
    )
    .unwrap();
    ModuleArchive::pack(directory.path()).unwrap()
}

fn upload(content: &str, version: &str) -> Vec<u8> {
    let archive = archive(content);
    let module = "acme/network/aws".parse().unwrap();
    let provenance = Provenance::of(&archive, module, version.parse().unwrap());
    let attestation = Attestation::sign(&SshKey::open(KEY, None).unwrap(), &provenance).unwrap();
    join_upload(&attestation, &archive).unwrap()
}

/// A path of a route's pattern.
fn path_of(route: &Route) -> String {
    route
        .pattern
        .replace("{namespace}", "acme")
        .replace("{name}", "network")
        .replace("{system}", "aws")
        .replace("{version}", "1.0.0")
        .replace("{statement}", "statement-0.json")
        .replace("{file}", "terraform-provider-network_1.0.0_SHA256SUMS")
        .replace("{os}", "linux")
        .replace("{arch}", "amd64")
        .replace("{token}", "new")
}

#[tokio::test]
async fn every_route_refuses_everyone_who_has_not_what_it_needs() {
    let world = World::new(false).await;
    let read = world.token("reader", Role::Read, &[]).await;
    let elsewhere = world.token("elsewhere", Role::Publish, &["other"]).await;
    let publish = world.token("publisher", Role::Publish, &["acme"]).await;
    let admin = world.token("admin", Role::Admin, &[]).await;
    let ended = world.token("ended", Role::Admin, &[]).await;
    world.registry.tokens().revoke("ended").await.unwrap();
    let body = upload("", "1.0.0");
    let put = world
        .ask(Method::Put, &format!("{BASE}/1.0.0"), Some(&publish), body)
        .await;
    assert_eq!(put.status, 201, "{}", text(&put));
    for route in ROUTES {
        let path = path_of(route);
        assert!(!path.contains('{'), "{path}");
        for (token, allowed) in [
            (None, route.need == Need::Nothing),
            (Some(&ended), route.need == Need::Nothing),
            (Some(&read), route.need <= Need::Read),
            (Some(&elsewhere), route.need <= Need::Read),
            (Some(&publish), route.need <= Need::Publish),
            (Some(&admin), true),
        ] {
            let mut request = Request::new(route.method, &path);
            if let Some(token) = token {
                request = request.with_token(token.secret());
            }
            let admitted = world.registry.admit(request).await;
            match admitted {
                Ok(_) => assert!(allowed, "{:?} {path} by {token:?}", route.method),
                Err(refusal) => {
                    assert!(!allowed, "{:?} {path} by {token:?}", route.method);
                    let is_known = token.is_some_and(|token| *token != ended);
                    let expected = if is_known { 403 } else { 401 };
                    assert_eq!(refusal.status, expected, "{:?} {path}", route.method);
                    assert_eq!(refusal.get("www-authenticate").is_some(), expected == 401);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_public_registry_is_read_by_everybody_and_written_by_nobody_else() {
    let world = World::new(true).await;
    for route in ROUTES {
        let admitted = world
            .registry
            .admit(Request::new(route.method, &path_of(route)))
            .await;
        assert_eq!(
            admitted.is_ok(),
            route.need <= Need::Read,
            "{}",
            route.pattern
        );
    }
}

#[tokio::test]
async fn what_is_published_is_installed_by_address_and_ticket() {
    let world = World::new(false).await;
    let publish = world.token("ci", Role::Publish, &["acme"]).await;
    let read = world.token("me", Role::Read, &[]).await;
    let put = |version: &'static str, content: &'static str| {
        let body = upload(content, version);
        let (world, publish) = (&world, &publish);
        async move {
            world
                .ask(
                    Method::Put,
                    &format!("{BASE}/{version}"),
                    Some(publish),
                    body,
                )
                .await
        }
    };
    assert_eq!(put("1.0.0", "# one\n").await.status, 201);
    assert_eq!(put("1.0.0", "# one\n").await.status, 409);
    assert_eq!(put("1.0.0", "# two\n").await.status, 409);
    assert_eq!(put("1.1.0", "# two\n").await.status, 201);
    let listed = document(&world.get(&format!("{BASE}/versions"), Some(&read)).await);
    let versions = listed["modules"][0]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["version"], "1.1.0");
    let download = world
        .get(&format!("{BASE}/1.0.0/download"), Some(&read))
        .await;
    let location = download.get("x-terraform-get").unwrap().to_owned();
    assert_eq!(document(&download)["location"], location);
    let digest = archive("# one\n").digest().to_owned();
    assert!(
        location.starts_with(&format!("./module.zip?checksum=sha256:{digest}&until=")),
        "{location}"
    );
    let address = format!("{BASE}/1.0.0/{}", &location[2..]);
    let fetched = world.get(&address, None).await;
    assert_eq!(fetched.status, 200);
    assert_eq!(*fetched.body, *archive("# one\n").bytes());
    let other = address.replace("1.0.0", "1.1.0");
    assert_eq!(world.get(&other, None).await.status, 401);
    let statement = versions[1]["statement"].as_str().unwrap();
    let statement = world
        .get(
            &format!("{BASE}/1.0.0/statement-{statement}.json"),
            Some(&read),
        )
        .await;
    Attestation::open(&statement.body)
        .unwrap()
        .is_about(&archive("# one\n"))
        .unwrap();
    assert_eq!(
        world
            .get(&format!("{BASE}/1.0.0/statement-0.json"), Some(&read))
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .get(&format!("{BASE}/2.0.0/download"), Some(&read))
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .get(&format!("{BASE}/v1.0.0/download"), Some(&read))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn uploads_that_do_not_hold_together_are_refused() {
    let world = World::with_signers(false, Some(BTreeSet::from(["SHA256:other".to_owned()]))).await;
    let publish = world.token("ci", Role::Publish, &[]).await;
    let good = upload("", "1.0.0");
    for (address, body, why) in [
        (format!("{BASE}/1.0.0"), good.clone(), "none of those"),
        (format!("{BASE}/1.0.0"), Vec::new(), "upload is none"),
        (format!("{BASE}/1.0.0"), vec![0xff; 64], "upload is none"),
        (format!("{BASE}/1.0.0"), vec![0; 64], "statement is refused"),
    ] {
        let refused = world.ask(Method::Put, &address, Some(&publish), body).await;
        assert_eq!(refused.status, 422);
        assert!(text(&refused).contains(why), "{}", text(&refused));
    }
    let world = World::new(false).await;
    let publish = world.token("ci", Role::Publish, &[]).await;
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    damaged.push(0);
    for (address, body) in [
        (format!("{BASE}/1.0.1"), good.clone()),
        ("/v1/modules/acme/other/aws/1.0.0".to_owned(), good.clone()),
        (format!("{BASE}/1.0.0"), damaged),
    ] {
        let refused = world.ask(Method::Put, &address, Some(&publish), body).await;
        assert_eq!(refused.status, 422, "{address}: {}", text(&refused));
    }
    assert_eq!(
        world
            .get(&format!("{BASE}/versions"), Some(&publish))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn versions_are_taken_back_and_given_back() {
    let world = World::new(true).await;
    let publish = world.token("ci", Role::Publish, &["acme"]).await;
    let body = upload("", "1.0.0");
    world
        .ask(Method::Put, &format!("{BASE}/1.0.0"), Some(&publish), body)
        .await;
    let yanked = format!("{BASE}/1.0.0/yanked");
    let reason = br#"{"reason":"it deletes too much"}"#.to_vec();
    assert_eq!(
        world
            .ask(Method::Put, &yanked, Some(&publish), reason)
            .await
            .status,
        204
    );
    let listed = document(&world.get(&format!("{BASE}/versions"), None).await);
    assert_eq!(
        listed["modules"][0]["versions"].as_array().unwrap().len(),
        0
    );
    assert_eq!(
        listed["modules"][0]["yanked"][0]["reason"],
        "it deletes too much"
    );
    assert_eq!(
        world
            .get(&format!("{BASE}/1.0.0/download"), None)
            .await
            .status,
        200
    );
    let page = text(&world.get("/modules/acme/network/aws", None).await);
    assert!(page.contains("This version was taken back."), "{page}");
    assert_eq!(
        world
            .ask(Method::Delete, &yanked, Some(&publish), Vec::new())
            .await
            .status,
        204
    );
    let deprecation = format!("{BASE}/1.0.0/deprecation");
    let bad = br#"{"reason":"x","link":"javascript:alert(1)"}"#.to_vec();
    assert_eq!(
        world
            .ask(Method::Put, &deprecation, Some(&publish), bad)
            .await
            .status,
        422
    );
    let good = br#"{"reason":"use 2.0","link":"https://example.com/"}"#.to_vec();
    assert_eq!(
        world
            .ask(Method::Put, &deprecation, Some(&publish), good)
            .await
            .status,
        204
    );
    let listed = document(&world.get(&format!("{BASE}/versions"), None).await);
    assert_eq!(
        listed["modules"][0]["versions"][0]["deprecation"]["reason"],
        "use 2.0"
    );
}

#[tokio::test]
async fn a_provider_is_there_once_all_of_its_release_is() {
    let world = World::new(false).await;
    let publish = world.token("ci", Role::Publish, &["acme"]).await;
    let base = "/v1/providers/acme/thing/1.0.0";
    let stem = "terraform-provider-thing_1.0.0";
    let package = b"a package".to_vec();
    let digest = crate::tokens::hex(&Sha256::digest(&package));
    let sums = format!("{digest}  {stem}_linux_amd64.zip\n").into_bytes();
    let mut files = BTreeMap::new();
    let release = |files: &BTreeMap<String, String>| {
        json!({
            "protocols": ["5.0"],
            "files": files,
            "keys": [{"key_id": "AB", "ascii_armor": "a key"}],
        })
        .to_string()
        .into_bytes()
    };
    for (ending, body) in [
        ("_SHA256SUMS", sums),
        ("_SHA256SUMS.sig", b"signed".to_vec()),
        ("_linux_amd64.zip", package),
    ] {
        let early = world
            .ask(Method::Put, base, Some(&publish), release(&files))
            .await;
        assert_eq!(early.status, 422, "{}", text(&early));
        let name = format!("{stem}{ending}");
        let address = format!("{base}/files/{name}");
        let uploaded = world.ask(Method::Put, &address, Some(&publish), body).await;
        assert_eq!(uploaded.status, 201);
        files.insert(
            name,
            document(&uploaded)["sha256"].as_str().unwrap().to_owned(),
        );
    }
    assert_eq!(
        world
            .get("/v1/providers/acme/thing/versions", Some(&publish))
            .await
            .status,
        404
    );
    let published = world
        .ask(Method::Put, base, Some(&publish), release(&files))
        .await;
    assert_eq!(published.status, 201, "{}", text(&published));
    assert_eq!(
        world
            .ask(Method::Put, base, Some(&publish), release(&files))
            .await
            .status,
        409
    );
    let versions = document(
        &world
            .get("/v1/providers/acme/thing/versions", Some(&publish))
            .await,
    );
    assert_eq!(
        versions["versions"][0]["platforms"][0],
        json!({"os": "linux", "arch": "amd64"})
    );
    let download = world
        .get(&format!("{base}/download/linux/amd64"), Some(&publish))
        .await;
    let download = document(&download);
    assert_eq!(download["shasum"], digest);
    let address = download["download_url"]
        .as_str()
        .unwrap()
        .replace("../..", base);
    let fetched = world.get(&address, None).await;
    assert_eq!((fetched.status, &*fetched.body), (200, &b"a package"[..]));
    assert_eq!(
        world
            .get(&format!("{base}/download/linux/arm64"), Some(&publish))
            .await
            .status,
        404
    );
    let elsewhere = format!("{base}/files/other.zip");
    assert_eq!(
        world
            .ask(Method::Put, &elsewhere, Some(&publish), Vec::new())
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn pages_tell_what_there_is_and_obey_nothing() {
    let world = World::new(true).await;
    let publish = world.token("ci", Role::Publish, &["acme"]).await;
    let content = "variable \"size\" {\n  type        = number\n  description = \"<script>\"\n}\n";
    let body = upload(content, "1.0.0");
    world
        .ask(Method::Put, &format!("{BASE}/1.0.0"), Some(&publish), body)
        .await;
    let found = world.get("/?q=NETWORK+net", None).await;
    assert!(found.get("content-security-policy").is_some());
    assert!(
        text(&found).contains("<a href=\"/modules/acme/network/aws\">"),
        "{}",
        text(&found)
    );
    let none = text(&world.get("/?q=%3Cscript%3E", None).await);
    assert!(
        none.contains("0 modules and 0 providers") && !none.contains("<script"),
        "{none}"
    );
    let page = text(&world.get("/modules/acme/network/aws/1.0.0", None).await);
    for part in [
        "<code>size</code>",
        "&lt;script&gt;",
        "&lt;b&gt;network",
        "<h2>Readme</h2>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    assert_eq!(world.get("/modules/acme/none/aws", None).await.status, 404);
    let search = document(&world.get("/v1/search?q=net", None).await);
    assert_eq!(search["modules"][0]["id"], "acme/network/aws");
    let private = World::new(false).await;
    let refused = private.get("/", None).await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .get("www-authenticate")
            .unwrap()
            .starts_with("Basic")
    );
}

#[tokio::test]
async fn administrators_give_out_tokens_and_end_them() {
    let world = World::new(false).await;
    let admin = world.token("admin", Role::Admin, &[]).await;
    let asked = br#"{"role":"publish","namespaces":["acme"]}"#.to_vec();
    let issued = world
        .ask(Method::Put, "/v1/tokens/ci", Some(&admin), asked.clone())
        .await;
    assert_eq!(issued.status, 201);
    let token = document(&issued)["token"].as_str().unwrap().to_owned();
    let request = || Request::new(Method::Put, &format!("{BASE}/1.0.0")).with_token(&token);
    assert!(world.registry.admit(request()).await.is_ok());
    assert_eq!(
        world
            .ask(Method::Put, "/v1/tokens/ci", Some(&admin), asked)
            .await
            .status,
        409
    );
    let listed = world.get("/v1/tokens", Some(&admin)).await;
    assert!(!text(&listed).contains(&token));
    assert_eq!(document(&listed)["tokens"][1]["issued_by"], "admin");
    let bad = br#"{"role":"owner"}"#.to_vec();
    assert_eq!(
        world
            .ask(Method::Put, "/v1/tokens/x", Some(&admin), bad)
            .await
            .status,
        422
    );
    let ended = world
        .ask(Method::Delete, "/v1/tokens/ci", Some(&admin), Vec::new())
        .await;
    assert_eq!(ended.status, 204);
    assert_eq!(
        world.registry.admit(request()).await.unwrap_err().status,
        401
    );
}
