//! How the screen is drawn.

use std::time::SystemTime;

use ratatui::{
    Frame,
    layout::{Constraint, Layout},
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::{List, Paragraph},
};

use super::{super::letter, HELP, Page, Prompt, Screen};
use crate::{
    command::top::{EVERY, tree::Row},
    counters::{Counters, DeadLetters},
    dead_letter::{Group, Letter},
    flow::name,
    message::age,
    monitor::{
        age::Age,
        history::History,
        screen::{Panel, Screen as Monitor},
    },
    output::escape,
    quantity::human,
};

impl Screen {
    pub(in super::super) fn draw(&mut self, frame: &mut Frame<'_>, now: SystemTime) {
        let [title, head, body, note, footer] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(if matches!(self.prompt, Some((Prompt::Sure(_), _))) { 5 } else { 2 }),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        if let Page::Queue(arn) = self.page() {
            return Monitor { panels: vec![self.panel(arn)], selected: 0, every: EVERY, is_paused: false }.draw(frame);
        }
        self.height = usize::from(body.height);
        let [heading, lines] = self.content(now, usize::from(body.width));
        let mark = if self.is_read_only { " · read only" } else { "" };
        let place = Line::from(vec![
            Span::raw(" sluice ").bold().reversed(),
            Span::raw(format!(" {}{mark} · {} calls", self.place, self.calls)).dim(),
        ]);
        frame.render_widget(place, title);
        frame.render_widget(
            Line::from(heading.into_iter().next().unwrap_or_default().content.into_owned()).bold(),
            head,
        );
        let list = List::new(lines.into_iter().map(Line::from)).highlight_style(Style::new().reversed());
        if let Some((_, state)) = self.pages.last_mut() {
            frame.render_stateful_widget(list, body, state);
        }
        frame.render_widget(Paragraph::new(self.bottom()).wrap(ratatui::widgets::Wrap { trim: true }), note);
        let keys = match self.page() {
            Page::Tree => " Enter open  r redrive  d delete  e export  / filter  ? help  q quit",
            Page::Help | Page::Queue(_) => " Esc back",
            Page::Groups(_) | Page::Letters(..) | Page::Letter(..) => {
                " Enter open  r redrive  d delete  e export  x edit  l look again  Esc back"
            }
        };
        frame.render_widget(Line::from(keys).dim(), footer);
    }

    fn bottom(&self) -> Vec<Line<'static>> {
        match &self.prompt {
            Some((Prompt::Sure(deed), _)) => vec![
                Line::from(format!(
                    " {} {} of {} ({})? y/N",
                    deed.verb,
                    crate::quantity::messages(usize::try_from(deed.count).unwrap_or(usize::MAX)),
                    deed.queue,
                    self.place
                ))
                .bold(),
                Line::from(format!(" $ {}", deed.line(&self.global))),
            ],
            Some((Prompt::Filter, text)) => vec![Line::from(format!(" /{text}▏"))],
            Some((Prompt::SendTo(_), text)) => vec![Line::from(format!(" edit, and send to queue: {text}▏"))],
            None => vec![Line::from(format!(" {}", escape(&self.note)))],
        }
    }

    /// The heading, and the lines under it.
    fn content(&self, now: SystemTime, width: usize) -> [Vec<Span<'static>>; 2] {
        let raw = |lines: Vec<String>| lines.into_iter().map(Span::raw).collect::<Vec<_>>();
        let age = |letter: &Letter| age(&letter.record, now).map_or_else(|| "?".to_owned(), human);
        let (heading, lines) = match self.page() {
            Page::Tree => {
                let name_width = width.saturating_sub(40).max(20);
                let head =
                    format!("{:<name_width$} {:>8} {:>8} {:>8}  DEPTH", self.prefix, "VISIBLE", "FLIGHT", "OLDEST");
                let lines = self.rows.iter().map(|row| self.line(row, name_width)).collect();
                return [raw(vec![head]), lines];
            }
            Page::Groups(arn) => {
                let lines = self.groups().into_iter().map(|Group { kind, reason, letters }| {
                    let (oldest, newest) = (letters.first().map(|one| age(one)), letters.last().map(|one| age(one)));
                    let [oldest, newest] = [oldest, newest].map(Option::unwrap_or_default);
                    format!("{:>6}  {kind:<12}  {newest:>7} to {oldest:<7}  {}", letters.len(), escape(&reason))
                });
                (format!("{}: COUNT, KIND, AGE, REASON", name(arn)), lines.collect())
            }
            Page::Letters(arn, group) => {
                let groups = self.groups();
                let letters = groups.get(*group).map(|group| group.letters.as_slice()).unwrap_or_default();
                let line = |letter: &&Letter| {
                    format!("{}  {:>7}  {}", letter.record.message_id, age(letter), escape(&letter.record.body))
                };
                let of = groups.get(*group).map(|group| format!("{} · {}", group.kind, escape(&group.reason)));
                (format!("{} · {}", name(arn), of.unwrap_or_default()), letters.iter().map(line).collect())
            }
            Page::Letter(arn, group, one) => {
                let lines = self.letter(*group, *one).map(|one| letter::lines(&one, now)).unwrap_or_default();
                (format!("{}: one letter", name(arn)), lines)
            }
            Page::Help | Page::Queue(_) => ("Keys".to_owned(), HELP.map(ToOwned::to_owned).to_vec()),
        };
        [raw(vec![heading]), raw(lines)]
    }

    fn line(&self, row: &Row, name_width: usize) -> Span<'static> {
        let label: String = row.label(&self.prefix).chars().take(name_width).collect();
        let Some(history) = self.histories.get(&row.arn) else { return Span::raw(label) };
        let counters = history.latest().unwrap_or_default();
        let mark = if self.changed.contains(&row.arn) { '*' } else { ' ' };
        let age = if counters.total() == 0 {
            "-".to_owned()
        } else {
            self.ages.get(&row.arn).map_or("…".to_owned(), Age::short)
        };
        let depth = sparks(&history.series(10, Counters::total));
        let text =
            format!("{label:<name_width$}{mark}{:>8} {:>8} {age:>8}  {depth}", counters.visible, counters.in_flight);
        let is_dead = self.flow.dead_letter_queues().contains(row.arn.as_str());
        if is_dead && counters.total() > 0 {
            Span::styled(text, Style::new().fg(Color::Red).bold())
        } else {
            Span::raw(text)
        }
    }

    /// The queue as `sluice queue status --watch` shows it.
    fn panel(&self, arn: &str) -> Panel {
        let dlq = self.flow.edges.iter().find(|edge| edge.from == arn && edge.is_dead);
        let dead_letters = dlq.map_or(DeadLetters::NoQueue, |edge| DeadLetters::Counted {
            queue: name(&edge.to).to_owned(),
            messages: self.histories.get(&edge.to).and_then(History::latest).map_or(0, Counters::total),
        });
        Panel {
            name: name(arn).to_owned(),
            region: self.place.clone(),
            history: self.histories.get(arn).cloned().unwrap_or_default(),
            age: self.ages.get(arn).cloned(),
            dead_letters: Some(dead_letters),
            problem: None,
        }
    }
}

/// Values as bars of eight heights.
fn sparks(values: &[u64]) -> String {
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let bars: Vec<char> = "▁▂▃▄▅▆▇█".chars().collect();
    values.iter().map(|value| bars[usize::try_from(value * 7 / highest).unwrap_or(7)]).collect()
}
