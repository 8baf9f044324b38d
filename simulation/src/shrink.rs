//! Makes a violation as small as it can be.

use crate::{
    life::{Lived, live},
    scenario::Scenario,
};

/// Lives that are tried on the way.
const MAX_TRIED: usize = 400;

/// The smallest scenario found that still breaks the same promise: fewer messages, less going wrong.
#[must_use]
pub fn shrink(lived: Lived) -> Lived {
    let mut smallest = lived;
    let mut tried = 0;
    loop {
        let Some(promise) = smallest.violations.first().map(|violation| violation.promise) else { return smallest };
        let smaller = smaller(&smallest.scenario).into_iter().find_map(|scenario| {
            tried += 1;
            let lived = (tried < MAX_TRIED).then(|| live(&scenario))?;
            lived.violations.iter().any(|violation| violation.promise == promise).then_some(lived)
        });
        match smaller {
            Some(mut lived) => {
                lived.violations.retain(|violation| violation.promise == promise);
                smallest = lived;
            }
            None => return smallest,
        }
    }
}

/// Scenarios with a little less in them, the largest steps first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let mut size = scenario.messages.len() / 2;
    while size > 0 {
        for first in (0..scenario.messages.len()).step_by(size) {
            let mut fewer = scenario.clone();
            fewer.messages.drain(first..(first + size).min(scenario.messages.len()));
            for (number, message) in fewer.messages.iter_mut().enumerate() {
                message.number = number;
            }
            scenarios.push(fewer);
        }
        size /= 2;
    }
    scenarios.extend(scenario.faults.smaller().into_iter().map(|faults| Scenario { faults, ..scenario.clone() }));
    scenarios
}
