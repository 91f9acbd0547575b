//! Documents of GraphQL as the objects that OPA gives of them.

use serde_json::{Map, Value, json};

use super::lexer::{Token, tokens};

type Parsed<T> = Result<T, String>;

/// Reads operations and fragments.
pub(super) fn query(text: &str) -> Parsed<Value> {
    let mut parser = Parser::new(text)?;
    let (mut operations, mut fragments) = (Vec::new(), Vec::new());
    while !parser.is_at_end() {
        if parser.is_word("fragment") {
            fragments.push(parser.fragment()?);
        } else {
            operations.push(parser.operation()?);
        }
    }
    Ok(object(
        json!({}),
        [("Operations", operations), ("Fragments", fragments)],
    ))
}

/// Reads types, directives and schemas.
pub(super) fn schema(text: &str) -> Parsed<Value> {
    let mut parser = Parser::new(text)?;
    let mut definitions = Vec::new();
    let mut extensions = Vec::new();
    let mut schemas = Vec::new();
    let mut schema_extensions = Vec::new();
    let mut directives = Vec::new();
    while !parser.is_at_end() {
        let description = parser.description();
        if parser.takes_word("extend") {
            if description.is_some() {
                return Err("an extension has no description".to_owned());
            }
            if parser.takes_word("schema") {
                schema_extensions.push(parser.schema("", true)?);
            } else {
                extensions.push(parser.definition("", true)?);
            }
            continue;
        }
        let description = description.unwrap_or_default();
        if parser.takes_word("schema") {
            schemas.push(parser.schema(&description, false)?);
        } else if parser.takes_word("directive") {
            directives.push(parser.directive_definition(&description)?);
        } else {
            definitions.push(parser.definition(&description, false)?);
        }
    }
    Ok(object(
        json!({}),
        [
            ("Definitions", definitions),
            ("Extensions", extensions),
            ("Schema", schemas),
            ("SchemaExtension", schema_extensions),
            ("Directives", directives),
        ],
    ))
}

/// An object with lists added that have elements.
fn object<const N: usize>(start: Value, lists: [(&str, Vec<Value>); N]) -> Value {
    let mut members = match start {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, list) in lists {
        if !list.is_empty() {
            members.insert(name.to_owned(), list.into());
        }
    }
    Value::Object(members)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// How deep documents may nest.
const MAXIMAL_DEPTH: usize = 200;

impl Parser {
    fn new(text: &str) -> Parsed<Self> {
        Ok(Self {
            tokens: tokens(text)?,
            at: 0,
            depth: 0,
        })
    }

    fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is_at_end(&self) -> bool {
        *self.token() == Token::End
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token(), Token::Name(found) if found == word)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_there = self.is_sign(sign);
        if is_there {
            self.advance();
        }
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word(word);
        if is_there {
            self.advance();
        }
        is_there
    }

    fn unexpected<T>(&self) -> Parsed<T> {
        Err(format!("Unexpected {:?}", self.token()))
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(format!("Expected {sign}, found {:?}", self.token()))
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.token().clone() {
            Token::Name(name) => {
                self.advance();
                Ok(name)
            }
            other => Err(format!("Expected Name, found {other:?}")),
        }
    }

    fn description(&mut self) -> Option<String> {
        let (Token::Text(text) | Token::Block(text)) = self.token().clone() else {
            return None;
        };
        self.advance();
        Some(text)
    }

    /// At least one item between signs, or nothing where the first sign is not there.
    fn list(
        &mut self,
        signs: [&str; 2],
        mut item: impl FnMut(&mut Self) -> Parsed<Value>,
    ) -> Parsed<Vec<Value>> {
        let mut items = Vec::new();
        if self.takes(signs[0]) {
            self.depth += 1;
            if self.depth > MAXIMAL_DEPTH {
                return Err("nested too deeply".to_owned());
            }
            while !self.takes(signs[1]) {
                items.push(item(self)?);
            }
            self.depth -= 1;
            if items.is_empty() {
                return Err("expected at least one definition".to_owned());
            }
        }
        Ok(items)
    }

    fn kind_of_type(&mut self) -> Parsed<Value> {
        let mut kind = if self.takes("[") {
            self.depth += 1;
            if self.depth > MAXIMAL_DEPTH {
                return Err("nested too deeply".to_owned());
            }
            let element = self.kind_of_type()?;
            self.depth -= 1;
            self.expect("]")?;
            json!({"NamedType": "", "Elem": element})
        } else {
            json!({"NamedType": self.name()?})
        };
        kind["NonNull"] = self.takes("!").into();
        Ok(kind)
    }

    fn value(&mut self, is_constant: bool) -> Parsed<Value> {
        let token = self.token().clone();
        let (kind, raw) = match token {
            Token::Sign("$") if !is_constant => {
                self.advance();
                let name = self.name()?;
                return Ok(json!({"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": name}));
            }
            Token::Sign("[") => {
                let children = self.children(["[", "]"], |parser| {
                    Ok(json!({"Name": "", "Value": parser.value(is_constant)?}))
                })?;
                return Ok(composed(8, children));
            }
            Token::Sign("{") => {
                let children = self.children(["{", "}"], |parser| {
                    let name = parser.name()?;
                    parser.expect(":")?;
                    Ok(json!({"Name": name, "Value": parser.value(is_constant)?}))
                })?;
                return Ok(composed(9, children));
            }
            Token::Integer(raw) => (1, raw),
            Token::Float(raw) => (2, raw),
            Token::Text(raw) => (3, raw),
            Token::Block(raw) => (4, raw),
            Token::Name(raw) if raw == "true" || raw == "false" => (5, raw),
            Token::Name(raw) if raw == "null" => (6, raw),
            Token::Name(raw) => (7, raw),
            Token::Sign(_) | Token::End => return self.unexpected(),
        };
        self.advance();
        Ok(json!({"ExpectedTypeHasDefault": false, "Kind": kind, "Raw": raw}))
    }

    /// As [`Self::list`], but there may be none.
    fn children(
        &mut self,
        signs: [&str; 2],
        item: impl FnMut(&mut Self) -> Parsed<Value>,
    ) -> Parsed<Vec<Value>> {
        let next = self.tokens.get(self.at + 1);
        if matches!(next, Some(Token::Sign(sign)) if *sign == signs[1]) {
            self.at += 2;
            return Ok(Vec::new());
        }
        self.list(signs, item)
    }

    fn arguments(&mut self, is_constant: bool) -> Parsed<Vec<Value>> {
        self.list(["(", ")"], |parser| {
            let name = parser.name()?;
            parser.expect(":")?;
            Ok(json!({"Name": name, "Value": parser.value(is_constant)?}))
        })
    }

    fn directives(&mut self, is_constant: bool) -> Parsed<Vec<Value>> {
        let mut directives = Vec::new();
        while self.takes("@") {
            let start = json!({"Name": self.name()?, "Location": ""});
            directives.push(object(start, [("Arguments", self.arguments(is_constant)?)]));
        }
        Ok(directives)
    }

    // Queries.

    fn operation(&mut self) -> Parsed<Value> {
        if self.is_sign("{") {
            let start = json!({"Name": "", "Operation": "query"});
            return Ok(object(start, [("SelectionSet", self.selections()?)]));
        }
        let kind = match self.token() {
            Token::Name(name) if ["query", "mutation", "subscription"].contains(&name.as_str()) => {
                self.name()?
            }
            _ => return self.unexpected(),
        };
        let name = if matches!(self.token(), Token::Name(_)) {
            self.name()?
        } else {
            String::new()
        };
        let variables = self.variables()?;
        let directives = self.directives(false)?;
        Ok(object(
            json!({"Name": name, "Operation": kind}),
            [
                ("VariableDefinitions", variables),
                ("Directives", directives),
                ("SelectionSet", self.needed_selections()?),
            ],
        ))
    }

    fn fragment(&mut self) -> Parsed<Value> {
        self.advance();
        if self.is_word("on") {
            return self.unexpected();
        }
        let name = self.name()?;
        let variables = self.variables()?;
        if !self.takes_word("on") {
            return Err(format!("Expected \"on\", found {:?}", self.token()));
        }
        let start = json!({"Name": name, "TypeCondition": self.name()?});
        Ok(object(
            start,
            [
                ("VariableDefinition", variables),
                ("Directives", self.directives(false)?),
                ("SelectionSet", self.needed_selections()?),
            ],
        ))
    }

    fn variables(&mut self) -> Parsed<Vec<Value>> {
        self.list(["(", ")"], |parser| {
            parser.expect("$")?;
            let name = parser.name()?;
            parser.expect(":")?;
            let kind = parser.kind_of_type()?;
            let mut start = json!({"Variable": name, "Type": kind, "Used": false});
            if parser.takes("=") {
                start["DefaultValue"] = parser.value(true)?;
            }
            Ok(object(start, [("Directives", parser.directives(false)?)]))
        })
    }

    fn selections(&mut self) -> Parsed<Vec<Value>> {
        self.list(["{", "}"], Self::selection)
    }

    fn needed_selections(&mut self) -> Parsed<Vec<Value>> {
        if self.is_sign("{") {
            self.selections()
        } else {
            Err(format!("Expected {{, found {:?}", self.token()))
        }
    }

    fn selection(&mut self) -> Parsed<Value> {
        if self.takes("...") {
            let is_spread = matches!(self.token(), Token::Name(name) if name != "on");
            if is_spread {
                let start = json!({"Name": self.name()?});
                return Ok(object(start, [("Directives", self.directives(false)?)]));
            }
            let condition = if self.takes_word("on") {
                self.name()?
            } else {
                String::new()
            };
            return Ok(object(
                json!({"TypeCondition": condition}),
                [
                    ("Directives", self.directives(false)?),
                    ("SelectionSet", self.needed_selections()?),
                ],
            ));
        }
        let alias = self.name()?;
        let name = if self.takes(":") {
            self.name()?
        } else {
            alias.clone()
        };
        Ok(object(
            json!({"Alias": alias, "Name": name}),
            [
                ("Arguments", self.arguments(false)?),
                ("Directives", self.directives(false)?),
                ("SelectionSet", self.selections()?),
            ],
        ))
    }

    // Schemas.

    fn schema(&mut self, description: &str, is_extension: bool) -> Parsed<Value> {
        let directives = self.directives(true)?;
        let operations = self.list(["{", "}"], |parser| {
            let operation = parser.name()?;
            parser.expect(":")?;
            Ok(json!({"Operation": operation, "Type": parser.name()?}))
        })?;
        let is_enough = is_extension && !directives.is_empty();
        if operations.is_empty() && !is_enough {
            return self.unexpected();
        }
        Ok(object(
            json!({"Description": description}),
            [("Directives", directives), ("OperationTypes", operations)],
        ))
    }

    fn directive_definition(&mut self, description: &str) -> Parsed<Value> {
        self.expect("@")?;
        let name = self.name()?;
        let arguments = self.inputs(["(", ")"])?;
        let is_repeatable = self.takes_word("repeatable");
        if !self.takes_word("on") {
            return self.unexpected();
        }
        let locations = self.divided("|")?;
        if let Some(wrong) = locations.iter().find(|location| {
            !location
                .as_str()
                .is_some_and(|location| LOCATIONS.contains(&location))
        }) {
            return Err(format!("Unexpected Name {wrong}"));
        }
        let start =
            json!({"Description": description, "Name": name, "IsRepeatable": is_repeatable});
        Ok(object(
            start,
            [("Arguments", arguments), ("Locations", locations)],
        ))
    }

    /// Names with a sign between them, and perhaps one before.
    fn divided(&mut self, sign: &str) -> Parsed<Vec<Value>> {
        self.takes(sign);
        let mut names = vec![self.name()?.into()];
        while self.takes(sign) {
            names.push(self.name()?.into());
        }
        Ok(names)
    }

    /// Arguments of a field, or the fields of an input object.
    fn inputs(&mut self, signs: [&str; 2]) -> Parsed<Vec<Value>> {
        self.list(signs, |parser| {
            let description = parser.description().unwrap_or_default();
            let name = parser.name()?;
            parser.expect(":")?;
            let kind = parser.kind_of_type()?;
            let mut start = json!({"Description": description, "Name": name, "Type": kind});
            if parser.takes("=") {
                start["DefaultValue"] = parser.value(true)?;
            }
            Ok(object(start, [("Directives", parser.directives(true)?)]))
        })
    }

    fn fields(&mut self) -> Parsed<Vec<Value>> {
        self.list(["{", "}"], |parser| {
            let description = parser.description().unwrap_or_default();
            let name = parser.name()?;
            let arguments = parser.inputs(["(", ")"])?;
            parser.expect(":")?;
            let kind = parser.kind_of_type()?;
            let start = json!({"Description": description, "Name": name, "Type": kind});
            Ok(object(
                start,
                [
                    ("Arguments", arguments),
                    ("Directives", parser.directives(true)?),
                ],
            ))
        })
    }

    fn definition(&mut self, description: &str, is_extension: bool) -> Parsed<Value> {
        let word = self.name()?;
        let kind = match word.as_str() {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => return Err(format!("Unexpected Name {word:?}")),
        };
        let start = json!({
            "BuiltIn": false, "Description": description, "Kind": kind, "Name": self.name()?,
        });
        let interfaces = if matches!(kind, "OBJECT" | "INTERFACE") && self.takes_word("implements")
        {
            self.divided("&")?
        } else {
            Vec::new()
        };
        let directives = self.directives(true)?;
        let (mut fields, mut types, mut values) = (Vec::new(), Vec::new(), Vec::new());
        match kind {
            "OBJECT" | "INTERFACE" => fields = self.fields()?,
            "INPUT_OBJECT" => fields = self.inputs(["{", "}"])?,
            "UNION" if self.takes("=") => types = self.divided("|")?,
            "ENUM" => {
                values = self.list(["{", "}"], |parser| {
                    let description = parser.description().unwrap_or_default();
                    let start = json!({"Description": description, "Name": parser.name()?});
                    Ok(object(start, [("Directives", parser.directives(true)?)]))
                })?;
            }
            _ => {}
        }
        let says_nothing = [&interfaces, &directives, &fields, &types, &values]
            .iter()
            .all(|list| list.is_empty());
        if is_extension && says_nothing {
            return self.unexpected();
        }
        Ok(object(
            start,
            [
                ("Interfaces", interfaces),
                ("Directives", directives),
                ("Fields", fields),
                ("Types", types),
                ("EnumValues", values),
            ],
        ))
    }
}

fn composed(kind: u8, children: Vec<Value>) -> Value {
    let start = json!({"ExpectedTypeHasDefault": false, "Kind": kind, "Raw": ""});
    object(start, [("Children", children)])
}
