//! Two TCP echo servers and their load client.
fn main() {}
