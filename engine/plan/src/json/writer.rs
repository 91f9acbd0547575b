//! A JSON writer that keeps the order of fields.

use terrace_diag::SourceMap;

/// Writes one line of JSON.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// Whether the next item of the array or object needs a comma before it.
    comma: bool,
    /// The texts of a configuration that is written.
    pub(super) sources: Option<SourceMap>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if self.comma {
            self.text.push(',');
        }
        self.comma = false;
    }

    /// A key of the object that is open; a value must follow.
    pub(crate) fn key(&mut self, name: &str) {
        self.separate();
        terrace_value::json::quote_onto(name, &mut self.text);
        self.text.push(':');
    }

    /// An object value.
    pub(crate) fn object(&mut self, content: impl FnOnce(&mut Self)) {
        self.separate();
        self.text.push('{');
        content(self);
        self.text.push('}');
        self.comma = true;
    }

    /// An array value.
    pub(crate) fn items(&mut self, content: impl FnOnce(&mut Self)) {
        self.separate();
        self.text.push('[');
        content(self);
        self.text.push(']');
        self.comma = true;
    }

    /// A field that holds an array.
    pub(crate) fn array(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.key(name);
        self.items(content);
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.separate();
        self.text.push_str(json);
        self.comma = true;
    }

    /// A string value.
    pub(crate) fn text(&mut self, text: &str) {
        self.separate();
        terrace_value::json::quote_onto(text, &mut self.text);
        self.comma = true;
    }

    /// A field that holds a string.
    pub(crate) fn string(&mut self, name: &str, text: &str) {
        self.key(name);
        self.text(text);
    }

    /// A field that holds a string, left out when it is empty.
    pub(crate) fn string_unless_empty(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.string(name, text);
        }
    }

    /// A field that holds a bool.
    pub(crate) fn bool(&mut self, name: &str, value: bool) {
        self.key(name);
        self.raw(if value { "true" } else { "false" });
    }

    /// A field that holds a whole number.
    pub(crate) fn number(&mut self, name: &str, value: i64) {
        self.key(name);
        self.raw(&value.to_string());
    }
}
