//! Sluicegate carries events to the code that must act on them, and loses none on the way.

#[cfg(feature = "aws-client")]
pub mod aws;
pub mod clock;
pub mod delivery;
pub mod error_chain;
pub mod events;
pub mod idempotency;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod settings;
#[cfg(feature = "lambda")]
pub mod telemetry;
