//! `external`: a data source that is a program. It reads a JSON object on its standard input and writes one.

use std::collections::BTreeMap;

use terrace_provider_sdk::{Attribute, Diagnostics, Object, Schema, Type, validate};

use crate::Outside;
use crate::definition::{Failure, Source, problem};
use crate::program::{lookup_detail, lookup_error, run};

pub(crate) fn data_sources() -> Vec<Source> {
    vec![Source::new("external", schema, read)]
}

fn schema() -> Schema {
    Schema::new()
        .describe("What a program answers: it reads a JSON object of texts and writes one.")
        .plain()
        .attribute(
            "program",
            Attribute::list(Type::String)
                .required()
                .validate(validate::size(1..=usize::MAX))
                .describe_plain("The program and what to call it with; no shell takes part."),
        )
        .attribute(
            "working_dir",
            Attribute::string()
                .optional()
                .describe_plain("Where to run the program; in the current directory by default."),
        )
        .attribute(
            "query",
            Attribute::map(Type::String).optional().describe_plain(
                "What the program reads on its standard input; an empty object by default.",
            ),
        )
        .attribute(
            "result",
            Attribute::map(Type::String)
                .computed()
                .describe_plain("What the program wrote to its standard output."),
        )
        .attribute(
            "id",
            Attribute::string()
                .computed()
                .describe_plain("Always the text `-`."),
        )
}

fn read(
    mut object: Object,
    outside: &Outside,
    _diagnostics: &mut Diagnostics,
) -> Result<Object, Failure> {
    let words: Vec<String> = object
        .texts("program")
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(problem(
            "program",
            "External Program Missing",
            "The data source was configured without a program to execute. Verify the configuration contains at least one non-empty value.",
        ));
    };
    if let Some(error) = lookup_error(program) {
        let detail = lookup_detail("program", program, &error);
        return Err(problem("program", "External Program Lookup Failed", detail));
    }
    let query: BTreeMap<String, Option<String>> = object
        .value("query")
        .as_entries()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.to_string(), value.as_str().map(str::to_owned)))
        .collect();
    let stdin = serde_json::json!(query).to_string();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let directory = object.text("working_dir");
    let shown = words.join(" ");
    let stdin = Some(stdin.as_bytes());
    let ended = run(program, &arguments, directory, stdin, &outside.surroundings)
        .map_err(|error| failed(&shown, "", &error.to_string()))?;
    if ended.code != Some(0) {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        return Err(failed(&shown, &stderr, &ended.state()));
    }
    let result = result(&ended.stdout).map_err(|error| {
        let detail = format!(
            "The data source received unexpected results after executing the program.\n\nProgram output must be a JSON encoded map of string keys and string values.\n\nIf the error is unclear, the output can be viewed by enabling Terrace's logging at TRACE level.\n\nProgram: {shown}\nResult Error: {error}"
        );
        problem("program", "Unexpected External Program Results", detail)
    })?;
    object.set("result", result);
    object.set("id", "-");
    Ok(object)
}

/// What the program wrote: an object of strings. Null is kept.
fn result(stdout: &[u8]) -> Result<BTreeMap<String, Option<String>>, serde_json::Error> {
    serde_json::from_slice(stdout)
}

fn failed(program: &str, stderr: &str, state: &str) -> Failure {
    let said = if stderr.is_empty() {
        "The program was executed, however it returned no additional error messaging.\n\n"
            .to_owned()
    } else {
        String::new()
    };
    let error = if stderr.is_empty() {
        String::new()
    } else {
        format!("Error Message: {stderr}\n")
    };
    problem(
        "program",
        "External Program Execution Failed",
        format!(
            "The data source received an unexpected error while attempting to execute the program.\n\n{said}Program: {program}\n{error}State: {state}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_of_strings_are_results() {
        assert!(result(br#"{"a": "b", "c": null}"#).is_ok());
        for bad in [&b"[]"[..], b"{\"a\": 1}", b"", b"{\"a\": {\"b\": \"c\"}}"] {
            assert!(result(bad).is_err());
        }
    }
}
