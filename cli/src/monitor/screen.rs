//! The live screen: what is drawn, and nothing else.

use std::time::Duration;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Sparkline, Tabs},
};

use super::{
    age::Age,
    history::{History, Outlook},
};
use crate::{
    counters::{Counters, DeadLetters},
    output::escape,
    quantity::human,
};

/// One queue as it is known so far.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) history: History,
    pub(crate) age: Option<Age>,
    pub(crate) dead_letters: Option<DeadLetters>,
    /// Why the last look failed.
    pub(crate) problem: Option<String>,
}

/// Everything on the screen.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) panels: Vec<Panel>,
    pub(crate) selected: usize,
    pub(crate) every: Duration,
    pub(crate) is_paused: bool,
}

type Value = fn(Counters) -> u64;

const COUNTERS: [(&str, Color, Value); 3] = [
    ("visible", Color::Cyan, |counters| counters.visible),
    ("in flight", Color::Yellow, |counters| counters.in_flight),
    ("delayed", Color::Magenta, |counters| counters.delayed),
];

impl Screen {
    pub(crate) fn draw(&self, frame: &mut Frame<'_>) {
        let Some(panel) = self.panels.get(self.selected) else { return };
        let tabs_height = u16::from(self.panels.len() > 1);
        let [title, tabs, counters, facts, footer] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(tabs_height),
            Constraint::Min(3),
            Constraint::Length(5),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        frame.render_widget(self.title(panel), title);
        if tabs_height > 0 {
            frame.render_widget(self.tabs(), tabs);
        }
        let rows: [Rect; 3] = Layout::vertical([Constraint::Fill(1); 3]).areas(counters);
        for ((name, color, value), row) in COUNTERS.into_iter().zip(rows) {
            draw_counter(frame, row, &panel.history, name, color, value);
        }
        frame.render_widget(Paragraph::new(facts_of(panel)).block(Block::new().borders(Borders::TOP)), facts);
        frame.render_widget(footer_of(panel, self.panels.len() > 1), footer);
    }

    fn title(&self, panel: &Panel) -> Line<'static> {
        let mut spans = vec![
            Span::raw(" sluice ").bold().reversed(),
            Span::raw(format!(" {}", panel.name)).bold(),
            Span::raw(format!(" · {} · every {}", panel.region, human(self.every))).dim(),
        ];
        if self.is_paused {
            spans.push(Span::styled("  PAUSED", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)));
        }
        Line::from(spans)
    }

    fn tabs(&self) -> Tabs<'static> {
        let titles = self.panels.iter().map(|panel| match panel.history.latest() {
            Some(counters) => format!("{} {}", panel.name, counters.total()),
            None => panel.name.clone(),
        });
        Tabs::new(titles).select(self.selected).highlight_style(Style::new().bold().underlined())
    }
}

fn draw_counter(frame: &mut Frame<'_>, area: Rect, history: &History, name: &str, color: Color, value: Value) {
    let block = Block::new().borders(Borders::TOP).border_style(Style::new().dim());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [label, graph] = Layout::horizontal([Constraint::Length(14), Constraint::Min(10)]).areas(inner);
    let series = history.series(usize::from(graph.width), value);
    let highest = series.iter().copied().max().unwrap_or(0);
    let current = history.latest().map_or_else(|| "…".to_owned(), |counters| value(counters).to_string());
    let lines = vec![
        Line::from(format!(" {current}")).style(Style::new().fg(color).bold()),
        Line::from(format!(" {name}")),
        Line::from(format!(" max {highest}")).dim(),
    ];
    frame.render_widget(Paragraph::new(lines), label);
    frame.render_widget(Sparkline::default().data(&series).max(highest.max(1)).style(Style::new().fg(color)), graph);
}

fn facts_of(panel: &Panel) -> Vec<Line<'static>> {
    let rates = match panel.history.rates() {
        Some(rates) => format!(
            " arrival ≥ {:.1}/s   drain ≥ {:.1}/s   net {:+.1}/s   (last 30s, as the counters tell)",
            rates.arrival, rates.drain, rates.net
        ),
        None => " arrival …   drain …".to_owned(),
    };
    let outlook = match panel.history.outlook() {
        Outlook::Empty => "it is empty".to_owned(),
        Outlook::In(time) => format!("in about {}", human(time)),
        Outlook::Never => "not at this rate".to_owned(),
        Outlook::Unknown => "…".to_owned(),
    };
    let oldest = panel.age.as_ref().map_or_else(
        || "…".to_owned(),
        |age| match age.source() {
            Some(source) => format!("{} ({source})", age.short()),
            None => age.short(),
        },
    );
    let (dead, style) = match &panel.dead_letters {
        None => ("…".to_owned(), Style::new()),
        Some(DeadLetters::NoQueue) => ("no dead-letter queue".to_owned(), Style::new().dim()),
        Some(DeadLetters::Counted { queue, messages: 0 }) => (format!("0 in {queue}"), Style::new()),
        Some(DeadLetters::Counted { queue, messages }) => (format!("{messages} in {queue}"), Style::new().red().bold()),
        Some(DeadLetters::Unknown { queue, reason }) => (format!("unknown in {queue} ({reason})"), Style::new().dim()),
    };
    vec![
        Line::from(rates),
        Line::from(format!(" empty    {outlook}")),
        Line::from(format!(" oldest   {}", escape(&oldest))),
        Line::from(vec![Span::raw(" dead     "), Span::styled(escape(&dead).into_owned(), style)]),
    ]
}

fn footer_of(panel: &Panel, has_others: bool) -> Line<'static> {
    match &panel.problem {
        Some(problem) => Line::from(format!(" {}", escape(problem))).style(Style::new().red()),
        None if has_others => Line::from(" q quit   p pause   tab next queue   shift-tab previous").dim(),
        None => Line::from(" q quit   p pause").dim(),
    }
}

#[cfg(test)]
mod tests;
