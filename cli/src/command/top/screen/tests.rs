//! The screen, drawn into a buffer and read as text.

use ratatui::{Terminal, backend::TestBackend};
use sluicegate::events::{Queue, dispatch::Message};

use super::*;
use crate::flow::Edge;

const JOBS: &str = "arn:aws:sqs:us-east-1:123456789012:jobs";
const DEAD: &str = "arn:aws:sqs:us-east-1:123456789012:jobs-dead";

fn sample(name: &str) -> Letter {
    let text = std::fs::read_to_string(format!("src/dead_letter/samples/{name}.json")).unwrap();
    Letter::read(serde_json::from_str::<Message>(&text).unwrap()).unwrap()
}

fn screen(is_read_only: bool) -> Screen {
    let global = crate::global::Global { region: Some("us-east-1".to_owned()), ..Default::default() };
    let mut screen = Screen::new("account 123456789012 in us-east-1".to_owned(), String::new(), global, is_read_only);
    let queue = |arn: &str, visible| {
        let counters = Counters { visible, ..Counters::default() };
        (arn.to_owned(), (Queue::from_arn(arn).unwrap(), counters))
    };
    let edge = Edge { from: JOBS.to_owned(), to: DEAD.to_owned(), is_dead: true };
    let flow =
        Flow { edges: [edge].into(), queues: [queue(JOBS, 0), queue(DEAD, 3)].into(), calls: 7, ..Flow::default() };
    screen.discovered(flow, Duration::ZERO);
    screen
}

fn drawn(screen: &mut Screen) -> String {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_345);
    terminal.draw(|frame| screen.draw(frame, now)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..80).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..24).map(line).collect::<Vec<_>>().join("\n")
}

fn press(screen: &mut Screen, keys: &[KeyCode]) -> Step {
    keys.iter().map(|key| screen.key(*key)).last().unwrap()
}

const ENTER: KeyCode = KeyCode::Enter;
const DOWN: KeyCode = KeyCode::Down;

fn letter(key: char) -> KeyCode {
    KeyCode::Char(key)
}

/// On the groups of the dead-letter queue.
fn opened(is_read_only: bool) -> Screen {
    let mut screen = screen(is_read_only);
    assert_eq!(press(&mut screen, &[DOWN, ENTER]), Step::Look(DEAD.to_owned()));
    let letters = ["rejected", "invocation", "rejected"].map(sample).to_vec();
    screen.looked(DEAD.to_owned(), Look { letters, total: 3, kept: 0, calls: 3 });
    screen
}

#[test]
fn the_tree_has_each_dead_letter_queue_under_what_feeds_it_with_its_depth() {
    let mut screen = screen(false);
    let before = drawn(&mut screen);
    for part in ["queue jobs", "└ dead jobs-dead", "account 123456789012 in us-east-1 · 7 calls", "VISIBLE", "? help"]
    {
        assert!(before.contains(part), "{part} in\n{before}");
    }
    screen.counted(vec![(DEAD.to_owned(), Counters { visible: 5, ..Counters::default() })], Duration::from_secs(1));
    let after = drawn(&mut screen);
    let line = after.lines().find(|line| line.contains("jobs-dead")).unwrap();
    assert!(line.contains('*') && line.contains('5') && line.ends_with("▅█"), "what changed is marked: {line}");
    assert_eq!(screen.visible(), [JOBS, DEAD]);
}

#[test]
fn groups_then_letters_then_one_letter_peeled() {
    let mut screen = opened(false);
    let groups = drawn(&mut screen);
    assert!(groups.contains("     2  rejected") && groups.contains("a donor has no name"), "{groups}");
    press(&mut screen, &[DOWN, ENTER, ENTER]);
    let one = drawn(&mut screen);
    for part in ["kind     invocation", "reason   RetriesExhausted: UnreadableEvent", "\"requestPayload\": {"] {
        assert!(one.contains(part), "{part} in\n{one}");
    }
    press(&mut screen, &[KeyCode::Esc, KeyCode::Esc, KeyCode::Esc]);
    assert!(drawn(&mut screen).contains("queue jobs"));
    assert_eq!(screen.key(KeyCode::Esc), Step::Quit);
}

#[test]
fn a_deed_is_shown_as_its_command_line_and_done_only_when_it_is_asked_for_twice() {
    let line = |keys: &[KeyCode]| {
        let mut screen = opened(false);
        press(&mut screen, keys);
        let asked = drawn(&mut screen);
        assert!(asked.contains("account 123456789012 in us-east-1)? y/N"), "{asked}");
        let Step::Do(deed) = screen.key(letter('y')) else { panic!("{asked}") };
        deed.line(&screen.global)
    };
    let id = sample("invocation").record.message_id;
    for (keys, expected) in [
        (&[letter('r')][..], "redrive jobs-dead --kind rejected --reason 'a donor has no name'".to_owned()),
        (&[DOWN, ENTER, letter('r')], format!("redrive jobs-dead --id {id}")),
        (&[DOWN, letter('d')], format!("receive jobs-dead --delete --visibility 5m --max 1 --id {id}")),
        (&[KeyCode::Esc, letter('r')], "redrive jobs-dead".to_owned()),
    ] {
        assert_eq!(line(keys), format!("sluice {expected} --region us-east-1"));
    }
    let exported = line(&[DOWN, ENTER, letter('e')]);
    assert!(exported.ends_with("--region us-east-1 > jobs-dead.jsonl"), "{exported}");
    let mut screen = opened(false);
    press(&mut screen, &[letter('r'), ENTER]);
    assert!(drawn(&mut screen).contains("nothing was done"));
}

#[test]
fn what_only_looks_does_nothing_but_export() {
    for key in ['r', 'd', 'x'] {
        let mut screen = opened(true);
        press(&mut screen, &[ENTER, letter(key)]);
        let drawn = drawn(&mut screen);
        assert!(drawn.contains("--read-only") && drawn.contains("read only"), "{key}: {drawn}");
    }
}

/// One reason is a part of the other: the shorter would choose both.
#[test]
fn a_group_that_its_reason_does_not_tell_from_another_is_chosen_by_ids() {
    let mut longer = sample("rejected");
    longer.record.attributes.insert(
        "sluicegate.reason".to_owned(),
        sluicegate::events::MessageAttribute::text("a donor has no name, again"),
    );
    let letters = [sample("rejected"), sample("rejected"), longer];
    let groups = groups(&letters);
    let chosen = |index| Chosen::group("q", &groups, index).unwrap().selector;
    assert_eq!(chosen(0).iter().filter(|word| *word == "--id").count(), 2);
    assert_eq!(chosen(1), ["--kind", "rejected", "--reason", "a donor has no name, again"]);
}

#[test]
fn a_filter_and_an_edit_ask_for_a_line_of_text() {
    let mut screen = opened(false);
    press(&mut screen, &[ENTER, letter('x')]);
    assert!(drawn(&mut screen).contains("send to queue: jobs▏"), "the queue that it came from");
    let Step::Edit(_, to) = screen.key(ENTER) else { panic!() };
    assert_eq!(to, "jobs");
    press(&mut screen, &[letter('/'), letter('z'), ENTER]);
    assert!(!drawn(&mut screen).contains("queue jobs"));
    press(&mut screen, &[letter('?')]);
    assert!(drawn(&mut screen).contains("redrive: one letter, a group"));
}
