//! `slug`: a function.

use terrace_provider_sdk::{Function, FunctionError, Parameter};

pub(crate) fn function() -> Function {
    Function::new("slug", |arguments| {
        let title = arguments.get::<String>(0)?;
        let slug = slug(&title);
        if slug.is_empty() {
            return Err(FunctionError::at(
                0,
                "The title has no letter and no digit.",
            ));
        }
        Ok(slug)
    })
    .parameter(Parameter::of::<String>("title").describe("The title of a note."))
    .summary("A title as a file's name")
    .describe("Lower case letters and digits of a title, with dashes between its words.")
}

/// Lower case letters and digits, with dashes between words.
pub(crate) fn slug(title: &str) -> String {
    let words: Vec<String> = title
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn titles_become_names() {
        assert_eq!(slug("What I (nearly) forgot!"), "what-i-nearly-forgot");
        assert_eq!(slug("?!"), "");
    }
}
