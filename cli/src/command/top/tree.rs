//! An account's event flow as the lines of a tree (pure).

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Edge, Flow, name};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The branches before it.
    pub(super) branch: String,
    pub(super) arn: String,
    /// Whether what is above leaves there what failed.
    pub(super) is_dead: bool,
}

impl Row {
    /// What it is, and its name without what all names begin with.
    pub(super) fn label(&self, prefix: &str) -> String {
        let what = if self.is_dead { "dead" } else { what(&self.arn) };
        let name = name(&self.arn);
        format!("{}{what} {}", self.branch, name.strip_prefix(prefix).unwrap_or(name))
    }
}

/// In the order of the flow.
const SERVICES: [(&str, &str); 9] = [
    (":s3:", "bucket"),
    (":events:", "rule"),
    (":scheduler:", "schedule"),
    (":sns:", "topic"),
    (":kinesis:", "stream"),
    (":dynamodb:", "table"),
    (":mq:", "broker"),
    (":sqs:", "queue"),
    (":lambda:", "function"),
];

fn place(arn: &str) -> usize {
    SERVICES.iter().position(|(service, _)| arn.contains(service)).unwrap_or(SERVICES.len())
}

fn what(arn: &str) -> &'static str {
    SERVICES.get(place(arn)).map_or("to", |(_, what)| what)
}

/// The trees in which a name holds this text, each from where its events begin; a dead-letter queue is under all that
/// leave letters there.
pub(super) fn rows(flow: &Flow, filter: &str) -> Vec<Row> {
    let mut below: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
    let mut all: BTreeSet<&str> = flow.queues.keys().map(String::as_str).collect();
    let mut led_to: BTreeSet<&str> = BTreeSet::new();
    for edge in &flow.edges {
        below.entry(&edge.from).or_default().push(edge);
        all.extend([edge.from.as_str(), &edge.to]);
        led_to.insert(&edge.to);
    }
    for edges in below.values_mut() {
        edges.sort_by_key(|edge| (edge.is_dead, place(&edge.to), name(&edge.to)));
    }
    let mut nodes: Vec<&str> = all.into_iter().collect();
    // What nothing leads to begins a tree; what is left then is a circle.
    nodes.sort_by_key(|arn| (led_to.contains(arn), place(arn), name(arn)));
    let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
    for arn in nodes {
        if led_to.contains(arn) && seen.contains(arn) {
            continue;
        }
        let mut tree = Vec::new();
        grow(&below, arn, false, [String::new(), String::new()], &mut Vec::new(), &mut tree);
        seen.extend(tree.iter().map(|row| row.arn.clone()));
        if tree.iter().any(|row| name(&row.arn).contains(filter)) {
            rows.extend(tree);
        }
    }
    rows
}

/// `branches` are those before this line, and before the lines below it.
fn grow<'a>(
    below: &BTreeMap<&'a str, Vec<&'a Edge>>,
    arn: &'a str,
    is_dead: bool,
    [branch, before]: [String; 2],
    path: &mut Vec<&'a str>,
    rows: &mut Vec<Row>,
) {
    rows.push(Row { branch, arn: arn.to_owned(), is_dead });
    if path.contains(&arn) {
        return;
    }
    path.push(arn);
    let edges = below.get(arn).map_or(&[][..], Vec::as_slice);
    for (index, edge) in edges.iter().enumerate() {
        let [turn, on] = if index + 1 == edges.len() { ["└ ", "  "] } else { ["├ ", "│ "] };
        let branches = [format!("{before}{turn}"), format!("{before}{on}")];
        grow(below, &edge.to, edge.is_dead, branches, path, rows);
    }
    path.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(edges: &[(&str, &str, bool)]) -> Flow {
        let edge =
            |&(from, to, is_dead): &(&str, &str, bool)| Edge { from: from.to_owned(), to: to.to_owned(), is_dead };
        Flow { edges: edges.iter().map(edge).collect(), ..Flow::default() }
    }

    const FLOW: [(&str, &str, bool); 6] = [
        ("arn:aws:s3:::photos", "arn:aws:sns:r:1:uploads", false),
        ("arn:aws:sns:r:1:uploads", "arn:aws:sqs:r:1:jobs", false),
        ("arn:aws:sns:r:1:uploads", "arn:aws:sqs:r:1:lost", true),
        ("arn:aws:sqs:r:1:jobs", "arn:aws:sqs:r:1:jobs-dead", true),
        ("arn:aws:sqs:r:1:jobs", "arn:aws:lambda:r:1:function:worker", false),
        ("arn:aws:sqs:r:1:round", "arn:aws:sqs:r:1:round", true),
    ];

    fn labels(filter: &str) -> Vec<String> {
        rows(&flow(&FLOW), filter).iter().map(|row| row.label("")).collect()
    }

    #[test]
    fn a_tree_goes_from_the_bucket_to_the_function_and_each_dead_end_is_under_what_feeds_it() {
        let expected = [
            "bucket photos",
            "└ topic uploads",
            "  ├ queue jobs",
            "  │ ├ function worker",
            "  │ └ dead jobs-dead",
            "  └ dead lost",
            "queue round",
            "└ dead round",
        ];
        assert_eq!(labels(""), expected);
        assert_eq!(labels("worker"), expected[..6], "the whole tree, or none of it");
        assert_eq!(labels("nothing"), [""; 0]);
    }
}
