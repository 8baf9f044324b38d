//! The deployed template, end to end: real events through real queues, topics and buckets of a local AWS.
//!
//! `make test` brings a stack up, names it in `SLUICEGATE_STACK_ENV` and takes it down; by hand:
//!
//! ```text
//! python3 local/stack.py up --dir .local/test/mine
//! SLUICEGATE_STACK_ENV=.local/test/mine/stack.env cargo test -p sluicegate-tests --features stack stack::
//! ```
//!
//! | module | shows |
//! |---|---|
//! | `uploads`, `notifications`, `jobs`, `polled` | every route of the picture carries its event, with the right log line |
//! | `mixed_load` | 10,000 jobs, some of them poison, panicking, failing once or sent twice: each has the fate it should |
//! | `deadline` | slow jobs: all are done, over several invocations |
//! | `killed_workers` | worker processes killed again and again: nothing lost |
//! | `ordered` | message groups keep their order around failures |
//! | `streams`, `thumbnails` | records through Kinesis and Firehose; images, and what is none |
//! | `permissions` | each function with its role enforced: the routes work, and a call it has no business making is denied |
//! | `simulated` | short scripts have the same outcome here and in the simulated AWS |
//! | `check` | `make check` finds a stack by its name, sends through every route, and leaves nothing |
//! | `faults` | calls to AWS that fail, hang or lose their answer: nothing lost, nothing done twice |
//!
//! The tests share one stack and know their own messages by id. Those that change settings or kill processes run alone:
//! see `turn`.

mod emulator;
mod job;
mod log;
mod loopback;
mod memory;
mod outputs;
mod own_stack;
mod queue;
mod settings;
mod turn;
mod wait;

mod check;
mod deadline;
mod faults;
mod jobs;
mod killed_workers;
mod mixed_load;
mod notifications;
mod ordered;
mod permissions;
mod polled;
mod simulated;
mod streams;
mod thumbnails;
mod uploads;

pub(crate) use self::{
    log::Log,
    outputs::{Stack, repository},
    wait::PATIENCE,
};
