//! terrace

fn main() {}
