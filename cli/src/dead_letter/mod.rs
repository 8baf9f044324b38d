//! Dead letters: who left them, why, and a look at them.
//!
//! | module | what it settles |
//! |---|---|
//! | `letter` | a message of a dead-letter queue, and what it is when it arrives elsewhere (pure) |
//! | `origin` | who left it, and what it says of where it belongs (pure) |
//! | `look` | all that lie in a queue, received and given back |

mod letter;
mod look;
mod origin;

pub(crate) use self::{
    letter::{Letter, rounds},
    look::{Group, Look, groups, hide, settling},
    origin::{Kind, Origin, Place, payload, reason},
};

#[cfg(test)]
mod tests;
