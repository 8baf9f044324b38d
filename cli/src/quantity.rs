//! Durations, sizes and counts as people write them: `5s`, `1m30s`, `12h`, `250ms` · `1KiB`, `10B` · `1M`, `20k`.
//!
//! The `…_within` functions make the readers that arguments use: a value outside what AWS takes is refused before
//! anything is sent.
//!
//! ```text
//! #[arg(long, value_parser = quantity::whole_seconds_within(0..=900))]
//! delay: Option<Duration>,
//! ```

use std::{fmt::Write as _, ops::RangeInclusive, time::Duration};

/// The units of a duration, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Bytes.
pub(crate) const KIB: u64 = 1 << 10;
/// Bytes.
pub(crate) const MIB: u64 = 1 << 20;

/// Reads a duration.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refusal =
        || format!("{text:?} is not a duration: write a number and its unit, as in 250ms, 5s, 1m30s, 12h or 1d");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let (number, unit, behind) = number_and_unit(rest);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refusal)?.1;
        let amount = scaled(number, factor).ok_or_else(refusal)?;
        total_ms = total_ms.checked_add(amount).ok_or_else(refusal)?;
        rest = behind;
    }
    if text.is_empty() { Err(refusal()) } else { Ok(Duration::from_millis(total_ms)) }
}

/// Reads a duration in whole seconds, within what AWS takes.
pub(crate) fn whole_seconds_within(
    seconds: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| {
        let duration = duration(text)?;
        if duration.subsec_nanos() != 0 {
            return Err("it is counted in whole seconds".to_owned());
        }
        check(duration, &seconds)
    }
}

/// Reads a duration that may have milliseconds, between two numbers of seconds.
pub(crate) fn duration_within(
    seconds: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| check(duration(text)?, &seconds)
}

fn check(duration: Duration, seconds: &RangeInclusive<u64>) -> Result<Duration, String> {
    let (least, most) = (Duration::from_secs(*seconds.start()), Duration::from_secs(*seconds.end()));
    if (least..=most).contains(&duration) {
        return Ok(duration);
    }
    Err(format!("it must be from {} to {}", exact(least), exact(most)))
}

/// Reads a size in bytes: `512B`, `1KiB`, `1.5MiB`; `kB` and `MB` are thousands.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit, behind) = number_and_unit(text);
    let factor = match unit {
        "B" | "" => 1,
        "KiB" => KIB,
        "MiB" => MIB,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => 0,
    };
    let bytes = if factor > 0 && behind.is_empty() { scaled(number, factor) } else { None };
    bytes.ok_or_else(|| format!("{text:?} is not a size: write a number and its unit, as in 512B, 1KiB or 2MiB"))
}

/// Reads a count: `250`, `20k`, `1M`, `2.5M`.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let (number, unit, behind) = number_and_unit(text);
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => 0,
    };
    let value = if factor > 0 && behind.is_empty() { scaled(number, factor) } else { None };
    value.ok_or_else(|| format!("{text:?} is not a count: write it as in 250, 20k or 1M"))
}

/// A duration in its two largest units: `1d 2h`, `3m 5s`, `4.2s`, `250ms`.
pub(crate) fn human(duration: Duration) -> String {
    if duration.as_secs() == 0 && duration.subsec_millis() > 0 {
        return format!("{}ms", duration.subsec_millis());
    }
    if duration.as_secs() < 10 && duration.subsec_millis() >= 100 {
        return format!("{}.{}s", duration.as_secs(), duration.subsec_millis() / 100);
    }
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, ms) in &UNITS[..4] {
        let amount = left / (ms / 1_000);
        left %= ms / 1_000;
        // The unit below the largest, or nothing.
        if amount > 0 {
            parts.push(format!("{amount}{unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// A duration of whole seconds in all its units, as [`duration`] reads it: `1d2h`, `90s` as `1m30s`.
pub(crate) fn exact(duration: Duration) -> String {
    let mut left = duration.as_secs();
    let mut text = String::new();
    for (unit, ms) in &UNITS[..4] {
        let amount = left / (ms / 1_000);
        left %= ms / 1_000;
        if amount > 0 {
            let _ = write!(text, "{amount}{unit}");
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `1 message`, `2 messages`.
pub(crate) fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// A size in bytes, as [`size`] reads it.
#[allow(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
pub(crate) fn human_size(bytes: u64) -> String {
    match bytes {
        ..KIB => format!("{bytes}B"),
        KIB..MIB => format!("{:.1}KiB", bytes as f64 / KIB as f64),
        MIB.. => format!("{:.1}MiB", bytes as f64 / MIB as f64),
    }
    .replace(".0", "")
}

/// Splits `1.5h20m` into `1.5`, `h` and `20m`.
fn number_and_unit(text: &str) -> (&str, &str, &str) {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, rest) = text.split_at(text.find(|c| !is_number(c)).unwrap_or(text.len()));
    let (unit, behind) = rest.split_at(rest.find(is_number).unwrap_or(rest.len()));
    (number, unit, behind)
}

/// `number × factor`, exactly: at most six digits after the point, and nothing left over.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=6).contains(digits))?;
    let denominator = 10_u64.pow(digits);
    let parts: u64 = fraction.parse::<u64>().ok()?.checked_mul(factor)?;
    if !parts.is_multiple_of(denominator) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(parts / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, ms) in
            [("250ms", 250), ("5s", 5_000), ("1m", 60_000), ("12h", 43_200_000), ("1d", 86_400_000), ("0", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in
            ["", "5", "s", "-5s", "5 s", "1x", "1.s", ".5s", "1..5s", "99999999999999999999d", "five", "0.0001ms"]
        {
            let refusal = duration(text).unwrap_err();
            assert!(refusal.contains("250ms"), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_duration_out_of_range_is_refused_with_the_range() {
        let delay = whole_seconds_within(0..=900);
        assert_eq!(delay("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(delay("901s"), Err("it must be from 0s to 15m".to_owned()));
        assert_eq!(delay("1500ms"), Err("it is counted in whole seconds".to_owned()));
    }

    #[test]
    fn sizes_and_counts_are_read_with_their_units() {
        assert_eq!(size("1KiB"), Ok(1_024));
        assert_eq!(size("1.5MiB"), Ok(1_572_864));
        assert_eq!(size("10B"), Ok(10));
        assert_eq!(size("2kB"), Ok(2_000));
        assert_eq!(count("1M"), Ok(1_000_000));
        assert_eq!(count("2.5k"), Ok(2_500));
        assert!(size("1XB").is_err() && size("").is_err() && count("1.5").is_err() && count("1M2").is_err());
    }

    #[test]
    fn durations_are_shown_in_two_units() {
        let shown = [
            (0, "0s"),
            (250, "250ms"),
            (4_200, "4.2s"),
            (42_900, "42s"),
            (185_000, "3m 5s"),
            (3_605_000, "1h"),
            (93_600_000, "1d 2h"),
        ];
        for (ms, text) in shown {
            assert_eq!(human(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn an_exact_duration_is_read_as_itself() {
        for seconds in [0, 1, 90, 3_600, 90_061, 1_209_600] {
            let shown = exact(Duration::from_secs(seconds));
            assert_eq!(duration(&shown), Ok(Duration::from_secs(seconds)), "{shown}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        assert_eq!([0, 1_023, 1_024, 1_536, 1_048_576].map(human_size), ["0B", "1023B", "1KiB", "1.5KiB", "1MiB"]);
    }
}
