//! Reading addresses as people write them.

use std::fmt;
use std::str::FromStr;

use crate::{
    AbsProviderConfig, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, ModulePath,
    ModuleStep, Name, ProviderAddr, Resource, ResourceMode,
};

/// Why an address cannot be read: what, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The address as given.
    pub input: String,
    /// Byte offset of the problem.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a valid address: {} (at character {})",
            self.input,
            self.message,
            self.offset + 1
        )
    }
}

impl std::error::Error for ParseError {}

/// What `-target`, `-replace`, `state mv` and the like may name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A module instance and all in it; a step without a key stands for all instances of its call.
    Module(ModuleInstance),
    /// All instances of a resource.
    Resource(AbsResource),
    /// One instance of a resource.
    Instance(AbsResourceInstance),
}

impl Target {
    /// Whether `instance` is named, directly or by what contains it.
    pub fn contains(&self, instance: &AbsResourceInstance) -> bool {
        match self {
            Self::Module(module) => module_contains(module, instance.module()),
            Self::Resource(resource) => {
                resource.resource == instance.resource.resource
                    && resource.module.steps().len() == instance.module().steps().len()
                    && module_contains(&resource.module, instance.module())
            }
            Self::Instance(target) => target == instance,
        }
    }
}

fn module_contains(outer: &ModuleInstance, inner: &ModuleInstance) -> bool {
    outer.steps().len() <= inner.steps().len()
        && outer
            .steps()
            .iter()
            .zip(inner.steps())
            .all(|(a, b)| a.name == b.name && (a.key.is_none() || a.key == b.key))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(address) => write!(f, "{address}"),
            Self::Resource(address) => write!(f, "{address}"),
            Self::Instance(address) => write!(f, "{address}"),
        }
    }
}

struct Reader<'a> {
    input: &'a str,
    offset: usize,
}

impl<'a> Reader<'a> {
    fn error<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError {
            input: self.input.to_owned(),
            offset: self.offset,
            message: message.into(),
        })
    }

    fn rest(&self) -> &'a str {
        &self.input[self.offset..]
    }

    fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.offset += text.len();
        }
        found
    }

    fn name(&mut self) -> Result<Name, ParseError> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(index, c)| {
                let ok = if *index == 0 {
                    c.is_alphabetic() || *c == '_'
                } else {
                    c.is_alphanumeric() || *c == '_' || *c == '-'
                };
                !ok
            })
            .map_or(rest.len(), |(index, _)| index);
        if end == 0 {
            return self.error("a name is expected here");
        }
        self.offset += end;
        Ok(rest[..end].into())
    }

    fn key(&mut self) -> Result<Option<InstanceKey>, ParseError> {
        if !self.eat("[") {
            return Ok(None);
        }
        let key = if self.rest().starts_with('"') {
            self.offset += 1;
            InstanceKey::String(self.quoted()?)
        } else {
            let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
            let Ok(index) = self.rest()[..digits].parse() else {
                return self.error("an instance key is a whole number or a quoted string");
            };
            self.offset += digits;
            InstanceKey::Int(index)
        };
        if !self.eat("]") {
            return self.error("a closing bracket is expected here");
        }
        Ok(Some(key))
    }

    fn quoted(&mut self) -> Result<Name, ParseError> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => {
                    self.offset += index + 1;
                    return Ok(text.into());
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'u')) => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&digits, 16).ok();
                        let Some(c) = code.and_then(char::from_u32) else {
                            return self.error("\\u is followed by four hexadecimal digits");
                        };
                        text.push(c);
                    }
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                '$' | '%' if self.rest()[index + 1..].starts_with(&format!("{c}{{")) => {
                    text.push(c);
                    chars.next();
                }
                c => text.push(c),
            }
        }
        self.error("the quoted key is not closed")
    }

    fn modules(&mut self) -> Result<ModuleInstance, ParseError> {
        let mut steps = Vec::new();
        while self.eat("module.") {
            let name = self.name()?;
            let key = self.key()?;
            steps.push(ModuleStep { name, key });
            if self.at_end() {
                break;
            }
            if !self.eat(".") {
                return self.error("a dot is expected after a module");
            }
        }
        Ok(steps.into_iter().collect())
    }

    fn resource(&mut self) -> Result<Resource, ParseError> {
        let mut mode = ResourceMode::Managed;
        if self.eat("data.") {
            mode = ResourceMode::Data;
        } else if self.eat("ephemeral.") {
            mode = ResourceMode::Ephemeral;
        }
        let type_name = self.name()?;
        if !self.eat(".") {
            return self.error("a resource is named by its type, a dot and its name");
        }
        Ok(Resource {
            mode,
            type_name,
            name: self.name()?,
        })
    }
}

impl FromStr for Target {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let mut reader = Reader { input, offset: 0 };
        let module = reader.modules()?;
        if reader.at_end() {
            return if module.is_root() {
                reader.error("it is empty")
            } else {
                Ok(Self::Module(module))
            };
        }
        let resource = reader.resource()?.in_module(module);
        let key = reader.key()?;
        if !reader.at_end() {
            return reader.error("nothing may follow the address");
        }
        Ok(match key {
            None => Self::Resource(resource),
            key => Self::Instance(resource.instance(key)),
        })
    }
}

impl FromStr for AbsResourceInstance {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        match input.parse()? {
            Target::Instance(instance) => Ok(instance),
            Target::Resource(resource) => Ok(resource.instance(None)),
            Target::Module(_) => Err(ParseError {
                input: input.to_owned(),
                offset: 0,
                message: "it names a module, not a resource".into(),
            }),
        }
    }
}

impl FromStr for AbsResource {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        match input.parse()? {
            Target::Resource(resource) => Ok(resource),
            _ => Err(ParseError {
                input: input.to_owned(),
                offset: 0,
                message: "it does not name a resource without an instance key".into(),
            }),
        }
    }
}

impl FromStr for ModuleInstance {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        if input.is_empty() {
            return Ok(Self::root());
        }
        match input.parse()? {
            Target::Module(module) => Ok(module),
            _ => Err(ParseError {
                input: input.to_owned(),
                offset: 0,
                message: "it does not name a module".into(),
            }),
        }
    }
}

impl FromStr for AbsProviderConfig {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let mut reader = Reader { input, offset: 0 };
        let mut names: Vec<Name> = Vec::new();
        while reader.eat("module.") {
            names.push(reader.name()?);
            // Old states may hold instance keys here; a provider configuration never depends on them.
            reader.key()?;
            if !reader.eat(".") {
                return reader.error("a dot is expected after a module");
            }
        }
        if !reader.eat("provider[\"") {
            return reader.error("provider[\"...\"] is expected here");
        }
        let source = reader.quoted()?;
        let Ok(provider) = ProviderAddr::parse(&source) else {
            return reader.error("the provider's name cannot be read");
        };
        if !reader.eat("]") {
            return reader.error("a closing bracket is expected here");
        }
        let alias = if reader.eat(".") {
            Some(reader.name()?)
        } else {
            None
        };
        let key = reader.key()?;
        if !reader.at_end() {
            return reader.error("nothing may follow the address");
        }
        Ok(Self {
            key,
            module: names.into_iter().collect::<ModulePath>(),
            provider,
            alias,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = Name> {
        "[a-z_][a-z0-9_-]{0,4}".prop_map(Name::from)
    }

    fn key() -> impl Strategy<Value = Option<InstanceKey>> {
        // The characters that an address writes in a way of their own, among any others.
        let text = prop_oneof![
            "[\"\\\\\\n\\r\\t${}%\\[\\]. é\u{1}\u{1b}\u{7f}]{0,6}",
            ".{0,6}"
        ];
        prop_oneof![
            Just(None),
            any::<u64>().prop_map(|index| Some(InstanceKey::Int(index))),
            text.prop_map(|text| Some(InstanceKey::String(text.into()))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_displayed_is_read_again(
            modules in proptest::collection::vec((name(), key()), 0..3),
            data in any::<bool>(),
            resource in (name(), name()),
            key in key(),
        ) {
            let mut steps = String::new();
            for (name, key) in &modules {
                let key = key.as_ref().map(ToString::to_string).unwrap_or_default();
                steps.extend(["module.", name, &key, "."]);
            }
            let mode = if data { "data." } else { "" };
            // A type called `data` or `module` is read as the keyword.
            prop_assume!(!matches!(&*resource.0, "data" | "module" | "ephemeral" | "resource"));
            let shown_key = key.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("{steps}{mode}{}.{}{shown_key}", resource.0, resource.1);
            let address: AbsResourceInstance = text.parse().unwrap();
            prop_assert_eq!(address.to_string(), text.clone());
            prop_assert_eq!(&address.key, &key);
            prop_assert!(!text.contains(char::is_control));
        }

        #[test]
        fn any_text_is_read_or_refused_with_its_place(text in ".{0,30}") {
            if let Err(error) = text.parse::<Target>() {
                prop_assert!(!error.to_string().is_empty());
            }
            if let Ok(provider) = text.parse::<AbsProviderConfig>() {
                prop_assert_eq!(provider.to_string().parse::<AbsProviderConfig>(), Ok(provider));
            }
        }
    }

    #[test]
    fn addresses_parse_from_what_they_display() {
        for text in [
            "aws_vpc.main",
            "data.aws_ami.x[3]",
            "module.a.module.b[\"k\"].aws_vpc.main[\"x\\\"y $${z}\"]",
            "module.a[0]",
            "module.a",
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn a_bad_address_says_where() {
        let error = "aws_vpc.main[x]".parse::<Target>().unwrap_err();
        assert_eq!(error.offset, 13);
        assert!("aws_vpc".parse::<Target>().is_err());
        assert!("aws_vpc.a.b".parse::<Target>().is_err());
    }

    #[test]
    fn provider_configurations_parse() {
        let text = "module.x.provider[\"registry.terraform.io/hashicorp/aws\"].west";
        assert_eq!(text.parse::<AbsProviderConfig>().unwrap().to_string(), text);
        let text = format!("{text}[\"eu\"]");
        assert_eq!(text.parse::<AbsProviderConfig>().unwrap().to_string(), text);
    }

    #[test]
    fn a_target_without_keys_holds_all_instances() {
        let target: Target = "module.a.aws_vpc.main".parse().unwrap();
        assert!(target.contains(&"module.a[1].aws_vpc.main[0]".parse().unwrap()));
        assert!(!target.contains(&"module.a[1].module.b.aws_vpc.main[0]".parse().unwrap()));
    }
}
