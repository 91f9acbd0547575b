//! Passwords of hosts in `.netrc`.

/// The login and password that a `.netrc` holds for a host.
pub(crate) fn find(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace);
    let mut here = false;
    let mut login = None;
    let mut password = None;
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here && login.is_some() {
                    break;
                }
                here = word == "default" || words.next() == Some(host);
                (login, password) = (None, None);
            }
            "login" if here => login = words.next(),
            "password" if here => password = words.next(),
            _ => {}
        }
    }
    match (here, login) {
        (true, Some(login)) => Some((login.to_owned(), password.unwrap_or("").to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_hosts_own_entry_is_found() {
        let text = "# mine\nmachine a.example login x password y\nmachine b.example\n  login u\n  password v\ndefault login d password e\n";
        let found = |host: &str| find(text, host).unwrap();
        assert_eq!(found("a.example"), ("x".into(), "y".into()));
        assert_eq!(found("b.example"), ("u".into(), "v".into()));
        assert_eq!(found("c.example"), ("d".into(), "e".into()));
        assert_eq!(find("machine a login x password y", "b"), None);
    }
}
