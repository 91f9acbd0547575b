//! `local-exec`: a command of this machine.

use terrace_port::{Process, ProcessRequest};
use terrace_value::Value;

/// A command of this machine.
pub(super) struct LocalExec {
    request: ProcessRequest,
    command: String,
    quiet: bool,
}

impl LocalExec {
    /// From arguments without marks that are known.
    pub(super) fn of(arguments: &Value) -> Result<Self, &'static str> {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let command = text("command").filter(|command| !command.is_empty());
        let command = command.ok_or("The command must be a non-empty string.")?;
        let interpreter: Vec<String> = arguments
            .get("interpreter")
            .and_then(Value::as_sequence)
            .unwrap_or_default()
            .iter()
            .filter_map(|part| part.as_str().map(str::to_owned))
            .collect();
        let mut argv = match interpreter.is_empty() {
            false => interpreter,
            true if cfg!(windows) => vec!["cmd".to_owned(), "/C".to_owned()],
            true => vec!["/bin/sh".to_owned(), "-c".to_owned()],
        };
        argv.push(command.clone());
        let environment = arguments
            .get("environment")
            .and_then(Value::as_entries)
            .map(|entries| {
                let known = entries.iter().filter_map(|(name, value)| {
                    Some((name.to_string(), value.as_str()?.to_owned()))
                });
                known.collect()
            });
        Ok(Self {
            request: ProcessRequest {
                argv,
                directory: text("working_dir"),
                environment: environment.unwrap_or_default(),
                stdin: Vec::new(),
            },
            command,
            quiet: arguments
                .get("quiet")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }

    /// Runs it to its end; why it failed, without the command and its output where those are `hidden`.
    pub(super) async fn run(
        &self,
        process: &dyn Process,
        hidden: bool,
        say: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), String> {
        if self.quiet {
            say("local-exec: Executing: Suppressed by quiet=true");
        } else {
            let argv: Vec<String> = self
                .request
                .argv
                .iter()
                .map(|part| format!("{part:?}"))
                .collect();
            say(&format!("Executing: [{}]", argv.join(" ")));
        }
        let (why, output) = match process.run(self.request.clone(), say).await {
            Ok(output) => match output.code {
                Some(0) => return Ok(()),
                Some(code) => (format!("exit status {code}"), output.output),
                None => ("it was ended by a signal".to_owned(), output.output),
            },
            Err(error) => (self.explained(&error), Vec::new()),
        };
        Err(self.failed(&why, &String::from_utf8_lossy(&output), hidden))
    }

    /// What is said of a command that was stopped.
    pub(super) fn interrupted(&self, hidden: bool) -> String {
        self.failed("it was interrupted", "", hidden)
    }

    fn failed(&self, why: &str, output: &str, hidden: bool) -> String {
        if hidden {
            return format!(
                "Error running the command: {why}. The command and its output are not shown, since they hold a sensitive value."
            );
        }
        format!(
            "Error running command '{}': {why}. Output: {output}",
            self.command
        )
    }

    /// Why a program cannot be started: the system does not say whether the program or the directory is to blame.
    fn explained(&self, error: &std::io::Error) -> String {
        let program = self.request.argv.first().map_or("", String::as_str);
        match &self.request.directory {
            Some(directory) => {
                format!("{program:?} cannot be started in the directory {directory:?}: {error}")
            }
            None => format!("{program:?} cannot be started: {error}"),
        }
    }
}
