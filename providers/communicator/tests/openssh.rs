//! Against OpenSSH's own server, where there is one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]
use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use terrace_communicator::Ssh;
use terrace_port::{
    Connection, Content, Login, Platform, Proxy, Remote as _, RemoteError, RemoteTask,
};
use terrace_test_services::Sshd;

/// A server, or nothing where none can be had.
fn sshd() -> Option<Sshd> {
    match Sshd::start() {
        Ok(sshd) => Some(sshd),
        Err(why) => {
            eprintln!("SKIPPED: no OpenSSH server: {why}");
            None
        }
    }
}

fn login(sshd: &Sshd, key: &str) -> Login {
    Login {
        host: "127.0.0.1".to_owned(),
        port: sshd.port(),
        user: sshd.user().to_owned(),
        password: None,
        private_key: Some(sshd.text(key).unwrap()),
        certificate: None,
        host_key: None,
    }
}

fn connection(target: Login) -> Connection {
    Connection {
        target,
        bastion: None,
        proxy: None,
        timeout: Duration::from_mins(2),
        script_path: None,
        platform: Platform::Unix,
        agent: None,
        agent_identity: None,
    }
}

fn script(text: &str) -> RemoteTask {
    RemoteTask::Run(vec![Content::Text(text.to_owned())])
}

/// Carries out a task: how it ended, and what was said.
async fn ask(
    ssh: &Ssh,
    connection: &Connection,
    task: &RemoteTask,
) -> (Result<(), RemoteError>, Vec<String>) {
    let said = Mutex::new(Vec::new());
    let ended = ssh
        .carry_out(connection, task, &|line: &str| {
            said.lock().unwrap().push(line.to_owned());
        })
        .await;
    (ended, said.into_inner().unwrap())
}

async fn run(connection: &Connection, text: &str) -> (Result<(), RemoteError>, Vec<String>) {
    ask(&Ssh::default(), connection, &script(text)).await
}

async fn refused(connection: &Connection) -> String {
    run(connection, "echo hi\n").await.0.unwrap_err().0
}

/// What is said in the end of what passes perhaps, and is tried until the time is over. On a busy machine a short time ends
/// before the first attempt does, so that more and more of it is given until there are so many.
async fn refused_after(connection: &mut Connection, attempts: usize) -> (String, Vec<String>) {
    for milliseconds in [1500, 6000, 24_000] {
        connection.timeout = Duration::from_millis(milliseconds);
        let (ended, said) = run(connection, "true\n").await;
        let why = ended.unwrap_err().0;
        if said.len() >= attempts && !why.contains("no answer from") {
            return (why, said);
        }
    }
    panic!("{attempts} attempts do not fit in 24 s");
}

#[tokio::test]
async fn scripts_run_and_say_what_they_do() {
    let Some(sshd) = sshd() else { return };
    let connection = connection(login(&sshd, "id"));
    let text = "echo one\necho two >&2\nprintf 'a\\n\\nb'; test -t 1 && echo terminal\n";
    let (ended, said) = run(&connection, text).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(
        said[0],
        format!(
            "Connecting to remote host via SSH...\n  Host: 127.0.0.1\n  User: {}\n  Password: false\n  Private key: true\n  Certificate: false\n  SSH Agent: false\n  Checking Host Key: false\n  Target Platform: unix",
            sshd.user()
        )
    );
    assert_eq!(
        said[1..],
        ["Connected!", "one", "two", "a", "", "bterminal"]
    );
}

#[tokio::test]
async fn the_script_that_fails_is_the_last_and_none_is_left() {
    let Some(sshd) = sshd() else { return };
    let mut connection = connection(login(&sshd, "id"));
    let place = TempDir::new().unwrap();
    let path = place.path().join("a script-%RAND%.sh");
    connection.script_path = Some(path.display().to_string());
    let scripts = ["echo first\n", "#!/bin/sh -e\nfalse\n", "echo never\n"];
    let task = RemoteTask::Run(scripts.map(|text| Content::Text(text.to_owned())).into());
    let (ended, said) = ask(&Ssh::default(), &connection, &task).await;
    let why = ended.unwrap_err().0;
    let start = format!("error executing \"{}/a script-", place.path().display());
    assert!(why.starts_with(&start), "{why}");
    assert!(
        why.ends_with(".sh\": Process exited with status 1"),
        "{why}"
    );
    assert_eq!(said[1..], ["Connected!", "first"]);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn keys_certificates_and_agents_log_in() {
    let Some(sshd) = sshd() else { return };
    let ok = |ended: Result<(), RemoteError>| assert_eq!(ended, Ok(()), "{}", sshd.log());
    ok(run(&connection(login(&sshd, "rsa")), "true\n").await.0);
    let mut signed = login(&sshd, "signed");
    signed.certificate = Some(sshd.text("signed-cert.pub").unwrap());
    ok(run(&connection(signed), "true\n").await.0);
    // The agent holds keys that nobody knows, and lastly one that is let in.
    let mut agent = Agent::start(&sshd);
    for name in ["stranger", "encrypted.none", "id"] {
        agent.add(&sshd, name);
    }
    let mut by_agent = connection(login(&sshd, "id"));
    by_agent.target.private_key = None;
    by_agent.agent = Some(true);
    by_agent.agent_identity = Some(sshd.file("id").display().to_string());
    let ssh = Ssh {
        agent: Some(agent.socket.clone()),
    };
    let (ended, said) = ask(&ssh, &by_agent, &script("ssh-add -l\n")).await;
    ok(ended);
    let last = said.last().unwrap();
    assert!(
        last.contains("id (ED25519)"),
        "the agent is at hand there: {said:?}"
    );
    agent.stop();
    let gone = ask(&ssh, &by_agent, &script("true\n"))
        .await
        .0
        .unwrap_err()
        .0;
    assert!(gone.contains("Error connecting to SSH_AUTH_SOCK"), "{gone}");
}

/// An SSH agent.
struct Agent {
    child: std::process::Child,
    socket: String,
}

impl Agent {
    fn start(sshd: &Sshd) -> Self {
        let socket = sshd.file("agent").display().to_string();
        let child = Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !fs::exists(&socket).unwrap() && start.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, socket }
    }

    fn add(&self, sshd: &Sshd, name: &str) {
        if !sshd.file(name).exists() {
            return;
        }
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(sshd.file(name))
            .env("SSH_AUTH_SOCK", &self.socket)
            .status();
        assert!(added.unwrap().success());
    }

    fn stop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop();
    }
}

#[tokio::test]
async fn only_the_expected_host_is_trusted() {
    let Some(sshd) = sshd() else { return };
    for name in ["host.pub", "host_ca.pub"] {
        let mut expected = connection(login(&sshd, "id"));
        expected.target.host_key = Some(sshd.text(name).unwrap());
        assert_eq!(run(&expected, "true\n").await.0, Ok(()), "{name}");
    }
    let mut other = connection(login(&sshd, "id"));
    other.target.host_key = Some(sshd.text("stranger.pub").unwrap());
    let start = Instant::now();
    let why = refused(&other).await;
    assert!(why.contains("key mismatch"), "{why}");
    assert!(start.elapsed() < other.timeout / 2, "waiting is of no use");
    // A bastion is looked at as closely.
    let mut behind = connection(login(&sshd, "id"));
    behind.bastion = Some(other.target);
    let why = refused(&behind).await;
    assert!(
        why.starts_with("Error connecting to bastion: ") && why.contains("key mismatch"),
        "{why}"
    );
}

#[tokio::test]
async fn what_cannot_log_in_is_told_in_time() {
    let Some(sshd) = sshd() else { return };
    let mut stranger = connection(login(&sshd, "stranger"));
    let (why, said) = refused_after(&mut stranger, 2).await;
    assert_eq!(
        why,
        format!(
            "timeout - last error: SSH authentication failed ({}@127.0.0.1:{}): ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
            sshd.user(),
            sshd.port()
        )
    );
    assert!(said.len() >= 2, "it tries again");
    for (key, says) in [
        ("encrypted", "passphrase protected"),
        ("id.pub", "no key found"),
    ] {
        let why = refused(&connection(login(&sshd, key))).await;
        assert!(why.contains(says), "{why}");
    }
}

#[tokio::test]
async fn a_bastion_and_proxies_lead_there() {
    let Some(sshd) = sshd() else { return };
    let mut behind = connection(login(&sshd, "id"));
    behind.bastion = Some(login(&sshd, "rsa"));
    let (ended, said) = run(&behind, "echo there\n").await;
    assert_eq!(ended, Ok(()));
    assert!(said[0].contains("\nUsing configured bastion host...\n  Host: 127.0.0.1"));
    assert_eq!(said[1..], ["Connected!", "there"]);
    behind.target.port = 1;
    let (why, _) = refused_after(&mut behind, 1).await;
    assert!(
        why.contains("The bastion does not reach 127.0.0.1:1"),
        "{why}"
    );
    for scheme in ["http", "socks5"] {
        let proxy = proxy(scheme).await;
        let mut behind = connection(login(&sshd, "id"));
        behind.proxy = Some(proxy.clone());
        let (ended, said) = run(&behind, "echo there\n").await;
        assert_eq!(ended, Ok(()), "{scheme}");
        assert!(said[0].ends_with("\n  ProxyUserName: u\n  ProxyUserPassword: true"));
        behind.proxy = Some(Proxy {
            password: None,
            ..proxy
        });
        let (why, _) = refused_after(&mut behind, 1).await;
        assert!(why.contains("proxy: it refuses"), "{why}");
    }
}

/// A proxy that lets in `u` with the password `p`.
async fn proxy(scheme: &str) -> Proxy {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = scheme == "http";
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let served = if http {
                    serve_http(stream).await
                } else {
                    serve_socks(stream).await
                };
                served.ok();
            });
        }
    });
    Proxy {
        scheme: scheme.to_owned(),
        host: "127.0.0.1".to_owned(),
        port,
        user: Some("u".to_owned()),
        password: Some("p".to_owned()),
    }
}

async fn serve_http(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if !head.contains("Proxy-Authorization: Basic dTpw\r\n") {
        let no = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(no).await;
    }
    let mut target = tokio::net::TcpStream::connect(head.split(' ').nth(1).unwrap()).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut stream, &mut target).await?;
    Ok(())
}

async fn serve_socks(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut methods = [0; 4];
    stream.read_exact(&mut methods).await?;
    stream.write_all(&[5, 2]).await?;
    let mut login = [0; 4];
    stream.read_exact(&mut login).await?;
    if login != [1, 1, b'u', 1] || stream.read_u8().await? != b'p' {
        return stream.write_all(&[1, 1]).await;
    }
    stream.write_all(&[1, 0]).await?;
    let mut request = [0; 10];
    stream.read_exact(&mut request).await?;
    let [_, _, _, 1, a, b, c, d, high, low] = request else {
        return stream.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    };
    let target = (
        std::net::Ipv4Addr::new(a, b, c, d),
        u16::from_be_bytes([high, low]),
    );
    let mut target = tokio::net::TcpStream::connect(target).await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut target).await?;
    Ok(())
}

#[tokio::test]
async fn files_and_directories_arrive() {
    let Some(sshd) = sshd() else { return };
    let connection = connection(login(&sshd, "id"));
    let place = TempDir::new().unwrap();
    let there = |name: &str| format!("{}/{name}", place.path().display());
    let copy = async |content: Content, destination: String| {
        let task = RemoteTask::Copy {
            content,
            destination,
        };
        let (ended, said) = ask(&Ssh::default(), &connection, &task).await;
        assert!(said.is_empty(), "{said:?}");
        ended
    };
    let path = |name: &str| Content::Path(there(name));
    let read = |name: &str| fs::read_to_string(there(name)).unwrap();
    copy(Content::Text("hello\n".to_owned()), there("it's a file"))
        .await
        .unwrap();
    assert_eq!(read("it's a file"), "hello\n");
    // Larger than a window, and not a whole number of packets.
    let large = vec![b'x'; 5_000_001];
    fs::write(there("large"), &large).unwrap();
    copy(path("large"), there("large copy")).await.unwrap();
    assert!(fs::read(there("large copy")).unwrap() == large);
    fs::create_dir_all(there("tree/sub/empty")).unwrap();
    fs::write(there("tree/a"), "a").unwrap();
    fs::write(there("tree/sub/b"), "b").unwrap();
    // Without a slash the directory goes below one that exists, and becomes one that does not.
    copy(path("tree"), there("fresh")).await.unwrap();
    assert_eq!(read("fresh/sub/b"), "b");
    copy(path("tree"), there("fresh")).await.unwrap();
    assert_eq!(read("fresh/tree/sub/b"), "b");
    assert!(
        fs::metadata(there("fresh/tree/sub/empty"))
            .unwrap()
            .is_dir()
    );
    // With a slash only what is in it goes, whether or not the destination exists.
    for _ in 0..2 {
        copy(path("tree/"), there("flat")).await.unwrap();
        assert_eq!(read("flat/a") + &read("flat/sub/b"), "ab");
        assert!(!fs::exists(there("flat/tree")).unwrap());
    }
    let why = copy(path("missing"), there("x")).await.unwrap_err().0;
    assert_eq!(
        why,
        format!("stat {}: no such file or directory", there("missing"))
    );
    let why = copy(Content::Text(String::new()), there("no/where"))
        .await
        .unwrap_err()
        .0;
    assert_eq!(
        why,
        format!(
            "Upload failed: scp: {}: No such file or directory",
            there("no")
        )
    );
    assert!(!fs::exists(there("no")).unwrap());
}

#[tokio::test]
async fn dropping_the_work_ends_the_script() {
    let Some(sshd) = sshd() else { return };
    let connection = connection(login(&sshd, "id"));
    let place = TempDir::new().unwrap();
    let (begun, ended) = (place.path().join("begun"), place.path().join("ended"));
    let text = format!(
        "trap 'touch {}; exit 1' HUP TERM\ntouch {}\nwhile true; do sleep 0.1; done\n",
        ended.display(),
        begun.display()
    );
    let start = Instant::now();
    let patience = Duration::from_mins(2);
    {
        let work = run(&connection, &text);
        let watch = async {
            while !begun.exists() && start.elapsed() < patience {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            _ = work => panic!("it runs for ever"),
            () = watch => {}
        }
    }
    while !ended.exists() && start.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.exists() && ended.exists());
}
