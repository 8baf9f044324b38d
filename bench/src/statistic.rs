//! From samples to the figures that are shown.

/// The middle of the samples: half of them are not above it. 0 where there are none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50.0)
}

/// The sample that `percent` of a hundred are not above; nearest rank. 0 where there are none.
pub(crate) fn percentile(samples: &[f64], percent: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank among at most some thousands of samples"
    )]
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// How cost grows with work: the slope of the line of least squares through the points on logarithmic axes. 1 is in
/// step with the work, 2 is its square. `None` for fewer than two points.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> =
        points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.ln(), y.ln())).collect();
    #[allow(clippy::cast_precision_loss, reason = "a handful of points")]
    let count = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|point| point.0).sum::<f64>() / count, logs.iter().map(|point| point.1).sum::<f64>() / count);
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let together: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_sample() {
        let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
        let shown = [median(&samples), percentile(&samples, 99.0), percentile(&samples, 1.0), median(&[])];
        assert_eq!(shown.map(|figure| figure.to_string()), ["3", "5", "1", "0"]);
    }

    #[test]
    fn a_slope_is_the_power_of_the_work() {
        let points = |power: i32| [1.0_f64, 10.0, 100.0].map(|x| (x, 7.0 * x.powi(power)));
        assert!((slope(&points(1)).unwrap() - 1.0).abs() < 1e-9);
        assert!((slope(&points(2)).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(slope(&[(1.0, 1.0)]), None);
        assert_eq!(slope(&[]), None);
    }
}
