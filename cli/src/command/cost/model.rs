//! What so many messages ask of AWS, and what that costs.

use serde::Serialize;

use super::price;
use crate::command::cost::Architecture;

/// A load, and how it is handled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) messages: u64,
    /// Of one message, with its attributes.
    pub(crate) bytes: u64,
    pub(crate) is_fifo: bool,
    pub(crate) memory_mb: u64,
    pub(crate) architecture: Architecture,
    /// Of one message's work.
    pub(crate) duration_ms: f64,
    /// Of one message's log lines.
    pub(crate) log_bytes: u64,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bill {
    /// Messages a call.
    pub(crate) batch: u64,
    pub(crate) sends: u64,
    pub(crate) receives: u64,
    pub(crate) deletes: u64,
    pub(crate) invocations: u64,
    pub(crate) gb_seconds: f64,
    pub(crate) log_bytes: u64,
    pub(crate) dollars: Dollars,
}

/// What each part costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dollars {
    pub(crate) sends: f64,
    pub(crate) receives: f64,
    pub(crate) deletes: f64,
    pub(crate) invocations: f64,
    pub(crate) compute: f64,
    pub(crate) logs: f64,
    pub(crate) total: f64,
}

impl Load {
    /// The bill when `batch` messages share each call, from the producer to the delete.
    pub(crate) fn bill(&self, batch: u64) -> Bill {
        let calls = self.messages.div_ceil(batch);
        let full_call_bytes = batch.min(self.messages) * self.bytes;
        let with_bodies = calls * full_call_bytes.div_ceil(price::REQUEST_BYTES).max(1);
        // Lambda bills each invocation in whole milliseconds.
        let invocation_ms = (self.duration_ms * as_float(batch.min(self.messages))).ceil().max(1.0);
        let gb_seconds = as_float(calls) * invocation_ms / 1_000.0 * as_float(self.memory_mb) / 1_024.0;
        let log_bytes = self.messages * self.log_bytes;
        Bill {
            batch,
            sends: with_bodies,
            receives: with_bodies,
            deletes: calls,
            invocations: calls,
            gb_seconds,
            log_bytes,
            dollars: self.dollars(with_bodies, calls, gb_seconds, log_bytes),
        }
    }

    fn dollars(&self, with_bodies: u64, calls: u64, gb_seconds: f64, log_bytes: u64) -> Dollars {
        let request = if self.is_fifo { price::FIFO_REQUESTS } else { price::STANDARD_REQUESTS };
        let millions = |count: u64| as_float(count) / 1e6;
        let gb_second = match self.architecture {
            Architecture::Arm64 => price::GB_SECOND_ARM64,
            Architecture::X86_64 => price::GB_SECOND_X86_64,
        };
        let mut dollars = Dollars {
            sends: millions(with_bodies) * request,
            receives: millions(with_bodies) * request,
            deletes: millions(calls) * request,
            invocations: millions(calls) * price::INVOCATIONS,
            compute: gb_seconds * gb_second,
            logs: as_float(log_bytes) / 1e9 * price::LOG_GB,
            total: 0.0,
        };
        let Dollars { sends, receives, deletes, invocations, compute, logs, .. } = dollars;
        dollars.total = sends + receives + deletes + invocations + compute + logs;
        dollars
    }
}

impl Bill {
    /// Requests a message from the queue to its deletion: receive, invoke, delete.
    pub(crate) fn requests_a_message(&self, messages: u64) -> f64 {
        as_float(self.receives + self.invocations + self.deletes) / as_float(messages.max(1))
    }
}

#[allow(clippy::cast_precision_loss, reason = "money is shown with six digits")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLION: Load = Load {
        messages: 1_000_000,
        bytes: 1_024,
        is_fifo: false,
        memory_mb: 128,
        architecture: Architecture::Arm64,
        duration_ms: 2.0,
        log_bytes: 175,
    };

    fn assert_near(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-6, "{left} is not {right}");
    }

    #[test]
    fn one_by_one_a_message_is_three_requests_and_a_million_a_dollar() {
        let bill = MILLION.bill(1);
        assert_near(bill.requests_a_message(MILLION.messages), 3.0);
        let Dollars { receives, deletes, invocations, .. } = bill.dollars;
        assert_near(receives + deletes + invocations, 1.00);
    }

    #[test]
    fn in_tens_it_is_a_tenth() {
        let bill = MILLION.bill(10);
        assert_near(bill.requests_a_message(MILLION.messages), 0.3);
        let Dollars { receives, deletes, invocations, .. } = bill.dollars;
        assert_near(receives + deletes + invocations, 0.10);
    }

    #[test]
    fn every_begun_64_kib_of_a_call_is_a_request() {
        let bill = Load { messages: 10, bytes: 64 << 10, ..MILLION }.bill(10);
        assert_eq!((bill.sends, bill.receives, bill.deletes), (10, 10, 1));
        let bill = Load { messages: 1, bytes: (64 << 10) + 1, ..MILLION }.bill(10);
        assert_eq!((bill.sends, bill.deletes, bill.invocations), (2, 1, 1));
    }

    #[test]
    fn compute_is_billed_in_whole_milliseconds_an_invocation() {
        let load = Load { duration_ms: 0.2, memory_mb: 1_024, ..MILLION };
        assert_near(load.bill(1).gb_seconds, 1_000.0);
        assert_near(load.bill(10).gb_seconds, 200.0);
    }

    #[test]
    fn the_total_is_the_sum_of_its_parts() {
        let Dollars { sends, receives, deletes, invocations, compute, logs, total } = MILLION.bill(10).dollars;
        assert_near(sends + receives + deletes + invocations + compute + logs, total);
        assert_near(logs, 0.0875);
    }

    #[test]
    fn no_message_costs_nothing() {
        let bill = Load { messages: 0, ..MILLION }.bill(10);
        assert_near(bill.dollars.total, 0.0);
    }
}
