//! The screen: what is on it, what a key does to it, and in `draw` how it looks. Calls nothing.

mod draw;

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use ratatui::{crossterm::event::KeyCode, widgets::ListState};

use super::{
    deed::{Chosen, Deed, source},
    letter,
    tree::{Row, rows},
};
use crate::{
    counters::Counters,
    dead_letter::{Group, Letter, Look, groups},
    flow::{Flow, name},
    monitor::{age::Age, history::History},
};

/// One of the screen's pages; each is opened from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    Tree,
    Queue(String),
    Groups(String),
    Letters(String, usize),
    Letter(String, usize, usize),
    Help,
}

/// What a line of text is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Prompt {
    Filter,
    Sure(Deed),
    SendTo(Box<Chosen>),
}

/// What the terminal's loop is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Go,
    Quit,
    /// Look at the letters of the queue of this ARN.
    Look(String),
    Do(Deed),
    /// Edit this message, and send it there.
    Edit(Box<Chosen>, String),
}

const HELP: [&str; 14] = [
    "Enter    open: a queue's counters; a dead-letter queue's groups, letters, one letter",
    "Esc      back; on the tree it quits, as q does everywhere",
    "↑ ↓ j k  move; PgUp PgDn by ten; Home End",
    "r        redrive: one letter, a group, or the whole dead-letter queue",
    "d        delete the same, printed first",
    "e        export the same as JSON into a file",
    "x        edit one letter in $EDITOR, and send it",
    "l        look at the letters again",
    "/        only trees in which a name holds a text",
    "?        this page",
    "",
    "Each deed is a command of sluice: it is shown before you say y, and can be typed.",
    "A look costs each letter a receive; letters are given back as soon as they are read.",
    "With --read-only there is no r, d and x.",
];

/// Everything on the screen.
#[derive(Debug)]
pub(super) struct Screen {
    /// Account, region and endpoint.
    pub(super) place: String,
    /// What all names begin with, and is left out in the tree.
    pub(super) prefix: String,
    pub(super) global: crate::global::Global,
    pub(super) is_read_only: bool,
    pub(super) flow: Flow,
    pub(super) calls: u64,
    /// The queue that was looked at, and what lies there.
    pub(super) look: Option<(String, Look)>,
    /// What was done, or why not.
    pub(super) note: String,
    rows: Vec<Row>,
    histories: HashMap<String, History>,
    ages: HashMap<String, Age>,
    changed: HashSet<String>,
    pages: Vec<(Page, ListState)>,
    filter: String,
    prompt: Option<(Prompt, String)>,
    height: usize,
}

impl Screen {
    pub(super) fn new(place: String, prefix: String, global: crate::global::Global, is_read_only: bool) -> Self {
        Self {
            place,
            prefix,
            global,
            is_read_only,
            flow: Flow::default(),
            calls: 0,
            look: None,
            note: "looking at the account…".to_owned(),
            rows: Vec::new(),
            histories: HashMap::new(),
            ages: HashMap::new(),
            changed: HashSet::new(),
            pages: vec![(Page::Tree, ListState::default().with_selected(Some(0)))],
            filter: String::new(),
            prompt: None,
            height: 0,
        }
    }

    /// A new look at what leads where.
    pub(super) fn discovered(&mut self, flow: Flow, at: Duration) {
        self.calls += flow.calls;
        self.note = flow.problems.join("; ");
        let readings = flow.queues.iter().map(|(arn, (_, counters))| (arn.clone(), *counters)).collect();
        self.rows = rows(&flow, &self.filter);
        self.flow = flow;
        self.counted(readings, at);
    }

    /// New counters of some queues. What they differ in is marked until the next.
    pub(super) fn counted(&mut self, readings: Vec<(String, Counters)>, at: Duration) {
        for (arn, counters) in readings {
            let history = self.histories.entry(arn.clone()).or_default();
            let has_changed = history.latest().is_some_and(|latest| latest != counters);
            history.push(at, counters);
            if has_changed {
                self.changed.insert(arn);
            } else {
                self.changed.remove(&arn);
            }
        }
    }

    pub(super) fn aged(&mut self, ages: Vec<(String, Age)>) {
        self.ages.extend(ages);
    }

    /// The queues that are to be looked at.
    pub(super) fn visible(&self) -> Vec<String> {
        let offset = self.pages.last().map_or(0, |(_, state)| state.offset());
        let arns: Vec<String> = match self.page() {
            Page::Tree => self.rows.iter().skip(offset).take(self.height).map(|row| row.arn.clone()).collect(),
            Page::Queue(arn) | Page::Groups(arn) | Page::Letters(arn, _) | Page::Letter(arn, ..) => vec![arn.clone()],
            Page::Help => Vec::new(),
        };
        let mut seen = HashSet::new();
        arns.into_iter().filter(|arn| self.flow.queues.contains_key(arn) && seen.insert(arn.clone())).collect()
    }

    pub(super) fn looked(&mut self, arn: String, look: Look) {
        let total = look.total;
        self.calls += look.calls as u64;
        self.note = format!("{} of {total} letters were looked at", look.letters.len());
        self.look = Some((arn.clone(), look));
        if *self.page() == Page::Tree {
            self.open(Page::Groups(arn));
        } else {
            // What was open may be gone.
            self.pages.truncate(2);
        }
    }

    fn page(&self) -> &Page {
        self.pages.last().map_or(&Page::Tree, |(page, _)| page)
    }

    fn open(&mut self, page: Page) {
        self.pages.push((page, ListState::default().with_selected(Some(0))));
    }

    fn groups(&self) -> Vec<Group<'_>> {
        self.look.as_ref().map(|(_, look)| groups(&look.letters)).unwrap_or_default()
    }

    fn letter(&self, group: usize, letter: usize) -> Option<Letter> {
        self.groups().get(group)?.letters.get(letter).map(|letter| (*letter).clone())
    }

    fn selected(&self) -> usize {
        self.pages.last().and_then(|(_, state)| state.selected()).unwrap_or(0)
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: KeyCode) -> Step {
        if let Some((prompt, text)) = self.prompt.take() {
            return self.answer(prompt, text, key);
        }
        match key {
            KeyCode::Char('q') => return Step::Quit,
            KeyCode::Esc if self.pages.len() == 1 => return Step::Quit,
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left => {
                if self.pages.len() > 1 {
                    self.pages.pop();
                }
            }
            KeyCode::Enter | KeyCode::Right => return self.enter(),
            KeyCode::Char('?') => self.open(Page::Help),
            KeyCode::Char('/') => self.prompt = Some((Prompt::Filter, self.filter.clone())),
            KeyCode::Char('l') => {
                if let Some(queue) = self.chosen_queue() {
                    return Step::Look(queue);
                }
            }
            KeyCode::Char(key @ ('r' | 'd' | 'e' | 'x')) => self.ask(key),
            key => self.go(key),
        }
        Step::Go
    }

    fn go(&mut self, key: KeyCode) {
        let count = self.count();
        let Some((_, state)) = self.pages.last_mut() else { return };
        let here = state.selected().unwrap_or(0);
        let there = match key {
            KeyCode::Up | KeyCode::Char('k') => here.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => here + 1,
            KeyCode::PageUp => here.saturating_sub(10),
            KeyCode::PageDown => here + 10,
            KeyCode::Home => 0,
            KeyCode::End => count,
            _ => here,
        };
        state.select(Some(there.min(count.saturating_sub(1))));
    }

    fn count(&self) -> usize {
        match self.page() {
            Page::Tree => self.rows.len(),
            Page::Groups(_) => self.groups().len(),
            Page::Letters(_, group) => self.groups().get(*group).map_or(0, |group| group.letters.len()),
            Page::Letter(_, group, one) => {
                self.letter(*group, *one).map_or(0, |one| letter::lines(&one, SystemTime::UNIX_EPOCH).len())
            }
            Page::Queue(_) | Page::Help => 0,
        }
    }

    fn enter(&mut self) -> Step {
        let selected = self.selected();
        match self.page().clone() {
            Page::Tree => {
                let Some(row) = self.rows.get(selected) else { return Step::Go };
                let arn = row.arn.clone();
                if self.flow.dead_letter_queues().contains(arn.as_str()) {
                    return Step::Look(arn);
                }
                if self.flow.queues.contains_key(&arn) {
                    self.open(Page::Queue(arn));
                }
            }
            Page::Groups(arn) if selected < self.count() => self.open(Page::Letters(arn, selected)),
            Page::Letters(arn, group) if selected < self.count() => self.open(Page::Letter(arn, group, selected)),
            Page::Groups(_) | Page::Letters(..) | Page::Queue(_) | Page::Letter(..) | Page::Help => {}
        }
        Step::Go
    }

    /// The ARN of the dead-letter queue that is selected, or open.
    fn chosen_queue(&self) -> Option<String> {
        let arn = match self.page() {
            Page::Tree => self.rows.get(self.selected())?.arn.clone(),
            Page::Groups(arn) | Page::Letters(arn, _) | Page::Letter(arn, ..) => arn.clone(),
            Page::Queue(_) | Page::Help => return None,
        };
        self.flow.dead_letter_queues().contains(arn.as_str()).then_some(arn)
    }

    /// The letters that a deed would be done to.
    fn chosen(&self) -> Option<Chosen> {
        let arn = self.chosen_queue()?;
        let queue = name(&arn);
        match self.page() {
            Page::Groups(_) => Chosen::group(queue, &self.groups(), self.selected()),
            Page::Letters(_, group) => Some(Chosen::letter(queue, &self.letter(*group, self.selected())?)),
            Page::Letter(_, group, letter) => Some(Chosen::letter(queue, &self.letter(*group, *letter)?)),
            Page::Tree | Page::Queue(_) | Page::Help => {
                let count = self.histories.get(&arn).and_then(History::latest).map_or(0, Counters::total);
                Some(Chosen::all(queue, count))
            }
        }
    }

    fn ask(&mut self, key: char) {
        if self.is_read_only && key != 'e' {
            "it was started with --read-only".clone_into(&mut self.note);
            return;
        }
        let Some(chosen) = self.chosen().filter(|chosen| chosen.count > 0) else {
            "choose a dead-letter queue that has letters, or some of them".clone_into(&mut self.note);
            return;
        };
        let sure = |deed| Some((Prompt::Sure(deed), String::new()));
        self.prompt = match key {
            'r' => sure(chosen.redrive()),
            'd' => sure(chosen.delete()),
            'e' => sure(chosen.export()),
            _ if chosen.ids.len() == 1 => {
                let to = self.open_letter().map(|letter| source(&letter)).unwrap_or_default();
                Some((Prompt::SendTo(Box::new(chosen)), to))
            }
            _ => {
                "open one letter to edit it".clone_into(&mut self.note);
                None
            }
        };
    }

    pub(super) fn open_letter(&self) -> Option<Letter> {
        match self.page() {
            Page::Letters(_, group) => self.letter(*group, self.selected()),
            Page::Letter(_, group, letter) => self.letter(*group, *letter),
            _ => None,
        }
    }

    /// Asks for a deed that follows from one.
    pub(super) fn ask_for(&mut self, deed: Deed) {
        self.prompt = Some((Prompt::Sure(deed), String::new()));
    }

    fn answer(&mut self, prompt: Prompt, mut text: String, key: KeyCode) -> Step {
        match (prompt, key) {
            (Prompt::Sure(deed), KeyCode::Char('y')) => return Step::Do(deed),
            (_, KeyCode::Esc) => {}
            (Prompt::Sure(_), _) => "nothing was done".clone_into(&mut self.note),
            (Prompt::Filter, KeyCode::Enter) => {
                self.filter = text;
                self.rows = rows(&self.flow, &self.filter);
                self.pages.truncate(1);
                self.go(KeyCode::Home);
            }
            (Prompt::SendTo(chosen), KeyCode::Enter) if !text.is_empty() => return Step::Edit(chosen, text),
            (prompt, key) => {
                match key {
                    KeyCode::Char(letter) => text.push(letter),
                    KeyCode::Backspace => drop(text.pop()),
                    _ => {}
                }
                self.prompt = Some((prompt, text));
            }
        }
        Step::Go
    }
}

#[cfg(test)]
mod tests;
