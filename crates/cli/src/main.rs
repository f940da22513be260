//! The command line of tagwright.
fn main() {}
