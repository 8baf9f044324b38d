//! The real worker and the real poller in the simulated AWS, and every promise of the design checked over what happened.
//!
//! A seed draws a scenario: queues, functions, messages, and what goes wrong until when. It is lived through in
//! milliseconds; then each promise is checked over the whole history. A violation is made as small as it can be and told
//! as a timeline. `make simulate` runs seeds by the thousand, `make test` two thousand of them.

mod job;
mod life;
pub mod promise;
mod scenario;
mod shrink;

pub use self::{
    life::{Lived, live},
    promise::Violation,
    scenario::{Act, Planned, Scenario, Source},
    shrink::shrink,
};

/// Lives through a seed: what was violated, and how long it took in the simulated world.
#[must_use]
pub fn simulate(seed: u64) -> Lived {
    live(&Scenario::draw(seed))
}
