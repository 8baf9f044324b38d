//! The dashboard is what `CloudWatch` can draw, and shows what there is.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value as Json;
use serde_yaml_ng::Value;

use super::{Document, everything, is_dead_letter_queue, own_name};

const NAMESPACE: &str = "Sluicegate";

/// A `!Sub` with its variables put in; what `CloudFormation` knows itself is named in brackets.
fn substituted(value: &Value) -> String {
    let Value::Tagged(sub) = value else { return value.as_str().unwrap().to_owned() };
    let (body, variables) = match &sub.value {
        Value::Sequence(parts) => (parts[0].as_str().unwrap(), parts[1].as_mapping().cloned().unwrap()),
        body => (body.as_str().unwrap(), serde_yaml_ng::Mapping::default()),
    };
    let own = variables.iter().fold(body.to_owned(), |body, (name, value)| {
        body.replace(&format!("${{{}}}", name.as_str().unwrap()), &substituted(value))
    });
    own.replace("${MetricsNamespace}", NAMESPACE).replace("${AWS::", "{")
}

fn widgets(document: &Document) -> Vec<Json> {
    let body = substituted(&document.resource("Dashboard").properties["DashboardBody"]);
    let body: Json = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    body["widgets"].as_array().unwrap().clone()
}

/// Every metric shown, with `CloudWatch`'s shorthand written out: `...` is the metric before but for its last values, `.` one
/// value of it. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>
fn metrics(widgets: &[Json]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for widget in widgets.iter().filter(|widget| widget["type"] == "metric") {
        let mut before: Vec<String> = Vec::new();
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let given: Vec<&str> = metric.as_array().unwrap().iter().filter_map(Json::as_str).collect();
            let metric = match given.as_slice() {
                ["...", rest @ ..] => {
                    [&before[..before.len() - rest.len()], &rest.iter().map(ToString::to_string).collect::<Vec<_>>()]
                        .concat()
                }
                given => given
                    .iter()
                    .enumerate()
                    .map(|(place, value)| if *value == "." { before[place].clone() } else { (*value).to_owned() })
                    .collect(),
            };
            all.push(metric.clone());
            before = metric;
        }
    }
    all
}

/// The names behind `{StackName}-`, in the dimension of this name.
fn shown(metrics: &[Vec<String>], dimension: &str) -> BTreeSet<String> {
    let pairs = metrics.iter().flat_map(|metric| metric[2..].chunks_exact(2));
    let of_dimension = pairs.filter(|pair| pair[0] == dimension);
    of_dimension.map(|pair| pair[1].strip_prefix("{StackName}-").unwrap().to_owned()).collect()
}

fn names(document: &Document, kind: &str, property: &str) -> BTreeSet<String> {
    document.resources(kind).iter().map(|resource| own_name(&resource.properties[property])).collect()
}

#[test]
fn every_queue_function_and_stream_shown_is_there() {
    for document in [Document::by_default(), everything(), Document::with(&[("EnableAlarms", "false")])] {
        let metrics = metrics(&widgets(&document));
        let queues = names(&document, "AWS::SQS::Queue", "QueueName");
        let functions = names(&document, "AWS::Serverless::Function", "FunctionName");
        for dimension in ["QueueName", "queue"] {
            assert!(shown(&metrics, dimension).is_subset(&queues), "{:?}", shown(&metrics, dimension));
        }
        for dimension in ["FunctionName", "function"] {
            assert!(shown(&metrics, dimension).is_subset(&functions), "{:?}", shown(&metrics, dimension));
        }
    }
    let document = everything();
    let metrics = metrics(&widgets(&document));
    assert_eq!(shown(&metrics, "StreamName"), names(&document, "AWS::Kinesis::Stream", "Name"));
    let delivery = names(&document, "AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName");
    assert_eq!(shown(&metrics, "DeliveryStreamName"), delivery);
}

#[test]
fn every_queue_is_shown_with_its_backlog_and_its_age_and_every_dead_letter_queue() {
    let document = everything();
    let metrics = metrics(&widgets(&document));
    let with = |name: &str| {
        let of_name: Vec<_> = metrics.iter().filter(|metric| metric[1] == name).cloned().collect();
        shown(&of_name, "QueueName")
    };
    let (backlogs, ages) = (with("ApproximateNumberOfMessagesVisible"), with("ApproximateAgeOfOldestMessage"));
    for queue in document.queues() {
        let name = own_name(&queue.properties["QueueName"]);
        assert!(backlogs.contains(&name), "{name}");
        assert!(is_dead_letter_queue(&queue.id) || ages.contains(&name), "{name}");
    }
}

#[test]
fn every_alarm_is_on_it() {
    let document = everything();
    let widgets = widgets(&document);
    let alarms = widgets.iter().find(|widget| widget["type"] == "alarm").unwrap()["properties"]["alarms"].clone();
    let prefix = "arn:{Partition}:cloudwatch:{Region}:{AccountId}:alarm:{StackName}-";
    let shown: BTreeSet<_> = alarms
        .as_array()
        .unwrap()
        .iter()
        .map(|arn| arn.as_str().unwrap().strip_prefix(prefix).unwrap().to_owned())
        .collect();
    assert_eq!(shown, names(&document, "AWS::CloudWatch::Alarm", "AlarmName"));
}

#[test]
fn the_functions_own_metrics_are_those_of_the_documents() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/logging.md");
    let page = fs::read_to_string(path).unwrap();
    let metrics = metrics(&widgets(&everything()));
    let own: Vec<_> = metrics.iter().filter(|metric| metric[0] == NAMESPACE).collect();
    assert!(own.len() >= 10);
    for metric in own {
        assert!(page.contains(&format!("`{}`", metric[1])), "{metric:?}");
    }
}

#[test]
fn a_first_deploy_s_dashboard_costs_nothing() {
    // Three dashboards of an account are free, of up to fifty metrics each.
    let shown: BTreeSet<_> = metrics(&widgets(&Document::by_default())).into_iter().collect();
    assert!(shown.len() <= 50, "{}", shown.len());
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
