//! The `mq-logger` function. What it does is in the library beside this file.

fn main() {}
