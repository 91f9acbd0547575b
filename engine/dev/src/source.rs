//! A Rust file, read for what the rules ask of it.

use std::collections::BTreeSet;

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, Token, UseTree};

use crate::Failure;

/// A Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path in the repository, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// What was seen in it, in its order.
    pub(crate) seen: Vec<Seen>,
    /// First and last lines of code that only tests build.
    pub(crate) test_lines: Vec<(usize, usize)>,
    /// Paths of modules' files that only tests build, without `.rs`.
    pub(crate) test_modules: Vec<String>,
    /// Whether the whole file is built for tests only.
    pub(crate) is_test: bool,
}

/// Something in a file.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Whether only tests build it.
    pub(crate) in_test: bool,
    /// Whether it is in a module named `wire`, by the file's path or within the file.
    pub(crate) in_wire: bool,
    /// The function around it, if there is one.
    pub(crate) function: Option<usize>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A path with `::`, as written or as a `use` imports it.
    Path(String),
    /// The name of a macro that is called.
    Macro(String),
    /// A call of a function or method.
    Call(Call),
    /// A struct built by its fields: the type's last name.
    Literal(String),
    /// The names in a `derive`, or the trait of an `impl`.
    Implements(Vec<String>),
    /// A function with a body.
    Function(Function),
    /// A string constant.
    Constant(String, String),
    /// A string in kebab case.
    Word(String),
    /// A tuple that begins with a string in kebab case and a text after it.
    Pair(String, String),
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The last name before the dot or before `::`, if there is one.
    pub(crate) receiver: String,
    /// What is called.
    pub(crate) name: String,
    /// Its arguments.
    pub(crate) arguments: Vec<Argument>,
    /// Whether it is a method's.
    pub(crate) is_method: bool,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A string, or the text that a `format!` begins with.
    Text(String),
    /// A name.
    Name(String),
    /// Anything else.
    Other,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Lines of its body that hold code.
    pub(crate) lines: usize,
    /// Whether a reason for its size is stated.
    pub(crate) has_size_reason: bool,
    /// Which argument is called `id`, not counting `self`.
    pub(crate) id_argument: Option<usize>,
    /// Whether it is a test.
    pub(crate) is_test: bool,
}

impl Source {
    /// Reads a file; `is_test` says that only tests build it.
    pub(crate) fn read(path: &str, text: &str, is_test: bool) -> Result<Self, Failure> {
        let file = syn::parse_file(text)
            .map_err(|error| format!("{path}:{}: {error}", error.span().start().line))?;
        let in_wire = path.split(['/', '.']).any(|part| part == "wire");
        let is_test = is_test
            || path
                .split('/')
                .any(|part| part == "tests" || part == "benches")
                && !path.starts_with("tests/support");
        let mut reader = Reader {
            path,
            lines: text.lines().collect(),
            seen: Vec::new(),
            test_lines: Vec::new(),
            test_modules: Vec::new(),
            in_test: is_test,
            in_wire,
            functions: Vec::new(),
            n_functions: 0,
        };
        reader.visit_file(&file);
        let Reader {
            seen,
            test_lines,
            test_modules,
            ..
        } = reader;
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            seen,
            test_lines,
            test_modules,
            is_test,
        })
    }

    /// What was seen in code that is not only for tests.
    pub(crate) fn seen_in_use(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| !seen.in_test)
    }

    /// Whether only tests build what is on this line.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test
            || self
                .test_lines
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Whether a comment `// MARK: reason` stands on this line or in the comments right above it.
    pub(crate) fn has_reason(&self, line: usize, mark: &str) -> bool {
        let lines: Vec<&str> = self.text.lines().collect();
        has_reason(&lines, line, mark)
    }
}

fn has_reason(lines: &[&str], line: usize, mark: &str) -> bool {
    let states = |text: &str| {
        text.split_once(&format!("// {mark}: "))
            .is_some_and(|(_, reason)| reason.trim().len() > 9)
    };
    let above = lines[..line.saturating_sub(1).min(lines.len())]
        .iter()
        .rev();
    let attached = above
        .map(|text| text.trim_start())
        .take_while(|text| text.starts_with("//") || text.starts_with("#["));
    lines
        .get(line.saturating_sub(1))
        .is_some_and(|text| states(text))
        || attached.into_iter().any(states)
}

struct Reader<'a> {
    path: &'a str,
    lines: Vec<&'a str>,
    seen: Vec<Seen>,
    test_lines: Vec<(usize, usize)>,
    test_modules: Vec<String>,
    in_test: bool,
    in_wire: bool,
    functions: Vec<usize>,
    n_functions: usize,
}

impl Reader<'_> {
    fn see(&mut self, span: Span, kind: Kind) {
        let line = span.start().line;
        let function = self.functions.last().copied();
        self.seen.push(Seen {
            line,
            in_test: self.in_test,
            in_wire: self.in_wire,
            function,
            kind,
        });
    }

    fn imports(&mut self, before: &str, tree: &UseTree) {
        let join = |name: &str| {
            if before.is_empty() {
                name.to_owned()
            } else {
                format!("{before}::{name}")
            }
        };
        match tree {
            UseTree::Path(path) => self.imports(&join(&path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.see(name.span(), Kind::Path(join(&name.ident.to_string()))),
            UseTree::Rename(rename) => {
                self.see(rename.span(), Kind::Path(join(&rename.ident.to_string())));
            }
            UseTree::Glob(glob) => self.see(glob.span(), Kind::Path(join("*"))),
            UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.imports(before, tree)),
        }
    }

    fn function(
        &mut self,
        signature: &syn::Signature,
        block: &syn::Block,
        attributes: &[Attribute],
    ) {
        let (open, close) = (
            block.brace_token.span.open().start().line,
            block.brace_token.span.close().start().line,
        );
        let inner = self
            .lines
            .get(open..close.saturating_sub(1))
            .unwrap_or_default();
        let is_code =
            |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let expects = attributes
            .iter()
            .any(|attribute| tokens_of(attribute).contains(&"too_many_lines".to_owned()));
        let reason = expects || has_reason(&self.lines, signature.span().start().line, "size");
        let id_argument = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                syn::FnArg::Typed(typed) => Some(typed),
                syn::FnArg::Receiver(_) => None,
            })
            .position(is_id);
        let function = Function {
            name: signature.ident.to_string(),
            lines: inner.iter().filter(is_code).count(),
            has_size_reason: reason,
            id_argument,
            is_test: attributes.iter().any(|attribute| {
                attribute
                    .path()
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "test")
            }),
        };
        self.see(signature.ident.span(), Kind::Function(function));
    }

    fn test_only(&mut self, attributes: &[Attribute], span: Span, visit: impl FnOnce(&mut Self)) {
        let before = self.in_test;
        if attributes.iter().any(is_for_tests) {
            if !before {
                let (LineColumn { line: first, .. }, LineColumn { line: last, .. }) =
                    (span.start(), span.end());
                self.test_lines.push((first, last));
            }
            self.in_test = true;
        }
        visit(self);
        self.in_test = before;
    }

    fn inside(&mut self, visit: impl FnOnce(&mut Self)) {
        self.n_functions += 1;
        self.functions.push(self.n_functions);
        visit(self);
        self.functions.pop();
    }

    fn macro_content(&mut self, tokens: TokenStream) {
        if let Ok(expressions) =
            syn::parse::Parser::parse2(Punctuated::<Expr, Token![,]>::parse_terminated, tokens)
        {
            expressions
                .iter()
                .for_each(|expression| self.visit_expr(expression));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.test_only(item_attributes(item), item.span(), |reader| {
            visit::visit_item(reader, item);
        });
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Fn(function) => function.attrs.as_slice(),
            syn::ImplItem::Const(constant) => constant.attrs.as_slice(),
            _ => &[],
        };
        self.test_only(attributes, item.span(), |reader| {
            visit::visit_impl_item(reader, item);
        });
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_none() && self.in_test {
            let directory = match self
                .path
                .strip_suffix("/mod.rs")
                .or(self.path.strip_suffix("/lib.rs"))
                .or(self.path.strip_suffix("/main.rs"))
            {
                Some(directory) => directory,
                None => self.path.trim_end_matches(".rs"),
            };
            self.test_modules
                .push(format!("{directory}/{}", module.ident));
        }
        let before = self.in_wire;
        self.in_wire |= module.ident == "wire";
        visit::visit_item_mod(self, module);
        self.in_wire = before;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.imports("", &item.tree);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block, &item.attrs);
        self.inside(|reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block, &item.attrs);
        self.inside(|reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block, &item.attrs);
        }
        self.inside(|reader| visit::visit_trait_item_fn(reader, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some((_, path, _)) = &item.trait_
            && let Some(last) = path.segments.last()
        {
            self.see(path.span(), Kind::Implements(vec![last.ident.to_string()]));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if let Expr::Lit(syn::ExprLit {
            lit: Lit::Str(text),
            ..
        }) = &*item.expr
        {
            self.see(
                item.span(),
                Kind::Constant(item.ident.to_string(), text.value()),
            );
        }
        visit::visit_item_const(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let names = tokens_of(attribute);
        if names.iter().any(|name| name == "derive") {
            self.see(attribute.span(), Kind::Implements(names));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names: Vec<String> = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.see(path.span(), Kind::Path(names.join("::")));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if let Some(last) = called.path.segments.last() {
            self.see(called.span(), Kind::Macro(last.ident.to_string()));
        }
        self.macro_content(called.tokens.clone());
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        if let Some(last) = literal.path.segments.last() {
            self.see(literal.path.span(), Kind::Literal(last.ident.to_string()));
        }
        visit::visit_expr_struct(self, literal);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let mut names = path
                .path
                .segments
                .iter()
                .rev()
                .map(|segment| segment.ident.to_string());
            let (name, receiver) = (
                names.next().unwrap_or_default(),
                names.next().unwrap_or_default(),
            );
            let arguments = call.args.iter().map(argument).collect();
            self.see(
                call.span(),
                Kind::Call(Call {
                    receiver,
                    name,
                    arguments,
                    is_method: false,
                }),
            );
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let arguments = call.args.iter().map(argument).collect();
        let call_seen = Call {
            receiver: last_name(&call.receiver),
            name: call.method.to_string(),
            arguments,
            is_method: true,
        };
        self.see(call.method.span(), Kind::Call(call_seen));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
        let mut parts = tuple.elems.iter().map(argument);
        if let (Some(Argument::Text(id)), Some(Argument::Text(text))) = (parts.next(), parts.next())
            && is_kebab(&id)
            && text.starts_with(|c: char| c.is_ascii_uppercase())
        {
            self.see(tuple.span(), Kind::Pair(id, text));
        }
        visit::visit_expr_tuple(self, tuple);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        let value = text.value();
        if is_kebab(&value) {
            self.see(text.span(), Kind::Word(value));
        }
    }
}

/// Whether a text is lower-case words joined by dashes.
pub(crate) fn is_kebab(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.contains('-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(is_word)
}

fn argument(expression: &Expr) -> Argument {
    match expression {
        Expr::Lit(syn::ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Argument::Text(text.value()),
        Expr::Path(path) => path.path.segments.last().map_or(Argument::Other, |last| {
            Argument::Name(last.ident.to_string())
        }),
        Expr::Reference(reference) => argument(&reference.expr),
        Expr::Macro(called) if called.mac.path.is_ident("format") => {
            match called.mac.tokens.clone().into_iter().next() {
                Some(TokenTree::Literal(literal)) => {
                    syn::parse_str::<syn::LitStr>(&literal.to_string())
                        .map_or(Argument::Other, |text| Argument::Text(text.value()))
                }
                _ => Argument::Other,
            }
        }
        _ => Argument::Other,
    }
}

/// Whether a parameter is a diagnostic's id: `id: &'static str`.
fn is_id(parameter: &syn::PatType) -> bool {
    let is_static = |ty: &syn::Type| matches!(ty, syn::Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static"));
    matches!(&*parameter.pat, syn::Pat::Ident(ident) if ident.ident == "id")
        && is_static(&parameter.ty)
}

/// The last name of what a method is called on.
fn last_name(expression: &Expr) -> String {
    match expression {
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default(),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(_) => String::new(),
        },
        Expr::MethodCall(call) => call.method.to_string(),
        Expr::Await(awaited) => last_name(&awaited.base),
        Expr::Try(tried) => last_name(&tried.expr),
        Expr::Paren(inner) => last_name(&inner.expr),
        Expr::Reference(inner) => last_name(&inner.expr),
        Expr::Unary(inner) => last_name(&inner.expr),
        _ => String::new(),
    }
}

/// All names in an attribute, the nested ones too.
fn tokens_of(attribute: &Attribute) -> Vec<String> {
    fn collect(tokens: TokenStream, names: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => collect(group.stream(), names),
                TokenTree::Ident(ident) => names.push(ident.to_string()),
                _ => {}
            }
        }
    }
    let mut names: Vec<String> = attribute
        .path()
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    if let Meta::List(list) = &attribute.meta {
        collect(list.tokens.clone(), &mut names);
    }
    names
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[test]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let names: BTreeSet<String> = tokens_of(attribute).into_iter().collect();
    let path_is = |name: &str| attribute.path().is_ident(name);
    path_is("test")
        || path_is("cfg")
            && names.contains("test")
            && !names.contains("not")
            && !names.contains("any")
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let source = Source::read("engine/x/src/lib.rs", text, false).unwrap();
        source.seen_in_use().map(|seen| seen.kind.clone()).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        let seen = kinds("use std::{fs, env::{self, var as v}, io::*};");
        let paths = ["std::fs", "std::env::self", "std::env::var", "std::io::*"];
        assert_eq!(seen, paths.map(|path| Kind::Path(path.to_owned())));
    }

    #[test]
    fn code_for_tests_is_not_in_use() {
        assert!(
            kinds("#[cfg(test)] mod tests { use std::fs; } #[test] fn t() { std::fs::read(); }")
                .is_empty()
        );
        assert_eq!(kinds("#[cfg(not(test))] use std::fs;").len(), 1);
    }

    #[test]
    fn modules_for_tests_name_their_files() {
        let source = Source::read("engine/x/src/a.rs", "#[cfg(test)] mod tests;", false).unwrap();
        assert_eq!(source.test_modules, ["engine/x/src/a/tests"]);
    }

    #[test]
    fn what_is_in_macros_is_seen() {
        let seen = kinds("fn f() { assert_eq!(a, std::fs::read(b), \"no\") }");
        assert!(
            seen.contains(&Kind::Path("std::fs::read".into())),
            "{seen:?}"
        );
    }

    #[test]
    fn reasons_stand_on_the_line_or_above() {
        let lines = [
            "// size: one table, read best in one piece",
            "#[inline]",
            "fn f() {}",
            "fn g() {}",
        ];
        assert!(has_reason(&lines, 3, "size"));
        assert!(!has_reason(&lines, 4, "size"));
        assert!(!has_reason(&["fn f() {} // size: "], 1, "size"));
    }

    #[test]
    fn kebab_case() {
        assert!(is_kebab("unknown-attribute"));
        for text in ["unknown", "-a", "a-", "A-b", "a--b", "a b-c"] {
            assert!(!is_kebab(text), "{text}");
        }
    }
}
