//! The screen, drawn into a buffer and read as text.

use ratatui::{Terminal, backend::TestBackend};

use super::*;

fn panel(name: &str, samples: &[(u64, u64, u64)]) -> Panel {
    let mut history = History::default();
    for (second, &(visible, in_flight, delayed)) in (0..).zip(samples) {
        history.push(Duration::from_secs(second), Counters { visible, in_flight, delayed });
    }
    Panel {
        name: name.to_owned(),
        region: "us-east-1".to_owned(),
        history,
        age: Some(Age::Measured { seconds: 252, measured_seconds_ago: 70 }),
        dead_letters: Some(DeadLetters::Counted { queue: "jobs-dlq".to_owned(), messages: 2 }),
        problem: None,
    }
}

fn screen(panels: Vec<Panel>) -> Screen {
    Screen { panels, selected: 0, every: Duration::from_secs(1), is_paused: false }
}

/// The lines on a terminal of this size.
fn drawn(screen: &Screen, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(line).collect()
}

#[test]
fn a_draining_queue_shows_counters_sparklines_rates_and_when_it_is_empty() {
    let lines = drawn(&screen(vec![panel("jobs", &[(8, 0, 0), (6, 1, 0), (4, 2, 0), (2, 2, 0)])]), 80, 19);
    let expected = [
        " sluice  jobs · us-east-1 · every 1s",
        &"─".repeat(80),
        " 2            █▂",
        " visible      ██▄",
        " max 8        ███▆",
    ];
    assert_eq!(lines[..5], expected);
    let all = lines.join("\n");
    for part in [
        "arrival ≥ 0.0/s   drain ≥ 1.3/s   net -1.3/s",
        "empty    in about 3",
        "oldest   4m 12s (as CloudWatch saw it 1m 10s ago",
        "dead     2 in jobs-dlq",
        "q quit   p pause",
    ] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    assert!(!all.contains("tab next"), "{all}");
}

#[test]
fn several_queues_are_tabs_with_their_backlogs() {
    let mut screen = screen(vec![panel("jobs", &[(8, 0, 0)]), panel("orders.fifo", &[(1, 2, 3)])]);
    screen.selected = 1;
    let all = drawn(&screen, 80, 20).join("\n");
    assert!(all.contains(" sluice  orders.fifo") && all.contains("jobs 8 │ orders.fifo 6"), "{all}");
    assert!(all.contains("tab next queue"), "{all}");
}

#[test]
fn a_paused_screen_and_a_failed_look_say_so() {
    let mut screen = screen(vec![panel("jobs", &[(8, 0, 0)])]);
    screen.is_paused = true;
    screen.panels[0].problem = Some("cannot reach\u{1b}[2J AWS".to_owned());
    let all = drawn(&screen, 80, 20).join("\n");
    assert!(all.contains("PAUSED") && all.contains("cannot reach\\u{1b}[2J AWS"), "{all}");
}

#[test]
fn any_size_of_terminal_can_be_drawn_on() {
    let screen = screen(vec![panel("jobs", &[]), panel("other", &[(u64::MAX / 4, 1, 1); 500])]);
    for selected in [0, 1] {
        for (width, height) in [(1, 1), (5, 3), (20, 8), (80, 24), (300, 100)] {
            drawn(&Screen { selected, ..screen.clone() }, width, height);
        }
    }
}
