//! The log that `TF_LOG` or `TERRACE_LOG` asks for: to standard error or a file, for those who look for a mistake, and for
//! programs that gather what many runs say.

use std::collections::BTreeMap;
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
    /// The least level of both in environments that have one of their own; none of them is silent there.
    levels: BTreeMap<String, Option<LogLevel>>,
    json: bool,
    about: Mutex<About>,
    output: Output,
}

/// What a command is about, as far as it is known yet. It belongs to every record.
#[derive(Clone, Debug, Default)]
struct About {
    environment: Option<String>,
    run: Option<String>,
}

impl Log {
    /// The log that the environment asks for: `TERRACE_LOG`, or else `TF_LOG`, with `TF_LOG_CORE` and `TF_LOG_PROVIDER`; and
    /// `TF_LOG_PATH`. None where it asks for none.
    ///
    /// `TERRACE_LOG` is a list, such as `json,info,prd=debug`: the form, the level, and levels of environments.
    pub(crate) fn of(environment: &Environment) -> Option<Arc<Self>> {
        let wanted = Wanted::of(environment.get("TERRACE_LOG").unwrap_or_default());
        let stated = wanted.level.clone();
        let all = stated.as_deref().or_else(|| environment.get("TF_LOG"));
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
        let levels: BTreeMap<String, Option<LogLevel>> = wanted
            .levels
            .iter()
            .map(|(name, text)| (name.clone(), level(Some(text))))
            .collect();
        let is_silent = levels.values().all(Option::is_none);
        if engine_level.is_none() && plugin_level.is_none() && is_silent {
            return None;
        }
        let log = Self {
            engine: engine_level,
            plugins: plugin_level,
            levels,
            json: wanted.json || all.is_some_and(|text| text.eq_ignore_ascii_case("json")),
            about: Mutex::default(),
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
        let about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        let about = about.clone();
        let own = about
            .environment
            .as_ref()
            .and_then(|name| self.levels.get(name));
        let least = match own {
            Some(level) => *level,
            None if record.from_plugin => self.plugins,
            None => self.engine,
        };
        if least.is_none_or(|least| record.level < least) {
            return;
        }
        let time = outside::precise_now();
        let line = if self.json {
            json(record, &time, &about)
        } else {
            format!("{time} {record}{}", about.text())
        };
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads may have gone; there is nobody to tell.
        writeln!(output, "{line}").ok();
    }

    /// Takes what the engine says of itself.
    pub(crate) fn engine_says(&self, level: LogLevel, message: &str) {
        self.engine_tells(level, message, Vec::new());
    }

    /// As [`Self::engine_says`], with what belongs to it.
    pub(crate) fn engine_tells(
        &self,
        level: LogLevel,
        message: &str,
        fields: Vec<(String, String)>,
    ) {
        self.take(&LogRecord {
            level,
            from_plugin: false,
            module: "terrace".to_owned(),
            message: message.to_owned(),
            fields,
        });
    }

    /// From now on, what is told is about this environment, and by its level.
    pub(crate) fn in_environment(&self, name: &str) {
        let mut about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        about.environment = Some(name.to_owned());
    }

    /// From now on, what is told is about this run.
    pub(crate) fn of_run(&self, id: &str) {
        let mut about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        about.run = Some(id.to_owned());
    }
}

impl About {
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("environment", self.environment.as_deref()),
            ("run", self.run.as_deref()),
        ];
        fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }

    fn text(&self) -> String {
        self.fields().fold(String::new(), |text, (name, value)| {
            format!("{text} {name}={value}")
        })
    }
}

/// What `TERRACE_LOG` says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    json: bool,
    /// The level, as it stands there; `info` where only a form is asked for.
    level: Option<String>,
    levels: BTreeMap<String, String>,
}

impl Wanted {
    fn of(text: &str) -> Self {
        let mut wanted = Self::default();
        for word in text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            match word.split_once('=') {
                Some((name, level)) => {
                    wanted
                        .levels
                        .insert(name.trim().to_owned(), level.trim().to_owned());
                }
                None if word.eq_ignore_ascii_case("json") => wanted.json = true,
                None => wanted.level = Some(word.to_owned()),
            }
        }
        if wanted.json && wanted.level.is_none() {
            wanted.level = Some("info".to_owned());
        }
        wanted
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

fn json(record: &LogRecord, time: &str, about: &About) -> String {
    let mut line = Map::new();
    line.insert(
        "@level".into(),
        record.level.as_str().to_ascii_lowercase().into(),
    );
    line.insert("@message".into(), record.message.as_str().into());
    line.insert("@module".into(), record.module.as_str().into());
    line.insert("@timestamp".into(), time.into());
    for (name, value) in about.fields() {
        line.insert(name.into(), value.into());
    }
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

    #[test]
    fn a_list_has_form_level_and_levels_of_environments() {
        assert_eq!(Wanted::of(""), Wanted::default());
        let wanted = Wanted::of("json, warn,prd=debug");
        assert!(wanted.json);
        assert_eq!(wanted.level.as_deref(), Some("warn"));
        assert_eq!(wanted.levels["prd"], "debug");
        assert_eq!(Wanted::of("json").level.as_deref(), Some("info"));
        // It comes before the other variable, and the parts of that one before it.
        let text = said(&[("TERRACE_LOG", "warn"), ("TF_LOG", "trace")]).unwrap();
        assert!(text.contains("theirs") && !text.contains("ours"), "{text}");
        let variables = [("TERRACE_LOG", "json,warn"), ("TF_LOG_CORE", "debug")];
        let text = said(&variables).unwrap();
        assert!(text.starts_with('{') && text.contains("ours"), "{text}");
    }

    #[test]
    fn an_environment_has_a_level_of_its_own_and_records_say_what_they_are_about() {
        let environment = Environment::with(&[("TERRACE_LOG", "json,prd=debug,dev=off")]);
        let mut log = Arc::into_inner(Log::of(&environment).unwrap()).unwrap();
        let paper = Paper::default();
        log.output = Mutex::new(Box::new(paper.clone()));
        log.engine_says(LogLevel::Debug, "too early");
        log.in_environment("prd");
        log.of_run("3f9c01ab77de");
        log.engine_says(LogLevel::Debug, "in prd");
        log.in_environment("dev");
        log.engine_says(LogLevel::Error, "in dev");
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert_eq!(lines[0]["@message"], "in prd");
        assert_eq!(lines[0]["environment"], "prd");
        assert_eq!(lines[0]["run"], "3f9c01ab77de");
        let time: jiff::Timestamp = lines[0]["@timestamp"].as_str().unwrap().parse().unwrap();
        assert!(time.as_second() > 0);
    }
}
