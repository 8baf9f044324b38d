//! `sluice` as its users run it: the built binary against a local AWS.
//!
//! | module | holds |
//! |---|---|
//! | `queue` | making, listing, watching, purging and deleting queues |
//! | `send` | bodies, files, batches, pace and SIGTERM |
//! | `receive` | looking, taking and deleting |
//! | `refusal` | what is said when AWS cannot be used, and the exit codes |
//! | `boto3` | messages of another SDK, both ways |

mod sluice;

mod boto3;
mod queue;
mod receive;
mod refusal;
mod send;
