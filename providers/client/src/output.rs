//! What a plugin prints: handed on line by line, and its last words kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::log::{LogRecord, LogSink};

/// How many lines are kept.
const KEPT: usize = 40;
/// How much of a line is kept.
const LINE_LIMIT: usize = 2_000;

/// The last lines that a plugin printed.
#[derive(Clone, Default)]
pub(crate) struct LastWords {
    lines: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<String>,
    /// A crash has begun: from here on the first lines are worth keeping, not the last.
    crashed: bool,
}

impl LastWords {
    pub(crate) fn push(&self, line: &str) {
        let mut kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.crashed && (line.starts_with("panic:") || line.starts_with("fatal error:")) {
            kept.crashed = true;
            kept.lines.clear();
        }
        if kept.lines.len() == KEPT {
            if kept.crashed {
                return;
            }
            kept.lines.pop_front();
        }
        kept.lines
            .push_back(line.chars().take(LINE_LIMIT).collect());
    }

    /// The lines, indented, or nothing.
    pub(crate) fn text(&self) -> Option<String> {
        let kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lines.is_empty() {
            return None;
        }
        Some(
            kept.lines
                .iter()
                .map(|line| format!("    {line}"))
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

/// Reads lines until the end, whatever their encoding.
pub(crate) async fn forward(
    stream: impl AsyncRead + Unpin,
    words: LastWords,
    sink: Option<(LogSink, Arc<str>)>,
) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\n', '\r']);
                words.push(text);
                if let Some((sink, file)) = &sink {
                    sink(&LogRecord::from_line(file, text));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_a_crash_from_its_beginning() {
        let words = LastWords::default();
        assert_eq!(words.text(), None);
        for number in 0..100 {
            words.push(&format!("line {number}"));
        }
        let text = words.text().unwrap();
        assert!(
            text.starts_with("    line 60\n") && text.ends_with("    line 99"),
            "{text}"
        );
        words.push("panic: oh no");
        for number in 0..100 {
            words.push(&format!("frame {number}"));
        }
        let text = words.text().unwrap();
        assert!(
            text.starts_with("    panic: oh no\n    frame 0\n") && text.ends_with("    frame 38"),
            "{text}"
        );
    }
}
