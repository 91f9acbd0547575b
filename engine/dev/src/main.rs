//! terrace-dev

fn main() {}
