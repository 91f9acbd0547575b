//! The functions with what they take and give.

/// What an argument is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Number,
    Small,
    Text,
    Bool,
    Any,
    /// The type that the call is made for, or one that is chosen for it.
    Same,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Object,
    Prefix,
    Time,
    Duration,
    TimeFormat,
    Pattern,
    Replacement,
    Format,
    Json,
    Yaml,
    Csv,
    Base64,
    Encoding,
    Path,
    Glob,
    Directory,
    Template,
    Namespace,
    /// A reference to a text that is a template.
    TemplateText,
    Integer,
    Base,
}

/// A function with what it takes and gives.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: &'static str,
    pub(crate) takes: Vec<Wants>,
    /// What further arguments are.
    pub(crate) more: Option<Wants>,
    pub(crate) gives: Wants,
}

/// `name(takes, ..more) gives`, one a line.
const TABLE: &str = "
abs(number) number
abspath(path) text
alltrue(list<bool>) bool
anytrue(list<bool>) bool
base64decode(base64) text
base64encode(text) text
base64sha256(text) text
base64sha512(text) text
basename(path) text
can(any) bool
ceil(number) number
chomp(text) text
chunklist(list<any>, small) any
cidrhost(prefix, small) text
cidrnetmask(prefix) text
cidrsubnet(prefix, small, small) text
cidrsubnets(prefix, small, ..small) list<text>
coalesce(same, ..same) same
coalescelist(list<same>, ..list<same>) list<same>
compact(list<text>) list<text>
concat(list<same>, ..list<same>) list<same>
contains(list<same>, same) bool
contains(set<text>, text) bool
csvdecode(csv) any
dirname(path) text
distinct(list<same>) list<same>
element(list<same>, small) same
endswith(text, text) bool
ephemeralasnull(same) same
file(path) text
filebase64(path) text
filebase64sha256(path) text
filebase64sha512(path) text
fileexists(path) bool
filemd5(path) text
fileset(directory, glob) set<text>
filesha1(path) text
filesha256(path) text
filesha512(path) text
flatten(list<any>) any
flatten(list<list<same>>) list<same>
floor(number) number
format(format, ..any) text
format(format, ..number) text
formatdate(timeformat, time) text
formatlist(format, ..list<text>) list<text>
formatlist(format, ..any) list<text>
indent(small, text) text
index(list<same>, same) number
issensitive(any) bool
join(text, list<text>) text
join(text, ..list<text>) text
jsondecode(json) any
jsonencode(any) text
keys(map<any>) list<text>
keys(object) list<text>
length(list<any>) number
length(map<any>) number
length(text) number
length(any) number
log(number, number) number
lookup(map<same>, text) same
lookup(map<same>, text, same) same
lookup(object, text, same) same
lower(text) text
matchkeys(list<same>, list<text>, list<text>) list<same>
max(number, ..number) number
md5(text) text
merge(map<same>, ..map<same>) map<same>
merge(object, ..object) any
min(number, ..number) number
nonsensitive(same) same
one(list<same>) same
one(set<same>) same
parseint(integer, base) number
pathexpand(path) text
pow(small, small) number
pow(number, small) number
range(small) list<number>
range(small, small) list<number>
range(small, small, number) list<number>
regex(pattern, text) any
regexall(pattern, text) any
replace(text, text, text) text
replace(text, pattern, replacement) text
reverse(list<same>) list<same>
rsadecrypt(base64, text) text
sensitive(same) same
setintersection(set<same>, ..set<same>) set<same>
setproduct(list<any>, ..list<any>) any
setproduct(set<any>, ..set<any>) any
setsubtract(set<same>, set<same>) set<same>
setunion(set<same>, ..set<same>) set<same>
sha1(text) text
sha256(text) text
sha512(text) text
signum(number) number
slice(list<same>, small, small) list<same>
sort(list<text>) list<text>
split(text, text) list<text>
startswith(text, text) bool
strcontains(text, text) bool
strrev(text) text
substr(text, small, small) text
sum(list<number>) number
sum(set<number>) number
templatefile(template, object) any
templatefile(template, map<any>) any
templatestring(templatetext, object) text
textdecodebase64(base64, encoding) text
textencodebase64(text, encoding) text
timeadd(time, duration) text
timecmp(time, time) number
title(text) text
tobool(any) bool
tobool(bool) bool
tolist(any) any
tolist(list<same>) list<same>
tolist(set<same>) list<same>
tomap(any) any
tomap(object) any
tomap(map<same>) map<same>
tonumber(any) number
tonumber(integer) number
toset(any) any
toset(list<same>) set<same>
tostring(any) text
tostring(number) text
transpose(map<list<text>>) map<list<text>>
trim(text, text) text
trimprefix(text, text) text
trimspace(text) text
trimsuffix(text, text) text
try(same, ..same) same
upper(text) text
urlencode(text) text
uuidv5(namespace, text) text
values(map<same>) list<same>
values(object) any
yamldecode(yaml) any
yamlencode(any) text
zipmap(list<text>, list<same>) map<same>
zipmap(list<text>, list<any>) any
core::upper(text) text
core::length(any) number
provider::terraform::encode_expr(any) text
provider::terraform::encode_tfvars(object) text
nosuch(any) any
";

/// All functions that can be compared: those whose results do not depend on the machine or the moment.
pub(crate) fn all() -> Vec<Signature> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty())
        .map(signature)
        .collect()
}

fn signature(line: &'static str) -> Signature {
    let (name, rest) = line.split_once('(').expect("a line has its parameters");
    let (parameters, gives) = rest.split_once(") ").expect("a line says what it gives");
    let mut takes = Vec::new();
    let mut more = None;
    for parameter in parameters.split(", ").filter(|text| !text.is_empty()) {
        match parameter.strip_prefix("..") {
            Some(parameter) => more = Some(wants(parameter)),
            None => takes.push(wants(parameter)),
        }
    }
    Signature {
        name,
        takes,
        more,
        gives: wants(gives),
    }
}

fn wants(text: &str) -> Wants {
    let inner = |text: &str| Box::new(wants(&text[..text.len() - 1]));
    if let Some(element) = text.strip_prefix("list<") {
        return Wants::List(inner(element));
    }
    if let Some(element) = text.strip_prefix("set<") {
        return Wants::Set(inner(element));
    }
    if let Some(element) = text.strip_prefix("map<") {
        return Wants::Map(inner(element));
    }
    match text {
        "number" => Wants::Number,
        "small" => Wants::Small,
        "text" => Wants::Text,
        "bool" => Wants::Bool,
        "any" => Wants::Any,
        "same" => Wants::Same,
        "object" => Wants::Object,
        "prefix" => Wants::Prefix,
        "time" => Wants::Time,
        "duration" => Wants::Duration,
        "timeformat" => Wants::TimeFormat,
        "pattern" => Wants::Pattern,
        "replacement" => Wants::Replacement,
        "format" => Wants::Format,
        "json" => Wants::Json,
        "yaml" => Wants::Yaml,
        "csv" => Wants::Csv,
        "base64" => Wants::Base64,
        "encoding" => Wants::Encoding,
        "path" => Wants::Path,
        "glob" => Wants::Glob,
        "directory" => Wants::Directory,
        "template" => Wants::Template,
        "templatetext" => Wants::TemplateText,
        "namespace" => Wants::Namespace,
        "integer" => Wants::Integer,
        "base" => Wants::Base,
        other => unreachable!("{other} is no kind of argument"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let all = all();
        assert!(all.len() > 140);
        let merge = all.iter().find(|found| found.name == "merge").unwrap();
        assert_eq!(merge.takes, [Wants::Map(Box::new(Wants::Same))]);
        assert_eq!(merge.more, Some(Wants::Map(Box::new(Wants::Same))));
    }
}
