//! `--watch` on a terminal: looks at the queues, listens to the keys and draws.

use std::time::Duration;

use futures::future::join_all;
use ratatui::crossterm::event::{Event, KeyCode};
use sluicegate::clock::{Clock, SystemClock};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    connection::OpenQueue,
    counters::{self, Counters, DeadLetters},
    monitor::{
        age::{self, Age},
        history::History,
        keys::{Keys, pressed},
        screen::{Panel, Screen},
    },
    stop::Stop,
};

/// `CloudWatch` has a new figure once a minute, and asking costs.
const AGE_EVERY: Duration = Duration::from_mins(1);

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Quit,
    Pause,
    Next,
    Previous,
}

/// One look at one queue.
struct Look {
    counters: Counters,
    dead_letters: DeadLetters,
    /// Only where it was asked for.
    age: Option<Age>,
}

/// Shows the screen until q, Ctrl-C or SIGTERM.
pub(crate) async fn run(queues: Vec<OpenQueue>, every: Duration) -> anyhow::Result<()> {
    // A queue that does not exist is said on the user's own screen, before this one covers it.
    let first =
        join_all(queues.iter().map(|open| look(open, true))).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut screen = Screen { panels: queues.iter().map(panel).collect(), selected: 0, every, is_paused: false };
    let began = Instant::now();
    settle(&mut screen, first.into_iter().map(Ok), Duration::ZERO);
    let stop = Stop::listen()?;
    let terminal = ratatui::try_init()?;
    let result = follow(terminal, &mut screen, queues, began, stop).await;
    ratatui::restore();
    result
}

async fn follow(
    mut terminal: ratatui::DefaultTerminal,
    screen: &mut Screen,
    queues: Vec<OpenQueue>,
    began: Instant,
    mut stop: Stop,
) -> anyhow::Result<()> {
    let mut keys = Keys::listen();
    let (pause, is_paused) = watch::channel(false);
    let mut looks = looks(queues, screen.every, is_paused);
    loop {
        terminal.draw(|frame| screen.draw(frame))?;
        tokio::select! {
            () = stop.requested() => return Ok(()),
            event = keys.next() => match event {
                None => return Ok(()),
                Some(event) => if apply(screen, command_of(&event)) { return Ok(()) },
            },
            Some(looks) = looks.recv() => settle(screen, looks.into_iter(), began.elapsed()),
        }
        pause.send_replace(screen.is_paused);
    }
}

/// Looks at the queues in a task of its own, so that no key waits for AWS and no look is lost to a key.
fn looks(
    queues: Vec<OpenQueue>,
    every: Duration,
    mut is_paused: watch::Receiver<bool>,
) -> mpsc::Receiver<Vec<anyhow::Result<Look>>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut age_known_at = Instant::now();
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if is_paused.wait_for(|is_paused| !is_paused).await.is_err() {
                break;
            }
            let with_age = age_known_at.elapsed() >= AGE_EVERY;
            if with_age {
                age_known_at = Instant::now();
            }
            if sender.send(join_all(queues.iter().map(|open| look(open, with_age))).await).await.is_err() {
                break;
            }
        }
    });
    receiver
}

/// Does what a key asks for, and says whether that was the end.
fn apply(screen: &mut Screen, command: Option<Command>) -> bool {
    let count = screen.panels.len();
    match command {
        Some(Command::Quit) => return true,
        Some(Command::Pause) => screen.is_paused = !screen.is_paused,
        Some(Command::Next) => screen.selected = (screen.selected + 1) % count,
        Some(Command::Previous) => screen.selected = (screen.selected + count - 1) % count,
        // Another size of the window, say: it is drawn again.
        None => {}
    }
    false
}

fn command_of(event: &Event) -> Option<Command> {
    match pressed(event)? {
        KeyCode::Char('q') | KeyCode::Esc => Some(Command::Quit),
        KeyCode::Char('p' | ' ') => Some(Command::Pause),
        KeyCode::Tab | KeyCode::Right => Some(Command::Next),
        KeyCode::BackTab | KeyCode::Left => Some(Command::Previous),
        _ => None,
    }
}

async fn look(open: &OpenQueue, with_age: bool) -> anyhow::Result<Look> {
    let reading = counters::read(open).await?;
    let dead_letters = counters::read_dead_letters(open, &reading).await;
    let age = if with_age { Some(age::read(open, reading.counters, SystemClock.now()).await) } else { None };
    Ok(Look { counters: reading.counters, dead_letters, age })
}

fn settle(screen: &mut Screen, looks: impl Iterator<Item = anyhow::Result<Look>>, at: Duration) {
    for (panel, look) in screen.panels.iter_mut().zip(looks) {
        match look {
            Ok(look) => {
                panel.history.push(at, look.counters);
                panel.dead_letters = Some(look.dead_letters);
                panel.age = look.age.or(panel.age.take());
                panel.problem = None;
            }
            // What was known stays on the screen.
            Err(error) => panel.problem = Some(error.to_string()),
        }
    }
}

fn panel(open: &OpenQueue) -> Panel {
    Panel {
        name: open.queue.name().to_owned(),
        region: open.connection.region().to_owned(),
        history: History::default(),
        age: None,
        dead_letters: None,
        problem: None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyEvent, KeyModifiers};

    use super::*;

    fn key(code: KeyCode) -> Event {
        Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_quit_pause_and_switch() {
        let ctrl_c = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        for (event, command) in [
            (key(KeyCode::Char('q')), Some(Command::Quit)),
            (key(KeyCode::Esc), Some(Command::Quit)),
            (ctrl_c, Some(Command::Quit)),
            (key(KeyCode::Char('c')), None),
            (key(KeyCode::Char('p')), Some(Command::Pause)),
            (key(KeyCode::Tab), Some(Command::Next)),
            (key(KeyCode::BackTab), Some(Command::Previous)),
            (Event::Resize(80, 24), None),
        ] {
            assert_eq!(command_of(&event), command, "{event:?}");
        }
    }

    #[test]
    fn switching_goes_round() {
        let panel = Panel {
            name: "jobs".to_owned(),
            region: String::new(),
            history: History::default(),
            age: None,
            dead_letters: None,
            problem: None,
        };
        let panels = vec![panel; 3];
        let mut screen = Screen { panels, selected: 0, every: Duration::from_secs(1), is_paused: false };
        assert!(!apply(&mut screen, Some(Command::Previous)));
        assert_eq!(screen.selected, 2);
        assert!(!apply(&mut screen, Some(Command::Next)));
        assert_eq!(screen.selected, 0);
        assert!(!apply(&mut screen, Some(Command::Pause)) && screen.is_paused);
        assert!(apply(&mut screen, Some(Command::Quit)));
    }
}
