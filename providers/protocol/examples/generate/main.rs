//! Writes the generated code anew.

mod generator;

fn main() -> std::io::Result<()> {
    generator::generate(&generator::crate_root().join("src/generated"))
}
