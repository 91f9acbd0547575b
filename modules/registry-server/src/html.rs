//! Pages: text that cannot become markup, and what all pages have around them.

use std::fmt::Write as _;

/// Text as a page may hold it, in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A whole page: the parts that all have, with `main` in their midst, which is markup.
pub(crate) fn page(title: &str, looked_for: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Registry</title>\n<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"/assets/style.css\">\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header>\n<nav aria-label=\"Registry\"><a class=\"home\" href=\"/\">Registry</a></nav>\n<form role=\"search\" action=\"/\" method=\"get\">\n<label for=\"search\">Search modules and providers</label>\n<input id=\"search\" name=\"q\" type=\"search\" value=\"{looked_for}\" autocomplete=\"off\">\n<button type=\"submit\">Search</button>\n</form>\n</header>\n<main id=\"content\" tabindex=\"-1\">\n{main}</main>\n<footer><p>Served by Terrace.</p></footer>\n</body>\n</html>\n",
        title = escape(title),
        looked_for = escape(looked_for),
    )
}

/// A table with a caption, or a sentence where it has no rows. Cells are markup; the first of each row is its header.
pub(crate) fn table(caption: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\n<caption>{caption}</caption>\n<thead><tr>",
        caption = escape(caption)
    );
    for column in columns {
        // Writing to a string cannot fail.
        let _written = write!(text, "<th scope=\"col\">{}</th>", escape(column));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        text.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let _written = if index == 0 {
                write!(text, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(text, "<td>{cell}</td>")
            };
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    text
}

/// Text of a program.
pub(crate) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A program of several lines, which may be scrolled with the keyboard.
pub(crate) fn listing(label: &str, text: &str) -> String {
    format!(
        "<pre tabindex=\"0\" role=\"region\" aria-label=\"{}\"><code>{}</code></pre>\n",
        escape(label),
        escape(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let nasty = "<script>\"'&";
        assert_eq!(escape(nasty), "&lt;script&gt;&quot;&#39;&amp;");
        let page = page(nasty, nasty, "");
        assert!(!page.contains("<script"), "{page}");
        assert!(!table(nasty, &[nasty], &[vec![code(nasty)]]).contains("<script"));
        assert!(!listing(nasty, nasty).contains("<script"));
    }
}
