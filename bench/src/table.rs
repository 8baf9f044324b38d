//! The figures for a person, ratios first.

#![allow(clippy::print_stdout, reason = "the figures are what the bench says on stdout")]

use crate::{growth::Grown, report::Report, start::Figures};

/// Prints everything that was measured.
pub fn print(report: &Report) {
    print_starts(report);
    print_events(report);
    print_counts(report);
    print_growth(report);
    print_poller(report);
    print_targets(report);
}

/// A row of words: names on the left, figures on the right.
fn print_rows(title: &str, head: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let head: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
    let width = |column: usize| {
        let words = std::iter::once(&head).chain(rows).filter_map(|row| row.get(column));
        words.map(|word| word.chars().count()).max().unwrap_or_default()
    };
    println!("\n{title}\n");
    for row in std::iter::once(&head).chain(rows) {
        let words = row.iter().enumerate().map(|(column, word)| match column {
            0 => format!("{word:<width$}", width = width(0)),
            _ => format!("{word:>width$}", width = width(column)),
        });
        println!("  {}", words.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn print_starts(report: &Report) {
    let Some(bare) = report.bare() else { return };
    let ratio = |figure: &dyn Fn(&Figures) -> f64, own: &Figures| format!("{:.2}", figure(own) / figure(bare));
    let row = |own: &Figures| {
        vec![
            own.name.clone(),
            ratio(&|figures| figures.init_ms, own),
            ratio(&|figures| figures.init_cpu_ms, own),
            ratio(&|figures| figures.first_answer_ms, own),
            format!("{:.2}", own.warm_us / own.echo_warm_us),
            format!("{:.2}", own.cpu_us / own.echo_cpu_us),
            ratio(&|figures| figures.peak_mib, own),
            format!("{:.2}", own.init_ms),
            format!("{:.2}", own.init_p99_ms),
            format!("{:.2}", own.init_cpu_ms),
            format!("{:.2}", own.first_answer_ms),
            format!("{:.0}", own.warm_us),
            format!("{:.0}", own.warm_p99_us),
            format!("{:.0}", own.cpu_us),
            format!("{:.1}", own.peak_mib),
            format!("{:.0}", own.faults_at_init),
            format!("{:.0}", own.log_bytes_an_event),
        ]
    };
    print_rows(
        "Starts and warm answers. × is to the bare echo of this run, for warm answers of the same event; medians; ms, µs, MiB.",
        &[
            "",
            "init ×",
            "its CPU ×",
            "first ×",
            "warm ×",
            "CPU ×",
            "RSS ×",
            "init ms",
            "p99",
            "CPU ms",
            "first ms",
            "warm µs",
            "p99",
            "CPU µs",
            "RSS MiB",
            "faults",
            "log B",
        ],
        &report.starts.iter().map(row).collect::<Vec<_>>(),
    );
}

fn print_events(report: &Report) {
    let row = |own: &Figures| {
        vec![
            own.name.clone(),
            format!("{:.2}", own.cpu_us / own.echo_cpu_us),
            format!("{:.2}", own.warm_us / own.echo_warm_us),
            format!("{:.0}", own.cpu_us),
            format!("{:.0}", own.echo_cpu_us),
            format!("{:.1}", own.peak_mib),
        ]
    };
    print_rows(
        "Large events. × is to an echo of the same event; medians.",
        &["", "CPU ×", "warm ×", "CPU µs", "echo's µs", "RSS MiB"],
        &report.events.iter().map(row).collect::<Vec<_>>(),
    );
}

fn print_counts(report: &Report) {
    let row = |built: &crate::built::Built| {
        let counts = report.counts_of(&built.name);
        let counted = |figure: &dyn Fn(&crate::trace::Counts) -> String| counts.map_or("–".to_owned(), figure);
        #[allow(clippy::cast_precision_loss, reason = "bytes of one binary")]
        let megabytes = |bytes: usize| format!("{:.2}", bytes as f64 / 1e6);
        vec![
            built.name.clone(),
            megabytes(built.zip_bytes),
            megabytes(built.bytes),
            if built.sdk { "yes" } else { "no" }.to_owned(),
            counted(&|counts| counts.files.len().to_string()),
            counted(&|counts| counts.calls_before_first_event.to_string()),
            counted(&|counts| format!("{:.1}", counts.calls_an_event)),
        ]
    };
    print_rows(
        "Counted: sizes in MB, files and system calls by strace.",
        &["", "zip", "binary", "SDK", "files at start", "calls at start", "calls an event"],
        &report.built.iter().map(row).collect::<Vec<_>>(),
    );
}

fn print_growth(report: &Report) {
    let Some(first) = report.growing().first().copied() else { return };
    let sizes: Vec<usize> = report.growth_of(first).iter().map(|grown| grown.records).collect();
    let head: Vec<String> = std::iter::once(String::new())
        .chain(sizes.iter().map(ToString::to_string))
        .chain(["slope".to_owned()])
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = |figure: &dyn Fn(&Grown) -> f64, digits: usize| -> Vec<Vec<String>> {
        let names = report.growing().into_iter();
        let row = |name: &str| {
            let cells = report.growth_of(name).into_iter().map(|grown| format!("{:.digits$}", figure(grown)));
            let slope = report.growth_slope(name, figure).map_or("–".to_owned(), |slope| format!("{slope:.2}"));
            std::iter::once(name.to_owned()).chain(cells).chain([slope]).collect()
        };
        names.map(row).collect()
    };
    print_rows("Time of an event by its records, ms.", &head, &rows(&|grown| grown.took_ms, 2));
    print_rows("Memory at the most by the records of an event, MiB.", &head, &rows(&|grown| grown.peak_mib, 1));
}

fn print_poller(report: &Report) {
    let row = |run: &crate::poller::Drained| {
        vec![
            format!("{}{}", run.messages, if run.tls { ", TLS" } else { "" }),
            format!("{:.3}", run.requests_a_message),
            format!("{:.1}", run.cpu_us_a_message),
            format!("{:.0}", run.took_ms),
            format!("{:.1}", run.peak_mib),
        ]
    };
    print_rows(
        "The poller over a queue of so many messages (its own requests: receive and invoke).",
        &["messages", "requests each", "CPU µs each", "ms", "RSS MiB"],
        &report.poller.iter().map(row).collect::<Vec<_>>(),
    );
    if let Some(slope) = report.poller_slope() {
        println!("\n  time grows with the power {slope:.2} of the messages");
    }
    if let Some(tls) = &report.first_tls {
        println!(
            "\n  from birth to the first answer, one request to SQS in it: {:.2} ms over TLS with {} trusted\n  \
             certificates, {:.2} ms with {}, {:.2} ms over plain HTTP",
            tls.first_answer_ms,
            tls.certificates,
            tls.machine_first_answer_ms,
            tls.machine_certificates,
            tls.plain_first_answer_ms
        );
    }
}

fn print_targets(report: &Report) {
    let row = |target: &crate::report::Target| {
        vec![
            format!("{}: {}", target.name, target.what),
            format!("≤ {}", target.at_most),
            format!("{:.3}", target.reached),
            if target.is_met() { "met" } else { "MISSED" }.to_owned(),
        ]
    };
    print_rows("Targets.", &["", "target", "reached", ""], &report.targets.iter().map(row).collect::<Vec<_>>());
}
