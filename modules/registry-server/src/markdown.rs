//! A README as markup: headings, paragraphs, lists, tables as text, code and links. What it does not know stays text; markup
//! of the author's own is shown and never obeyed.

use crate::html::{escape, listing};

/// The markup of a text. Its headings are two levels deeper than they say, since a page has its own above them.
pub(crate) fn render(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some(fence) = fence(trimmed) {
            let mut code = String::new();
            for line in lines.by_ref() {
                if line.trim().starts_with(fence) {
                    break;
                }
                code.push_str(line);
                code.push('\n');
            }
            out.push_str(&listing("Example", &code));
        } else if let Some((level, title)) = heading(trimmed) {
            let level = (level + 2).min(6);
            out.extend([
                &format!("<h{level}>"),
                &*inline(title),
                &format!("</h{level}>\n"),
            ]);
        } else if item(trimmed).is_some() {
            let mut items = vec![item(trimmed).unwrap_or_default().to_owned()];
            while let Some(next) = lines.peek().map(|next| next.trim()) {
                match item(next) {
                    Some(text) => items.push(text.to_owned()),
                    None if next.is_empty() || begins_block(next) => break,
                    None => {
                        if let Some(last) = items.last_mut() {
                            last.push(' ');
                            last.push_str(next);
                        }
                    }
                }
                lines.next();
            }
            out.push_str("<ul>\n");
            for item in items {
                out.extend(["<li>", &*inline(&item), "</li>\n"]);
            }
            out.push_str("</ul>\n");
        } else if trimmed.starts_with('|') {
            let mut rows = format!("{trimmed}\n");
            while let Some(next) = lines.next_if(|next| next.trim().starts_with('|')) {
                rows.push_str(next.trim());
                rows.push('\n');
            }
            out.push_str(&listing("Table", &rows));
        } else if !trimmed.is_empty() && !trimmed.starts_with("<!--") {
            let mut paragraph = trimmed.to_owned();
            while let Some(next) =
                lines.next_if(|next| !next.trim().is_empty() && !begins_block(next.trim()))
            {
                paragraph.push(' ');
                paragraph.push_str(next.trim());
            }
            out.extend(["<p>", &*inline(&paragraph), "</p>\n"]);
        }
    }
    out
}

fn begins_block(line: &str) -> bool {
    fence(line).is_some()
        || heading(line).is_some()
        || item(line).is_some()
        || line.starts_with('|')
}

fn fence(line: &str) -> Option<&'static str> {
    ["```", "~~~"]
        .into_iter()
        .find(|fence| line.starts_with(fence))
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let title = title.strip_prefix(' ')?.trim();
    (1..=6).contains(&level).then_some((level, title))
}

fn item(line: &str) -> Option<&str> {
    ["- ", "* ", "+ "]
        .into_iter()
        .find_map(|mark| line.strip_prefix(mark))
}

/// Code, links and emphasis within a line.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '[', '*']) {
        out.push_str(&escape(&rest[..at]));
        let (mark, after) = rest[at..].split_at(1);
        let taken = match mark {
            "`" => after
                .split_once('`')
                .map(|(code, rest)| (format!("<code>{}</code>", escape(code)), rest)),
            "[" => link(after),
            _ => after
                .strip_prefix('*')
                .and_then(|after| after.split_once("**"))
                .filter(|(strong, _)| !strong.is_empty())
                .map(|(strong, rest)| (format!("<strong>{}</strong>", escape(strong)), rest)),
        };
        if let Some((markup, after)) = taken {
            out.push_str(&markup);
            rest = after;
        } else {
            out.push_str(mark);
            rest = after;
        }
    }
    out.push_str(&escape(rest));
    out
}

/// `text](address)`, to the web alone: an address of another kind may be a program.
fn link(after: &str) -> Option<(String, &str)> {
    let (text, rest) = after.split_once("](")?;
    let (address, rest) = rest.split_once(')')?;
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let text = escape(text);
    if !is_web || address.contains(char::is_whitespace) {
        return Some((text, rest));
    }
    let address = escape(address);
    Some((
        format!("<a href=\"{address}\" rel=\"nofollow noopener\">{text}</a>"),
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authors_write_is_shown() {
        let text = "# Network\n\nA `vpc` with **all**\nof [it](https://example.com/a?b&c).\n\n- one\n- two\n  goes on\n\n```hcl\nmodule \"x\" {}\n```\n| a | b |\n|---|---|\n";
        assert_eq!(
            render(text),
            "<h3>Network</h3>\n<p>A <code>vpc</code> with <strong>all</strong> of <a href=\"https://example.com/a?b&amp;c\" rel=\"nofollow noopener\">it</a>.</p>\n<ul>\n<li>one</li>\n<li>two goes on</li>\n</ul>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"Example\"><code>module &quot;x&quot; {}\n</code></pre>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"Table\"><code>| a | b |\n|---|---|\n</code></pre>\n"
        );
    }

    #[test]
    fn nothing_of_it_is_obeyed() {
        let nasty = "# <script>\n<img src=x onerror=y>\n- <b>\n`<i>` [x](javascript:alert) [y](https://a\"onclick=) **<u>**\n```\n<script>\n";
        let markup = render(nasty);
        for part in [
            "<script",
            "<img",
            "<b>",
            "<i>",
            "<u>",
            "href=\"javascript",
            "\"onclick",
        ] {
            assert!(!markup.contains(part), "{part}: {markup}");
        }
    }

    #[test]
    fn what_is_not_closed_stays_text() {
        for text in ["a ` b", "a [b](c", "a ** b", "*", "[", "`", "[]("] {
            let markup = render(text);
            assert!(markup.starts_with("<p>"), "{text}: {markup}");
        }
    }
}
