//! The document around the data.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use crate::document::RunPage;
use crate::wire;

/// The style: its colours in the dark stand where they were chosen, and where the system asks for them.
const STYLE: &str = concat!(
    include_str!("assets/light.css"),
    ":root[data-theme=\"dark\"] {\n",
    include_str!("assets/dark.css"),
    "}\n\n@media (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n",
    include_str!("assets/dark.css"),
    "}\n}\n\n",
    include_str!("assets/page.css")
);

const BODY: &str = include_str!("assets/body.html");

/// The script: one program in several files, which share a scope of their own.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/dom.js"),
    include_str!("assets/model.js"),
    include_str!("assets/diff.js"),
    include_str!("assets/graph.js"),
    include_str!("assets/list.js"),
    include_str!("assets/panels.js"),
    include_str!("assets/main.js"),
    "})();\n"
);

/// A page, ready to be written to a file or sent to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The document.
    pub html: Vec<u8>,
    /// The content security policy for the header of an answer; the document holds the same but for what only headers may say.
    pub policy: String,
}

impl RunPage<'_> {
    /// The page as bytes, the same for the same page.
    pub fn render(&self) -> Rendered {
        let data = wire::encode(self);
        let policy = policy();
        let mut html =
            Vec::with_capacity(data.len() + STYLE.len() + SCRIPT.len() + BODY.len() + 2048);
        let mut push = |text: &str| html.extend_from_slice(text.as_bytes());
        push("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        push("<meta http-equiv=\"Content-Security-Policy\" content=\"");
        push(&policy);
        push("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        push("<meta name=\"referrer\" content=\"no-referrer\">\n");
        push("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
        push(&escaped(&wire::title(self)));
        push(" – Terrace</title>\n<style>");
        push(STYLE);
        push("</style>\n</head>\n<body>\n");
        push(BODY);
        push("<script type=\"application/json\" id=\"data\">");
        html.extend_from_slice(&data);
        html.extend_from_slice(b"</script>\n<script>");
        html.extend_from_slice(SCRIPT.as_bytes());
        html.extend_from_slice(b"</script>\n</body>\n</html>\n");
        Rendered {
            html,
            policy: format!("{policy}; frame-ancestors 'none'"),
        }
    }
}

/// Style and script by their hashes, and nothing from anywhere; no text becomes markup or a script.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => {
                write!(out, "&#{};", u32::from(c)).expect("strings take all");
            }
            c => out.push(c),
        }
    }
    out
}
