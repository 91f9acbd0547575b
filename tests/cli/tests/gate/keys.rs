//! Keys that approvals are signed with: in files with a passphrase, in an ssh-agent, and in a security device.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use ssh_key::PublicKey;
use terrace_gate::{fingerprint_of, public_key_of};

use crate::people::Shop;

/// Throwaway keys of the gate's own tests; that with a passphrase has `secret`.
const ED25519: &str = include_str!("../../../../engine/gate/tests/gate/keys/ed25519");
const ECDSA: &str = include_str!("../../../../engine/gate/tests/gate/keys/ecdsa");
const RSA: &str = include_str!("../../../../engine/gate/tests/gate/keys/rsa");
const ENCRYPTED: &str = include_str!("../../../../engine/gate/tests/gate/keys/encrypted");

/// Lets a person have these keys, and no others.
fn give(shop: &Shop, person: &str, keys: &[&str]) {
    let path = shop.project.outer().join("keys").join(person);
    let old = fingerprint_of(&std::fs::read_to_string(path).unwrap()).unwrap();
    let new: Vec<String> = keys
        .iter()
        .map(|key| format!("{:?}", fingerprint_of(key).unwrap()))
        .collect();
    let rules = shop.project.read("terrace.hcl");
    let replaced = rules.replace(&format!("{old:?}"), &new.join(", "));
    assert_ne!(replaced, rules);
    shop.project.write("terrace.hcl", replaced);
}

/// A file beside the project that only its owner may read.
fn file(shop: &Shop, name: &str, text: &str) -> PathBuf {
    let path = shop.project.outer().join("keys").join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A run for stg that nobody has approved yet.
fn a_run(shop: &Shop, greeting: &str) -> String {
    let greeting = format!("-var=greeting={greeting}");
    shop.plan("stg", &[&shop.key("ann"), &greeting])
}

fn has(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

#[test]
fn a_key_with_a_passphrase_signs_with_it_and_not_without() {
    let mut shop = Shop::new();
    give(&shop, "ben", &[ENCRYPTED]);
    let key = format!("-key={}", file(&shop, "encrypted", ENCRYPTED).display());
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    let approve = ["approve", "-env=stg", &key, &run];
    shop.project
        .terrace(&approve)
        .fails(1)
        .says("is protected by a passphrase, and none opened it")
        .says("TERRACE_SSH_PASSPHRASE");
    shop.project.set("TERRACE_SSH_PASSPHRASE", "guessed");
    shop.project
        .terrace(&approve)
        .fails(1)
        .says("the passphrase is not the one of the SSH key");
    shop.project.set("TERRACE_SSH_PASSPHRASE", "secret");
    shop.project.terrace(&approve).success();
    shop.apply("stg", &run).success();
    // What its owner did is signed in the audit log as well.
    shop.project
        .terrace(&["audit", "verify", "-env=stg"])
        .success()
        .says("are signed");
}

/// A real ssh-agent. Dropping it ends it.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(directory: &Path) -> Self {
        let socket = directory.join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(2), "no agent");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .stdin(Stdio::null())
            .status();
        assert!(added.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn an_agent_signs_with_keys_of_every_kind() {
    if !has("ssh-agent") || !has("ssh-add") || !has("ssh-keygen") {
        return;
    }
    let mut shop = Shop::new();
    give(&shop, "ben", &[ED25519, ECDSA, RSA, ENCRYPTED]);
    let agent = Agent::start(shop.project.outer());
    shop.project.set("SSH_AUTH_SOCK", &agent.socket);
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    let approve = |run: &str, key: &str| {
        let key = format!("-key={key}");
        shop.project.terrace(&["approve", "-env=stg", &key, run])
    };
    approve(&run, "agent")
        .fails(1)
        .says("The agent has no keys");
    // The only key needs no name.
    agent.add(&file(&shop, "one", ED25519));
    approve(&run, "agent").success();
    verified_by_openssh(&shop, &run, "ben");
    shop.apply("stg", &run).success();

    agent.add(&file(&shop, "two", ECDSA));
    agent.add(&file(&shop, "three", RSA));
    approve(&run, "agent")
        .fails(1)
        .says("The agent has several keys")
        .says(&fingerprint_of(RSA).unwrap());
    for key in [ECDSA, RSA] {
        // By its fingerprint, or by the file of its public half.
        let public = file(&shop, "half.pub", &public_key_of(key).unwrap());
        let names = [fingerprint_of(key).unwrap(), public.display().to_string()];
        for (index, name) in names.iter().enumerate() {
            let run = a_run(&shop, &format!("{} {index}", &name[..12]));
            approve(&run, name).success();
            verified_by_openssh(&shop, &run, "ben");
        }
    }
    // What the agent has opened needs no passphrase.
    let locked = file(&shop, "locked", ENCRYPTED);
    let open = file(&shop, "open", ENCRYPTED);
    let run = a_run(&shop, "opened by the agent");
    let name = locked.display().to_string();
    approve(&run, &name).fails(1).says("none opened it");
    let changed = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "secret", "-N", "", "-f"])
        .arg(&open)
        .stdout(Stdio::null())
        .status();
    assert!(changed.unwrap().success());
    agent.add(&open);
    approve(&run, &name).success();
    shop.apply("stg", &run).success();

    let gone =
        public_key_of(&std::fs::read_to_string(shop.project.outer().join("keys/cem")).unwrap());
    let gone = file(&shop, "gone.pub", &gone.unwrap());
    approve(&run, &gone.display().to_string())
        .fails(1)
        .says("is a public key, and no agent has the private one")
        .says("ssh-add");
    drop(agent);
    approve(&run, "agent")
        .fails(1)
        .says("The ssh-agent cannot be asked");
}

/// `ssh-keygen` alone says that a person's signature over an approval holds.
#[track_caller]
fn verified_by_openssh(shop: &Shop, run: &str, person: &str) {
    if !has("ssh-keygen") {
        return;
    }
    let directory = format!("-dir=evidence-{run}");
    shop.project
        .terrace(&["runs", "approvals", "-env=stg", run, &directory])
        .success();
    let script = format!(
        "cd evidence-{run} && ssh-keygen -Y verify -f allowed_signers -I {person} -n terrace-approval -s {person}.sig < {person}"
    );
    shop.project
        .other("sh", &["-c", &script])
        .success()
        .says(&format!("Good \"terrace-approval\" signature for {person}"));
}

const APPLICATION: &[u8] = b"ssh:";
const KIND: &[u8] = b"sk-ssh-ed25519@openssh.com";

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes()[..], bytes].concat()
}

/// An agent with one key in a security device, both in software. It says of each signature whether the device was touched.
struct Device {
    pair: SigningKey,
    is_touched: bool,
}

impl Device {
    fn public_bytes(&self) -> Vec<u8> {
        [
            string(KIND),
            string(self.pair.verifying_key().as_bytes()),
            string(APPLICATION),
        ]
        .concat()
    }

    fn public_key(&self) -> String {
        let key = PublicKey::from_bytes(&self.public_bytes()).unwrap();
        key.to_openssh().unwrap()
    }

    fn signature(&self, data: &[u8]) -> Vec<u8> {
        let (flags, counter) = (u8::from(self.is_touched), 1_u32.to_be_bytes());
        let signed = [
            &Sha256::digest(APPLICATION)[..],
            &[flags],
            &counter,
            &Sha256::digest(data),
        ]
        .concat();
        let signature = string(&self.pair.sign(&signed).to_bytes());
        [string(KIND), signature, vec![flags], counter.to_vec()].concat()
    }

    /// Answers at a socket, for as long as the test lasts.
    fn serve(self, socket: &Path) {
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is no concern of the agent's.
                self.answer(stream).ok();
            }
        });
    }

    fn answer(&self, mut stream: UnixStream) -> std::io::Result<()> {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request)?;
        let answer = match request[0] {
            11 => [
                &[12][..],
                &1_u32.to_be_bytes(),
                &string(&self.public_bytes()),
                &string(b"device"),
            ]
            .concat(),
            13 => {
                let key = string(&self.public_bytes());
                assert_eq!(request[1..=key.len()], key);
                let rest = &request[1 + key.len()..];
                let data = &rest[4..rest.len() - 4];
                [&[14][..], &string(&self.signature(data))].concat()
            }
            _ => vec![5],
        };
        stream.write_all(&string(&answer))
    }
}

#[test]
fn a_security_device_signs_once_it_is_touched() {
    for is_touched in [true, false] {
        let mut shop = Shop::new();
        let device = Device {
            pair: SigningKey::from_bytes(&[7; 32]),
            is_touched,
        };
        give(&shop, "ben", &[&device.public_key()]);
        let public = file(&shop, "device.pub", &device.public_key());
        let socket = shop.project.outer().join("device");
        device.serve(&socket);
        shop.project.set("SSH_AUTH_SOCK", &socket);
        shop.apply_in_dev();
        let run = shop.promote("dev", "stg", "ann");
        let key = format!("-key={}", public.display());
        let approved = shop.project.terrace(&["approve", "-env=stg", &key, &run]);
        approved.success();
        if is_touched {
            verified_by_openssh(&shop, &run, "ben");
            shop.apply("stg", &run).success();
        } else {
            shop.apply("stg", &run)
                .fails(5)
                .says("nobody touched the security device");
        }
    }
}
