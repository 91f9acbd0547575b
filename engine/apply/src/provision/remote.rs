//! `remote-exec` and `file`: scripts and files on other machines.

use std::time::Duration;

use terrace_port::{Connection, Content, Login, Platform, Proxy, Remote, RemoteTask};
use terrace_value::Value;

/// For how long a machine is tried where nothing is said.
const USUAL_TIMEOUT: Duration = Duration::from_mins(5);

/// Something to do on another machine.
pub(super) struct RemoteWork {
    connection: Connection,
    task: RemoteTask,
}

impl RemoteWork {
    /// From arguments and a connection that are known and without marks. Beside it a warning.
    pub(super) fn of(
        type_name: &str,
        arguments: &Value,
        connection: &Value,
    ) -> Result<(Self, Option<String>), String> {
        let task = match type_name {
            "file" => copy(arguments)?,
            _ => run(arguments)?,
        };
        let (connection, warning) = read_connection(&Arguments(connection))?;
        Ok((Self { connection, task }, warning))
    }

    /// Does it; why that failed.
    pub(super) async fn run(
        &self,
        remote: &dyn Remote,
        say: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), String> {
        remote
            .carry_out(&self.connection, &self.task, say)
            .await
            .map_err(|error| error.to_string())
    }
}

/// The scripts of `remote-exec`. Lines of `inline` are one script together.
fn run(arguments: &Value) -> Result<RemoteTask, String> {
    let list = |name: &str| -> Result<Option<Vec<String>>, String> {
        let Some(values) = arguments.get(name).and_then(Value::as_sequence) else {
            return Ok(None);
        };
        let text = |value: &Value| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| format!("invalid null string in '{name}'"))
        };
        values.iter().map(text).collect::<Result<_, _>>().map(Some)
    };
    if let Some(lines) = list("inline")? {
        let mut script = lines.join("\n");
        if !lines.is_empty() {
            script.push('\n');
        }
        return Ok(RemoteTask::Run(vec![Content::Text(script)]));
    }
    let (name, paths) = match list("scripts")? {
        Some(paths) => ("scripts", paths),
        None => {
            let script = arguments.get("script").and_then(Value::as_str);
            ("script", vec![script.unwrap_or_default().to_owned()])
        }
    };
    if paths.iter().any(String::is_empty) {
        return Err(format!("invalid empty string in '{name}'"));
    }
    Ok(RemoteTask::Run(
        paths.into_iter().map(Content::Path).collect(),
    ))
}

/// What `file` copies, and where to.
fn copy(arguments: &Value) -> Result<RemoteTask, String> {
    let arguments = Arguments(arguments);
    let content = match (arguments.given("content"), arguments.given("source")) {
        (Some(text), _) => Content::Text(text.to_owned()),
        (None, source) => Content::Path(source.unwrap_or_default().to_owned()),
    };
    let destination = arguments.text("destination");
    let destination =
        destination.ok_or("The destination is empty; it must be a path on the machine.")?;
    Ok(RemoteTask::Copy {
        content,
        destination: destination.to_owned(),
    })
}

/// The arguments of a block.
struct Arguments<'a>(&'a Value);

impl<'a> Arguments<'a> {
    fn given(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A text that is not empty.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.given(name).filter(|text| !text.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A TCP port; zero is none.
    fn port(&self, name: &str) -> Result<Option<u16>, String> {
        let Some(number) = self.0.get(name).and_then(Value::as_number) else {
            return Ok(None);
        };
        match number.to_i64().map(u16::try_from) {
            Some(Ok(port)) => Ok((port != 0).then_some(port)),
            _ => Err(format!(
                "{name:?} is {number}; a port is a whole number up to 65535"
            )),
        }
    }
}

fn read_connection(arguments: &Arguments<'_>) -> Result<(Connection, Option<String>), String> {
    match arguments.text("type") {
        None | Some("ssh") => {}
        Some("winrm") => {
            return Err("connection type 'winrm' is not supported. Windows has an OpenSSH server: use type = \"ssh\" with target_platform = \"windows\".".to_owned());
        }
        Some(other) => return Err(format!("connection type '{other}' not supported")),
    }
    let platform = match arguments.text("target_platform") {
        None | Some("unix") => Platform::Unix,
        Some("windows") => Platform::Windows,
        Some(_) => {
            return Err(
                "target_platform for provisioner has to be either unix or windows".to_owned(),
            );
        }
    };
    let host = arguments.text("host");
    let host = host.ok_or("host for provisioner cannot be empty")?;
    let usual_user = match platform {
        Platform::Unix => "root",
        Platform::Windows => "Administrator",
    };
    let target = Login {
        host: address(host),
        port: arguments.port("port")?.unwrap_or(22),
        user: arguments.text("user").unwrap_or(usual_user).to_owned(),
        password: arguments.owned("password"),
        private_key: arguments.owned("private_key"),
        certificate: arguments.owned("certificate"),
        host_key: arguments.owned("host_key"),
    };
    let (timeout, warning) = timeout(arguments);
    let connection = Connection {
        bastion: bastion(arguments, &target)?,
        proxy: proxy(arguments)?,
        target,
        timeout,
        script_path: arguments.owned("script_path"),
        platform,
        agent: arguments.0.get("agent").and_then(Value::as_bool),
        agent_identity: arguments.owned("agent_identity"),
    };
    Ok((connection, warning))
}

/// An address of version 6 may stand in brackets.
fn address(host: &str) -> String {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
        .to_owned()
}

/// The machine between; what is not said of it is as for the target.
fn bastion(arguments: &Arguments<'_>, target: &Login) -> Result<Option<Login>, String> {
    let Some(host) = arguments.text("bastion_host") else {
        return Ok(None);
    };
    let own_key = arguments.owned("bastion_private_key");
    let certificate = arguments.owned("bastion_certificate").or_else(|| {
        let same = own_key.is_none();
        target.certificate.clone().filter(|_| same)
    });
    Ok(Some(Login {
        host: address(host),
        port: arguments.port("bastion_port")?.unwrap_or(target.port),
        user: arguments
            .owned("bastion_user")
            .unwrap_or_else(|| target.user.clone()),
        password: arguments
            .owned("bastion_password")
            .or_else(|| target.password.clone()),
        private_key: own_key.or_else(|| target.private_key.clone()),
        certificate,
        host_key: arguments.owned("bastion_host_key"),
    }))
}

fn proxy(arguments: &Arguments<'_>) -> Result<Option<Proxy>, String> {
    let Some(host) = arguments.text("proxy_host") else {
        return Ok(None);
    };
    let scheme = arguments.text("proxy_scheme").unwrap_or("http");
    let usual = match scheme {
        "socks5" | "socks5h" => 1080,
        "https" => 443,
        _ => 80,
    };
    Ok(Some(Proxy {
        scheme: scheme.to_owned(),
        host: address(host),
        port: arguments.port("proxy_port")?.unwrap_or(usual),
        user: arguments.owned("proxy_user_name"),
        password: arguments.owned("proxy_user_password"),
    }))
}

/// For how long a machine is tried. The reference takes what it cannot read for nothing.
fn timeout(arguments: &Arguments<'_>) -> (Duration, Option<String>) {
    let Some(text) = arguments.text("timeout") else {
        return (USUAL_TIMEOUT, None);
    };
    match duration(text) {
        Some(duration) => (duration, None),
        None => (
            USUAL_TIMEOUT,
            Some(format!(
                "The timeout {text:?} is no duration such as \"30s\" or \"1h30m\", so it is five minutes."
            )),
        ),
    }
}

/// Reads a duration such as `1h30m`, `2.5s` or `300ms`.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
    ];
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let unit = &unit[..unit
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit.len())];
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += number * factor;
        rest = &rest[digits + unit.len()..];
    }
    if text.is_empty() {
        return None;
    }
    // A hundred years are for ever, and fit everywhere.
    Duration::try_from_secs_f64(seconds.min(3.2e9)).ok()
}

#[cfg(test)]
mod tests {
    use terrace_value::{Number, Type};

    use super::*;

    fn block(entries: &[(&'static str, Value)]) -> Value {
        Value::object(entries.iter().cloned())
    }

    fn read(entries: &[(&'static str, Value)]) -> Result<Connection, String> {
        read_connection(&Arguments(&block(entries))).map(|(connection, _)| connection)
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, expected) in [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("2.5s", Some(2500)),
            ("300ms", Some(300)),
            ("0", Some(0)),
            ("", None),
            ("abc", None),
            ("10", None),
            ("5x", None),
            ("-5m", None),
        ] {
            let found = duration(text).map(|found| found.as_millis());
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_connection_has_the_usual_defaults() {
        let connection = read(&[("host", Value::string("h"))]).unwrap();
        let target = &connection.target;
        assert_eq!(
            (&*target.host, target.port, &*target.user),
            ("h", 22, "root")
        );
        assert_eq!(connection.timeout, USUAL_TIMEOUT);
        assert_eq!((connection.agent, connection.bastion), (None, None));
        let windows = read(&[
            ("host", Value::string("[::1]")),
            ("target_platform", Value::string("windows")),
        ]);
        let target = windows.unwrap().target;
        assert_eq!((&*target.host, &*target.user), ("::1", "Administrator"));
    }

    #[test]
    fn a_bastion_is_as_the_target_where_nothing_is_said() {
        let number = |number: i64| Value::number(Number::from(number));
        let connection = read(&[
            ("host", Value::string("h")),
            ("port", number(2222)),
            ("user", Value::string("u")),
            ("password", Value::string("p")),
            ("bastion_host", Value::string("b")),
            ("bastion_user", Value::string("other")),
        ]);
        let bastion = connection.unwrap().bastion.unwrap();
        assert_eq!(
            (
                &*bastion.host,
                bastion.port,
                &*bastion.user,
                bastion.password.as_deref()
            ),
            ("b", 2222, "other", Some("p"))
        );
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let number = |number: i64| Value::number(Number::from(number));
        for (entries, says) in [
            (vec![("host", Value::string(""))], "cannot be empty"),
            (
                vec![
                    ("host", Value::string("h")),
                    ("type", Value::string("winrm")),
                ],
                "'winrm' is not supported",
            ),
            (
                vec![("host", Value::string("h")), ("type", Value::string("foo"))],
                "connection type 'foo' not supported",
            ),
            (
                vec![("host", Value::string("h")), ("port", number(70_000))],
                "up to 65535",
            ),
            (
                vec![
                    ("host", Value::string("h")),
                    ("target_platform", Value::string("vms")),
                ],
                "either unix or windows",
            ),
        ] {
            let why = read(&entries).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn inline_lines_are_one_script() {
        let lines = Value::list(Type::String, [Value::string("a"), Value::string("b")]);
        let task = run(&block(&[("inline", lines)])).unwrap();
        assert!(task == RemoteTask::Run(vec![Content::Text("a\nb\n".to_owned())]));
        let broken = Value::list(Type::String, [Value::null(Type::String)]);
        let why = run(&block(&[("inline", broken)])).err();
        assert_eq!(why.as_deref(), Some("invalid null string in 'inline'"));
        let why = run(&block(&[("script", Value::string(""))])).err();
        assert_eq!(why.as_deref(), Some("invalid empty string in 'script'"));
    }
}
