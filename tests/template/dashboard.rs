//! The dashboard is what `CloudWatch` can draw, and shows what there is by searching for it.

use std::{collections::BTreeSet, fs};

use serde_json::Value as Json;

use super::{Document, everything, is_dead_letter_queue, own_name, text};
use crate::repository::root;

const NAMESPACE: &str = "Sluicegate";

/// A search, `SEARCH('{Namespace,Dimension} MetricName="…" Dimension=stack', 'Statistic', period)`.
#[derive(Debug)]
struct Search {
    namespace: String,
    metric: String,
    /// What it is narrowed by, behind the metric's name.
    terms: String,
}

impl Search {
    fn read(expression: &str) -> Self {
        let inside = expression.strip_prefix("SEARCH('{").unwrap_or_else(|| panic!("{expression}"));
        let (schema, rest) = inside.split_once("} MetricName=\"").unwrap_or_else(|| panic!("{expression}"));
        let (metric, rest) = rest.split_once('"').unwrap();
        let (terms, statistic) = rest.split_once('\'').unwrap();
        let period = statistic.rsplit_once(", ").unwrap().1.strip_suffix(')').unwrap();
        assert!(period.parse::<u32>().is_ok_and(|seconds| seconds % 60 == 0), "{expression}");
        let namespace = schema.split(',').next().unwrap().trim_matches('"').to_owned();
        Self { namespace, metric: metric.to_owned(), terms: terms.trim().to_owned() }
    }

    /// Whether it finds a queue of this name.
    fn finds_queue(&self, name: &str) -> bool {
        let (of_stack, rest) = self.terms.split_once(' ').unwrap_or((&self.terms, ""));
        let is_dead = name.split(['-', '.']).any(|word| word == "dead");
        of_stack == "QueueName={StackName}" && (rest.is_empty() || (rest == "dead") == is_dead)
    }
}

fn widgets(document: &Document) -> Vec<Json> {
    let body = document.resource("Dashboard").properties["DashboardBody"].clone();
    let body = text(&body).replace("${MetricsNamespace}", NAMESPACE).replace("${AWS::", "{");
    let body: Json = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    body["widgets"].as_array().unwrap().clone()
}

fn searches(document: &Document) -> Vec<Search> {
    let widgets = widgets(document);
    let metrics = widgets.iter().filter(|widget| widget["type"] == "metric");
    let expressions = metrics.flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap());
    expressions.map(|metric| Search::read(metric[0]["expression"].as_str().unwrap())).collect()
}

#[test]
fn every_queue_is_found_with_its_backlog_and_its_age_and_every_dead_letter_queue() {
    let document = everything();
    let searches = searches(&document);
    let is_found = |metric: &str, name: &str| {
        let mut of_metric = searches.iter().filter(|search| search.metric == metric);
        of_metric.any(|search| search.finds_queue(name))
    };
    for queue in document.queues() {
        let name = own_name(&queue.properties["QueueName"]);
        assert!(is_found("ApproximateNumberOfMessagesVisible", &name), "{name}");
        assert!(is_dead_letter_queue(&queue.id) || is_found("ApproximateAgeOfOldestMessage", &name), "{name}");
        // By this word the two kinds are told apart.
        assert_eq!(name.split(['-', '.']).any(|word| word == "dead"), is_dead_letter_queue(&queue.id), "{name}");
    }
}

#[test]
fn nothing_of_another_stack_is_shown_but_what_has_no_name() {
    for search in searches(&everything()) {
        // A mapping's metrics are by its id alone.
        let has_no_name = search.terms.is_empty() && search.metric.ends_with("EventCount");
        assert!(search.terms.contains("={StackName}") || has_no_name, "{search:?}");
    }
}

#[test]
fn noisy_and_quiet_groups_of_fair_queues_are_shown() {
    let searches = searches(&everything());
    for metric in ["ApproximateNumberOfNoisyGroups", "ApproximateNumberOfMessagesVisibleInQuietGroups"] {
        assert!(searches.iter().any(|search| search.metric == metric), "{metric}");
    }
}

#[test]
fn the_stack_s_alarms_are_a_link_away() {
    let widgets = widgets(&everything());
    let page = widgets.iter().find(|widget| widget["type"] == "text").unwrap();
    assert!(page["properties"]["markdown"].as_str().unwrap().contains("#alarmsV2:?search={StackName}-"), "{page}");
}

#[test]
fn the_functions_own_metrics_are_those_of_the_documents() {
    let path = root().join("docs/logging.md");
    let page = fs::read_to_string(path).unwrap();
    let searches = searches(&everything());
    let own: Vec<_> = searches.iter().filter(|search| search.namespace == NAMESPACE).collect();
    assert!(own.len() >= 5);
    for search in own {
        assert!(page.contains(&format!("`{}`", search.metric)), "{search:?}");
    }
}

#[test]
fn no_widget_covers_another() {
    let widgets = widgets(&everything());
    let side = |widget: &Json, name: &str| widget[name].as_u64().unwrap();
    let mut taken = BTreeSet::new();
    for widget in &widgets {
        let (left, top) = (side(widget, "x"), side(widget, "y"));
        let (right, bottom) = (left + side(widget, "width"), top + side(widget, "height"));
        // The grid is 24 wide.
        assert!(right <= 24, "{widget}");
        for cell in (left..right).flat_map(|x| (top..bottom).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{widget}");
        }
    }
}
