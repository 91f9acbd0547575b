//! The log that `TF_LOG` asks for: to standard error or a file, for those who look for a mistake.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use terrace_provider_client::{LogLevel, LogRecord};

use crate::outside::{self, Environment};

/// What `TF_LOG_PATH` or else standard error takes.
type Output = Mutex<Box<dyn Write + Send>>;

/// Where records go, and which.
pub(crate) struct Log {
    /// The least level of what the engine says; none without.
    engine: Option<LogLevel>,
    /// The least level of what plugins say.
    plugins: Option<LogLevel>,
    json: bool,
    output: Output,
}

impl Log {
    /// The log that the environment asks for: `TF_LOG`, `TF_LOG_CORE`, `TF_LOG_PROVIDER` and `TF_LOG_PATH`; none where it
    /// asks for none.
    pub(crate) fn of(environment: &Environment) -> Option<Arc<Self>> {
        let all = environment.get("TF_LOG");
        let asked = |name: &str| environment.get(name).or(all);
        let (engine, plugins) = (asked("TF_LOG_CORE"), asked("TF_LOG_PROVIDER"));
        let mut unknown = Vec::new();
        let mut level = |text: Option<&str>| {
            let text = text?;
            match LogLevel::parse(text) {
                Some(level) => Some(level),
                None if text.eq_ignore_ascii_case("off") => None,
                None => {
                    if !text.eq_ignore_ascii_case("json") && !unknown.contains(&text.to_owned()) {
                        unknown.push(text.to_owned());
                    }
                    Some(LogLevel::Trace)
                }
            }
        };
        let (engine_level, plugin_level) = (level(engine), level(plugins));
        if engine_level.is_none() && plugin_level.is_none() {
            return None;
        }
        let log = Self {
            engine: engine_level,
            plugins: plugin_level,
            json: all.is_some_and(|text| text.eq_ignore_ascii_case("json")),
            output: Mutex::new(output(environment)),
        };
        for text in unknown {
            log.engine_says(
                LogLevel::Warn,
                &format!(
                    "Invalid log level: {text:?}. Defaulting to level: TRACE. Valid levels are: TRACE, DEBUG, INFO, WARN, ERROR, OFF and JSON"
                ),
            );
        }
        Some(Arc::new(log))
    }

    /// Takes a record, if it is of those that are asked for.
    pub(crate) fn take(&self, record: &LogRecord) {
        let least = if record.from_plugin {
            self.plugins
        } else {
            self.engine
        };
        if least.is_none_or(|least| record.level < least) {
            return;
        }
        let time = outside::precise_now();
        let line = if self.json {
            json(record, &time)
        } else {
            format!("{time} {record}")
        };
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads may have gone; there is nobody to tell.
        writeln!(output, "{line}").ok();
    }

    /// Takes what the engine says of itself.
    pub(crate) fn engine_says(&self, level: LogLevel, message: &str) {
        self.take(&LogRecord {
            level,
            from_plugin: false,
            module: "terrace".to_owned(),
            message: message.to_owned(),
            fields: Vec::new(),
        });
    }
}

fn output(environment: &Environment) -> Box<dyn Write + Send> {
    let Some(path) = environment.get("TF_LOG_PATH") else {
        return Box::new(std::io::stderr());
    };
    match std::fs::File::options()
        .append(true)
        .create(true)
        .open(path)
    {
        Ok(file) => Box::new(file),
        Err(error) => {
            eprintln!("Error opening log file: {path}: {error}");
            Box::new(std::io::stderr())
        }
    }
}

fn json(record: &LogRecord, time: &str) -> String {
    let mut line = Map::new();
    line.insert(
        "@level".into(),
        record.level.as_str().to_ascii_lowercase().into(),
    );
    line.insert("@message".into(), record.message.as_str().into());
    line.insert("@module".into(), record.module.as_str().into());
    line.insert("@timestamp".into(), time.into());
    for (name, value) in &record.fields {
        line.insert(name.clone(), value.as_str().into());
    }
    Json::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that was written.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn said(variables: &[(&str, &str)]) -> Option<String> {
        let environment = Environment::with(variables);
        let mut log = Arc::into_inner(Log::of(&environment)?).unwrap();
        let paper = Paper::default();
        log.output = Mutex::new(Box::new(paper.clone()));
        log.engine_says(LogLevel::Debug, "ours");
        log.take(&LogRecord::from_line("p", "[WARN] theirs"));
        log.take(&LogRecord::from_line("p", "[TRACE] whispered"));
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        Some(text)
    }

    #[test]
    fn each_side_has_its_level() {
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[("TF_LOG", "off")]), None);
        let text = said(&[("TF_LOG", "debug")]).unwrap();
        assert!(text.contains("[DEBUG] terrace: ours\n"), "{text}");
        assert!(text.contains("[WARN]  provider.p: theirs\n"), "{text}");
        assert!(!text.contains("whispered"), "{text}");
        let text = said(&[("TF_LOG", "error"), ("TF_LOG_PROVIDER", "trace")]).unwrap();
        assert!(
            text.contains("whispered") && !text.contains("ours"),
            "{text}"
        );
        let text = said(&[("TF_LOG_CORE", "info")]).unwrap();
        assert_eq!(text, "");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = said(&[("TF_LOG", "json")]).unwrap();
        let first: Json = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["@message"], "ours");
        assert_eq!(first["@level"], "debug");
        assert_eq!(text.lines().count(), 3);
    }
}
