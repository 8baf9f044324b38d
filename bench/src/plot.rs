//! Growth as pictures: SVG, both axes logarithmic, so that cost in step with work is a straight line of slope 1.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};

use crate::{growth::Grown, report::Report};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Of the part with the lines in it: left, top, right, bottom.
const FRAME: [f64; 4] = [70.0, 40.0, 540.0, 370.0];
/// Told apart by people who see colours differently too: the palette of Okabe and Ito, its yellow grey on white.
const COLOURS: [&str; 8] = ["#000000", "#e69f00", "#56b4e9", "#009e73", "#999999", "#0072b2", "#d55e00", "#cc79a7"];

/// A named line.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Writes every picture there are figures for.
pub(crate) fn write(report: &Report, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let growth = |figure: fn(&Grown) -> f64| -> Vec<Line> {
        let line = |name: &str| Line {
            name: name.to_owned(),
            #[allow(clippy::cast_precision_loss, reason = "sizes of at most some hundred thousands")]
            points: report.growth_of(name).iter().map(|grown| (grown.records as f64, figure(grown))).collect(),
        };
        report.growing().into_iter().map(line).collect()
    };
    #[allow(clippy::cast_precision_loss, reason = "sizes of at most some hundred thousands")]
    let poller: Vec<(f64, f64)> =
        report.poller.iter().filter(|run| !run.tls).map(|run| (run.messages as f64, run.took_ms)).collect();
    let poller = vec![Line { name: "scheduled-poller".to_owned(), points: poller }];
    for (file, title, lines) in [
        ("time.svg", "Time of an event (ms) by its records", growth(|grown| grown.took_ms)),
        ("memory.svg", "Memory at the most (MiB) by the records of an event", growth(|grown| grown.peak_mib)),
        ("poller.svg", "Time of a run (ms) by the messages of the queue", poller),
    ] {
        if lines.iter().any(|line| !line.points.is_empty()) {
            let path = folder.join(file);
            fs::write(&path, draw(title, &lines)).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn draw(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points).copied();
    let (x, y) = (
        Axis::over(all().map(|point| point.0), FRAME[0], FRAME[2]),
        Axis::over(all().map(|point| point.1), FRAME[3], FRAME[1]),
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{}\" y=\"24\" font-size=\"15\">{title}</text>\n",
        FRAME[0]
    );
    // Writing to a string cannot fail.
    for (at, label) in x.ticks() {
        let _ = writeln!(svg, "<path d=\"M{at:.1} {}V{}\" stroke=\"#dddddd\"/>", FRAME[1], FRAME[3]);
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", FRAME[3] + 18.0);
    }
    for (at, label) in y.ticks() {
        let _ = writeln!(svg, "<path d=\"M{} {at:.1}H{}\" stroke=\"#dddddd\"/>", FRAME[0], FRAME[2]);
        let _ =
            writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", FRAME[0] - 8.0, at + 4.0);
    }
    for ((line, colour), row) in lines.iter().zip(COLOURS.iter().cycle()).zip(0_u8..) {
        let points = line.points.iter().map(|point| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1)));
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        let beside = FRAME[1] + 10.0 + 20.0 * f64::from(row);
        let _ = writeln!(svg, "<path d=\"M{} {beside}h20\" stroke=\"{colour}\" stroke-width=\"2\"/>", FRAME[2] + 14.0);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", FRAME[2] + 40.0, beside + 4.0, line.name);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Powers of ten between two places of the picture.
struct Axis {
    powers: (i32, i32),
    places: (f64, f64),
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (least, most) = values
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        #[allow(clippy::cast_possible_truncation, reason = "powers of ten, some dozens at the most")]
        let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        Self { powers: (low, high.max(low + 1)), places: (from, to) }
    }

    fn place(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.powers.0), f64::from(self.powers.1));
        let share = (value.log10() - low) / (high - low);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.powers.0..=self.powers.1).map(|power| {
            let value = 10_f64.powi(power);
            (self.place(value), if power < 0 { format!("{value}") } else { format!("{value:.0}") })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_from_power_to_power() {
        let axis = Axis::over([3.0, 250.0].into_iter(), 0.0, 300.0);
        let ticks: Vec<(f64, String)> = axis.ticks().collect();
        assert_eq!(ticks, [(0.0, "1".into()), (100.0, "10".into()), (200.0, "100".into()), (300.0, "1000".into())]);
    }

    #[test]
    fn cost_in_step_with_work_is_drawn_straight() {
        let points = vec![(1.0, 2.0), (10.0, 20.0), (100.0, 200.0)];
        let svg = draw("any", &[Line { name: "steady".to_owned(), points }]);
        let polyline = svg.split("polyline points=\"").nth(1).unwrap().split('"').next().unwrap();
        let places: Vec<Vec<f64>> =
            polyline.split(' ').map(|point| point.split(',').map(|number| number.parse().unwrap()).collect()).collect();
        let steps = |axis: usize| (places[1][axis] - places[0][axis], places[2][axis] - places[1][axis]);
        assert!((steps(0).0 - steps(0).1).abs() < 0.2 && (steps(1).0 - steps(1).1).abs() < 0.2, "{svg}");
    }
}
