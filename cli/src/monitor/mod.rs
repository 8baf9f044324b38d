//! What a person watches queues with: counters over time, the age of the oldest message, and the screen of one queue.
//!
//! | module | what it settles |
//! |---|---|
//! | `history` | what the counters were, and what follows (pure) |
//! | `age` | the age of the oldest message |
//! | `screen` | a queue, drawn |
//! | `keys` | what the terminal says, and who listens |

pub(crate) mod age;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod screen;
