//! Changes a configuration, as its author would between two runs.

use regex::Regex;

use super::{Block, Configuration, Module, Sort};
use crate::random::Random;

/// The configuration after some changes.
pub(super) fn changed(mut configuration: Configuration, random: &mut Random) -> Configuration {
    configuration.options.clear();
    for _ in 0..random.below(4) {
        change(&mut configuration, random);
    }
    if random.chance(20) {
        configuration.options.push(option(&configuration, random));
    }
    configuration
}

fn change(configuration: &mut Configuration, random: &mut Random) {
    let n_children = configuration.children.len();
    let module = if random.chance(70) {
        Some(&mut configuration.root)
    } else {
        configuration
            .children
            .values_mut()
            .nth(random.below(n_children))
    };
    let Some(module) = module else { return };
    match random.below(8) {
        0 => rename(module, Sort::Resource, "terraform_data", random),
        1 => rename(module, Sort::Call, "module", random),
        2 => remove(module, Sort::Resource, "terraform_data", random),
        3 => remove(module, Sort::Call, "module", random),
        4 => repeat(module, random),
        5 => drop(configuration.given.pop()),
        6 => line(module, random),
        _ => input(module, random),
    }
}

fn names(module: &Module, sort: Sort) -> Vec<String> {
    module
        .iter()
        .filter(|block| block.sort == sort)
        .map(|block| block.name.clone())
        .collect()
}

/// Gives an object another name, mostly saying that it has moved.
fn rename(module: &mut Module, sort: Sort, of: &str, random: &mut Random) {
    let names = names(module, sort);
    if names.is_empty() {
        return;
    }
    let old = random.pick(&names).clone();
    let new = format!("{old}x");
    for block in module.iter_mut() {
        if block.sort == sort && block.name == old {
            block.name.clone_from(&new);
        }
        if block.sort != Sort::Moved && block.sort != Sort::Removed {
            replace(block, &format!(r"{of}\.{old}\b"), &format!("{of}.{new}"));
        }
    }
    if random.chance(75) {
        let lines = vec![format!("from = {of}.{old}"), format!("to = {of}.{new}")];
        module.push(Block::new(Sort::Moved, "", lines));
    }
}

/// Removes an object, sometimes saying that what it stands for is to stay.
fn remove(module: &mut Module, sort: Sort, of: &str, random: &mut Random) {
    let names = names(module, sort);
    if names.is_empty() {
        return;
    }
    let gone = random.pick(&names).clone();
    module.retain(|block| block.sort != sort || block.name != gone);
    for block in module.iter_mut() {
        if block.sort != Sort::Moved && block.sort != Sort::Removed {
            replace(block, &format!(r"\[{of}\.{gone}\]"), "[]");
            replace(
                block,
                &format!(r#"{of}\.{gone}\b(\[[^\]]*\])?(\.[a-z]+)?"#),
                "{}",
            );
        }
    }
    if random.chance(50) {
        let destroy = random.chance(40);
        let lines = vec![
            format!("from = {of}.{gone}"),
            format!("lifecycle {{\n  destroy = {destroy}\n}}"),
        ];
        module.push(Block::new(Sort::Removed, "", lines));
    }
}

/// Changes how often an object is there.
fn repeat(module: &mut Module, random: &mut Random) {
    let mut repeated: Vec<&mut Block> = module
        .iter_mut()
        .filter(|block| matches!(block.sort, Sort::Resource | Sort::Call))
        .collect();
    if repeated.is_empty() {
        return;
    }
    let index = random.below(repeated.len());
    let block = &mut *repeated[index];
    let new = *random.pick(&[
        "count = 1",
        "count = 2",
        "count = 0",
        "for_each = toset([\"b\", \"c\"])",
        "for_each = { a = \"changed\", c = null }",
    ]);
    let kind = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let old = block
        .lines
        .iter_mut()
        .find(|line| line.starts_with("count =") || line.starts_with("for_each ="));
    match old {
        // Other blocks refer to it by the keys that it has.
        Some(line) if kind(line) == kind(new) => new.clone_into(line),
        Some(_) => {}
        None if random.chance(50) => block.lines.push("count = 1".to_owned()),
        None => {}
    }
}

/// Takes a line out.
fn line(module: &mut Module, random: &mut Random) {
    let mut long: Vec<&mut Block> = module
        .iter_mut()
        .filter(|block| {
            block.lines.len() > 1 && matches!(block.sort, Sort::Resource | Sort::Output)
        })
        .collect();
    if long.is_empty() {
        return;
    }
    let index = random.below(long.len());
    let block = &mut *long[index];
    let at = random.below(block.lines.len());
    let line = block.lines[at].clone();
    if !["count", "for_each", "value"]
        .iter()
        .any(|head| line.starts_with(head))
    {
        drop(block.lines.remove(at));
    }
}

/// Gives a resource another input.
fn input(module: &mut Module, random: &mut Random) {
    let mut inputs: Vec<&mut String> = module
        .iter_mut()
        .flat_map(|block| &mut block.lines)
        .filter(|line| line.starts_with("input =") || line.starts_with("triggers_replace ="))
        .collect();
    if inputs.is_empty() {
        return;
    }
    let index = random.below(inputs.len());
    let line = &mut *inputs[index];
    let name = line.split(' ').next().unwrap_or_default();
    let value = *random.pick(&[
        "\"changed\"",
        "2",
        "null",
        "[1]",
        "{ a = 2, b = [true] }",
        "sensitive(\"changed\")",
        "toset([\"a\"])",
        "[\"1\", \"a\", null]",
    ]);
    *line = format!("{name} = {value}");
}

fn option(configuration: &Configuration, random: &mut Random) -> String {
    let resources = names(&configuration.root, Sort::Resource);
    let calls = names(&configuration.root, Sort::Call);
    match random.below(6) {
        0 => "-destroy".into(),
        1 => "-refresh-only".into(),
        2 => "-refresh=false".into(),
        3 if !calls.is_empty() => format!("-target=module.{}", random.pick(&calls)),
        4 if !resources.is_empty() => {
            format!("-replace=terraform_data.{}", random.pick(&resources))
        }
        _ if !resources.is_empty() => {
            format!("-target=terraform_data.{}", random.pick(&resources))
        }
        _ => "-destroy".into(),
    }
}

fn replace(block: &mut Block, pattern: &str, with: &str) {
    let pattern = Regex::new(pattern).expect("names are plain words");
    for line in &mut block.lines {
        *line = pattern.replace_all(line, with).into_owned();
    }
}
