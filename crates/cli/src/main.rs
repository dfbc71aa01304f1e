//! The command line of quanfu.
fn main() {}
