//! Literals: the ordinary ones, and those where implementations differ.

/// Numbers as written.
pub(crate) const NUMBERS: [&str; 36] = [
    "0", "1", "2", "3", "5", "7", "10", "16", "100", "255", "0.1", "0.5", "1.5", "2.5", "3.14159",
    "1e3", "1E3", "1e+2", "1e-7", "1.0", "1.50", "0.30000000000000004", "1e20", "1e21", "1e100",
    "1e-100", "9007199254740993", "2147483647", "2147483648", "4294967296", "9223372036854775808",
    "18446744073709551616", "123456789012345678901234567890", "0.333333333333333333333", "99.99",
    "1234567.891",
];

/// Whole numbers near zero.
pub(crate) const SMALL: [&str; 12] = [
    "0", "1", "2", "3", "4", "5", "8", "10", "16", "-1", "-2", "1.5",
];

/// The inside of quoted texts, as written.
pub(crate) const FRAGMENTS: [&str; 62] = [
    "a", "b", "ab", "abc", "hello", "Hello World", "HELLO", "x", "A", "Z", " ", "  ", "\\n", "\\t",
    "\\r\\n", "\\\"", "\\\\", "é", "e\\u0301", "ü", "ß", "İ", "ı", "ǅ", "日本語", "👨‍👩‍👧", "🇩🇪",
    "\\U0001F600", "\\u00e9", "\\u200d", "\\u0000", "$", "%", "$$", "$${", "%%{", "$$${", "%d", "%s", "~", ",", ".", "/", "-",
    "_", ":", "=", "0", "1", "42", "-1", "1.5", "true", "false", "null", "<", ">", "&", "'", "{", "}", "[",
];

/// Texts with a meaning to one function or another, as written.
pub(crate) const WHOLES: [&str; 30] = [
    "", "true", "false", "1", "0", "01", "-5", "1.0", "1e3", "0x1F", "TRUE", "yes", "null", "Infinity",
    "NaN", ".5", "5.", "+1", " 1", "1_000", "a,b,c", "a, b", "foo/bar.txt", "/a/b/", "..", "a b  c", "aaa",
    "line1\\nline2\\n", "Ａ", "１",
];

pub(crate) const PREFIXES: [&str; 14] = [
    "10.0.0.0/8", "10.1.2.0/24", "192.168.0.0/16", "0.0.0.0/0", "10.0.0.5/8", "172.16.0.0/31", "1.2.3.4/32",
    "fd00::/8", "2001:db8::/32", "::/0", "fe80::1/64", "10.0.0.0/33", "010.0.0.0/8", "10.0.0.0",
];

pub(crate) const TIMES: [&str; 13] = [
    "2017-11-22T00:00:00Z", "2020-02-29T12:34:56Z", "1970-01-01T00:00:00Z", "2023-12-31T23:59:59+02:00",
    "2018-01-02T03:04:05-08:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2023-01-01T00:00:00.123Z",
    "2023-02-30T00:00:00Z", "2023-01-01", "2023-01-01T25:00:00Z", "2023-01-01t00:00:00z", "2023-01-01T00:00:00",
];

pub(crate) const DURATIONS: [&str; 14] = [
    "1h", "10m", "1h30m", "-5s", "1.5h", "100ms", "1us", "1ns", "0", "24h", "8760h", "1d", "", "h",
];

pub(crate) const TIME_FORMATS: [&str; 16] = [
    "DD MMM YYYY hh:mm ZZZ", "EEEE, DD-MMM-YY hh:mm:ss ZZZ", "EEE, DD MMM YYYY hh:mm:ss ZZZ", "hh:mmaa", "HH:mmAA",
    "'it''s' YYYY", "M/D/YY", "MMMM", "s", "Z", "ZZZZ", "ZZZZZ", "YYY", "'open", "W", "",
];

pub(crate) const PATTERNS: [&str; 26] = [
    "a", "[a-z]+", "(a)(b)?", "(?P<name>[a-z]+)", "(?P<x>a)(b)", "^$", ".", ".*", "\\\\d+", "\\\\w+\\\\s*", "(?i)hello",
    "\\\\bfoo\\\\b", "[^,]+", "(", "a{2,3}", "x*", "(?:a|b)+", "\\\\p{L}+", "[[:alpha:]]+", "(?m)^l", "\\\\", "a**", "(?=a)",
    "(?s).+", "[z-a]", "/",
];

pub(crate) const REPLACEMENTS: [&str; 9] = [
    "", "x", "$1", "$${1}", "$name", "$0$0", "\\\\1", "$", "$$1",
];

pub(crate) const FORMATS: [&str; 44] = [
    "%s", "%d", "%v", "%#v", "%q", "%t", "%f", "%e", "%g", "%G", "%E", "%x", "%X", "%o", "%b", "%5d", "%-5d|", "%05d", "%+d", "% d",
    "%.2f", "%8.3f", "%-8s|", "%8s", "%.3s", "%%", "%s %s", "%[2]s %[1]s", "%[1]d-%[1]d", "%d%%", "hello %s!", "%", "%z", "%5",
    "%[3]s", "%#x", "%*d", "%.10g", "%.0f", "%5t", "%08.3f", "%+.2e", "%#o", "no verbs",
];

pub(crate) const JSONS: [&str; 16] = [
    "{}", "[]", "null", "1", "\\\"x\\\"", "true", "{\\\"a\\\":1,\\\"b\\\":[true,null]}", "[1,\\\"a\\\",{}]", "{\\\"a\\\":{\\\"b\\\":1.5e3}}", "", "{",
    "[1,]", "1 2", "{\\\"a\\\":1,\\\"a\\\":2}", " 1 ", "\\\"\\\\u00e9\\\"",
];

pub(crate) const YAMLS: [&str; 24] = [
    "a: 1", "- 1\\n- a\\n", "a: {b: [1, 2]}", "~", "", "yes", "no", "0x1F", "1_000", "1e3", ".inf", "a: 'x'\\nb: \\\"y\\\"\\n", "|\\n  text\\n  more\\n",
    "2020-01-01", "&x a", "a: &x 1\\nb: *x\\n", "- a: 1\\n  b: 2\\n", "!!str 1", "a: b: c", "{", "0o17", "a:\\n  - b\\n  -\\n", "<<: 1", "# only\\n",
];

pub(crate) const CSVS: [&str; 9] = [
    "a,b\\n1,2\\n3,4\\n", "a\\n", "a,b\\n\\\"x,y\\\",z", "", "a,b\\n1\\n", "a,a\\n1,2\\n", "a,b\\n\\\"x\\\"\\\"y\\\",2\\n", "a\\n\\\"b", "é,ü\\nß,日\\n",
];

pub(crate) const BASE64S: [&str; 9] = [
    "aGVsbG8=", "aGVsbG8", "", "w6k=", "/+8=", "!!!", "YQ==", "YQ", "YWJj\\nZGVm",
];

pub(crate) const ENCODINGS: [&str; 9] = [
    "UTF-8", "UTF-16LE", "UTF-16", "ISO-8859-1", "windows-1252", "ascii", "shift_jis", "nonsense", "utf8",
];

pub(crate) const PATHS: [&str; 15] = [
    "a.txt", "sub/b.txt", "sub/../a.txt", "./a.txt", "none.txt", "sub", "", "bytes.bin", "sub/é.txt", "~", "/", "a.tftpl", ".", "../x", "sub/*.txt",
];

pub(crate) const GLOBS: [&str; 12] = [
    "*", "*.txt", "**", "**/*.txt", "sub/*", "{a,b}.txt", "[ab].txt", "?.txt", "none*", "[", "sub/**", "../*",
];

pub(crate) const TEMPLATES: [&str; 7] = [
    "a.tftpl", "list.tftpl", "bad.tftpl", "none.tftpl", "plain.txt", "if.tftpl", "one.tftpl",
];

pub(crate) const NAMESPACES: [&str; 7] = [
    "dns", "url", "oid", "x500", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "nonsense", "",
];
