//! What the terminal says: read on a thread of its own, which lets go of the terminal while another program has it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

/// How soon it lets go.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The thread ends with the process, or when nobody hears it.
pub(crate) struct Keys {
    events: mpsc::Receiver<Event>,
    reading: Arc<Mutex<()>>,
    is_away: Arc<AtomicBool>,
}

impl Keys {
    pub(crate) fn listen() -> Self {
        let (sender, events) = mpsc::channel(16);
        let (reading, is_away) = (Arc::new(Mutex::new(())), Arc::new(AtomicBool::new(false)));
        let (lock, away) = (reading.clone(), is_away.clone());
        thread::spawn(move || {
            loop {
                if away.load(Ordering::Acquire) {
                    thread::sleep(LOOK_EVERY);
                    continue;
                }
                let terminal = lock.lock().unwrap_or_else(PoisonError::into_inner);
                let event = match event::poll(LOOK_EVERY) {
                    Ok(true) => event::read().ok(),
                    Ok(false) => None,
                    Err(_) => break,
                };
                drop(terminal);
                if event.map_or(sender.is_closed(), |event| sender.blocking_send(event).is_err()) {
                    break;
                }
            }
        });
        Self { events, reading, is_away }
    }

    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Lets another program have the terminal, until what this answers is dropped.
    pub(crate) fn let_go(&self) -> Away<'_> {
        self.is_away.store(true, Ordering::Release);
        Away { _terminal: self.reading.lock().unwrap_or_else(PoisonError::into_inner), is_away: &self.is_away }
    }
}

/// While another program has the terminal.
pub(crate) struct Away<'a> {
    _terminal: MutexGuard<'a, ()>,
    is_away: &'a AtomicBool,
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.is_away.store(false, Ordering::Release);
    }
}

/// The key that was pressed: Ctrl-C is Esc.
pub(crate) fn pressed(event: &Event) -> Option<KeyCode> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return None };
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(KeyCode::Esc),
        code => Some(*code),
    }
}
