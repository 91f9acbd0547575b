//! Requests signed with a key of the storage account (`SharedKey`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The value of `Authorization`. `headers` are all headers by names in lower case, sorted; `path` and `query` as they are sent.
pub(crate) fn authorization(
    account: &str,
    key: &[u8],
    method: &str,
    headers: &[(String, String)],
    path: &str,
    query: &[(String, String)],
) -> String {
    let text = string_to_sign(account, method, headers, path, query);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    format!(
        "SharedKey {account}:{}",
        STANDARD.encode(mac.finalize().into_bytes())
    )
}

fn string_to_sign(
    account: &str,
    method: &str,
    headers: &[(String, String)],
    path: &str,
    query: &[(String, String)],
) -> String {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let length = match header("content-length") {
        "0" => "",
        length => length,
    };
    let mut lines = vec![
        method,
        header("content-encoding"),
        header("content-language"),
        length,
    ];
    // The date stands in x-ms-date.
    lines.extend(["content-md5", "content-type"].map(header));
    lines.push("");
    lines.extend(
        [
            "if-modified-since",
            "if-match",
            "if-none-match",
            "if-unmodified-since",
            "range",
        ]
        .map(header),
    );
    let mut text = lines.join("\n") + "\n";
    for (name, value) in headers {
        if name.starts_with("x-ms-") {
            text.extend([name, ":", value.trim(), "\n"]);
        }
    }
    text.extend(["/", account, path]);
    let mut pairs: Vec<(String, &str)> = query
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_str()))
        .collect();
    pairs.sort();
    for (name, value) in pairs {
        text.extend(["\n", &name, ":", value]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// The example of Microsoft's page on authorizing with a shared key.
    #[test]
    fn the_documented_example() {
        let headers = owned(&[
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2015-02-21"),
        ]);
        let query = owned(&[
            ("restype", "container"),
            ("comp", "metadata"),
            ("timeout", "20"),
        ]);
        assert_eq!(
            string_to_sign("myaccount", "GET", &headers, "/mycontainer", &query),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }
}
