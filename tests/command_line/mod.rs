//! `sluice` as its users run it: the built binary against a local AWS.
//!
//! | module | holds |
//! |---|---|
//! | `queue` | making, listing, watching, purging and deleting queues |
//! | `send` | bodies, files, batches, pace and SIGTERM |
//! | `receive` | looking, taking and deleting |
//! | `consume` | what becomes of messages, what it costs, order, SIGTERM |
//! | `redrive` | dead letters filtered and sent back with nothing lost |
//! | `dead_letters` | what others than queues leave: found, grouped, brought home, and forged in vain |
//! | `topic` | subscribing a queue, filters, order, SMS |
//! | `stream` | records in order, in batches, and lines that cannot be put |
//! | `inspect` | what the functions make of an event |
//! | `refusal` | what is said when AWS cannot be used, and the exit codes |
//! | `json` | the fields of `--output json` |
//! | `documents` | that what the documents say can be typed |
//! | `walks` | that what a page does step by step works, and shows what it says |
//! | `terminal` | what draws bars, in a terminal |
//! | `boto3` | messages of another SDK, both ways |

mod sluice;

mod boto3;
mod consume;
mod dead_letters;
mod documents;
mod inspect;
mod json;
mod queue;
mod receive;
mod redrive;
mod refusal;
mod send;
mod stream;
mod terminal;
mod topic;
mod walks;
