//! What a plugin and the connection to it have to say for those who look for a mistake.

use std::fmt;
use std::sync::Arc;

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What happens in the ordinary course of things.
    Info,
    /// Something odd that was put up with.
    Warn,
    /// Something that went wrong.
    Error,
}

impl LogLevel {
    /// Reads a level in letters of any case.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Trace,
            Self::Debug,
            Self::Info,
            Self::Warn,
            Self::Error,
        ]
        .into_iter()
        .find(|level| level.as_str().eq_ignore_ascii_case(text))
    }

    /// Its name in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// How grave it is.
    pub level: LogLevel,
    /// Whether the plugin said it, or else the engine's side of the connection.
    pub from_plugin: bool,
    /// Who said it: the plugin's file, and the part of it where it names one.
    pub module: String,
    /// What was said.
    pub message: String,
    /// What belongs to it, by name.
    pub fields: Vec<(String, String)>,
}

/// Takes what is said.
pub type LogSink = Arc<dyn Fn(&LogRecord) + Send + Sync>;

impl LogRecord {
    /// What the engine's side of a connection says.
    pub(crate) fn own(level: LogLevel, message: impl Into<String>) -> Self {
        Self {
            level,
            from_plugin: false,
            module: "provider".into(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// With something that belongs to it.
    pub(crate) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.fields.push((name.into(), value.to_string()));
        self
    }

    /// Reads a line that the plugin of that file name has printed: a JSON record of its logger, text that begins with a
    /// level in brackets, or anything else, which is only good for looking closely.
    pub fn from_line(file: &str, line: &str) -> Self {
        let module = format!("provider.{file}");
        if let Some(record) = from_json(&module, line) {
            return record;
        }
        let (level, message) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .and_then(|(level, rest)| Some((LogLevel::parse(level)?, rest.trim_start())))
            .unwrap_or((LogLevel::Debug, line));
        Self {
            level,
            from_plugin: true,
            module,
            message: message.to_owned(),
            fields: Vec::new(),
        }
    }
}

/// A record of hclog's JSON form: `@level`, `@message`, `@module`, `@timestamp` and fields.
fn from_json(module: &str, line: &str) -> Option<LogRecord> {
    let serde_json::Value::Object(entries) = serde_json::from_str(line).ok()? else {
        return None;
    };
    let text = |name: &str| entries.get(name).and_then(serde_json::Value::as_str);
    let message = text("@message")?;
    let level = text("@level").and_then(LogLevel::parse);
    let module = match text("@module").filter(|part| !part.is_empty()) {
        Some(part) => format!("{module}.{part}"),
        None => module.to_owned(),
    };
    let fields = entries
        .iter()
        .filter(|(name, _)| {
            !["@level", "@message", "@module", "@timestamp"].contains(&name.as_str())
        })
        .map(|(name, value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), value)
        })
        .collect();
    Some(LogRecord {
        level: level.unwrap_or(LogLevel::Debug),
        from_plugin: true,
        module,
        message: message.to_owned(),
        fields,
    })
}

impl fmt::Display for LogRecord {
    /// The record as one line, without its time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = format!("[{}]", self.level.as_str());
        write!(f, "{level:7} {}: {}", self.module, self.message)?;
        for (index, (name, value)) in self.fields.iter().enumerate() {
            let separator = if index == 0 { ":" } else { "" };
            let quoted = value.is_empty() || value.contains([' ', '=', '"', '\n']);
            if quoted {
                write!(f, "{separator} {name}={value:?}")?;
            } else {
                write!(f, "{separator} {name}={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_plugin_s_logger_keep_their_level_and_fields() {
        let line = r#"{"@level":"warn","@message":"odd answer","@module":"sdk.proto","@timestamp":"2026-01-02T03:04:05Z","tries":3,"what":"a b"}"#;
        let record = LogRecord::from_line("terraform-provider-x", line);
        assert_eq!(record.level, LogLevel::Warn);
        assert_eq!(
            record.to_string(),
            "[WARN]  provider.terraform-provider-x.sdk.proto: odd answer: tries=3 what=\"a b\""
        );
    }

    #[test]
    fn other_lines_are_told_as_they_are() {
        let record = LogRecord::from_line("p", "[ERROR] it broke");
        assert_eq!(
            (record.level, &*record.message),
            (LogLevel::Error, "it broke")
        );
        for line in ["hello", "[x] hello", "{\"a\":1}", "{"] {
            let record = LogRecord::from_line("p", line);
            assert_eq!(
                (record.level, &*record.message, record.from_plugin),
                (LogLevel::Debug, line, true)
            );
        }
        assert_eq!(LogLevel::parse("Trace"), Some(LogLevel::Trace));
        assert_eq!(LogLevel::parse("off"), None);
    }
}
