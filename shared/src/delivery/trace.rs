//! Traces: which ones the records of a batch came from.
//!
//! An invocation's own trace is handed on by the SDK, which puts it into the header of every call (`X-Amzn-Trace-Id`);
//! SNS, SQS and Lambda take it from there. A batch comes from many traces and belongs to none of them: they are linked.
//! See [linked traces](https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html).

/// Links a line takes.
const MAX_LINKS: usize = 10;

/// The traces that X-Ray keeps among these headers (`Root=1-…;Parent=…;Sampled=1`): their ids, each once, in the order
/// of the records, at most ten. `None` where nothing is traced.
///
/// Headers come from producers: what has not the form of a trace's id is left out.
pub(crate) fn trace_links<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    for id in headers.into_iter().filter_map(sampled_root) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() == MAX_LINKS {
            break;
        }
    }
    (!ids.is_empty()).then(|| ids.join(","))
}

/// See [the tracing header](https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
fn sampled_root(header: &str) -> Option<&str> {
    let field = |wanted: &str| {
        let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
        fields.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    field("Root").filter(|root| field("Sampled") == Some("1") && is_trace_id(root))
}

/// `1-`, the time in 8 hexadecimal digits, `-`, and 24 more.
fn is_trace_id(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut is_hexadecimal = |digits: usize| {
        parts.next().is_some_and(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    text.starts_with("1-") && is_hexadecimal(1) && is_hexadecimal(8) && is_hexadecimal(24) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const SECOND: &str = "1-5759e989-bd862e3fe1be46a994272793";

    #[test]
    fn a_batch_is_linked_to_each_trace_that_is_kept_once() {
        let headers = [
            format!("Root={FIRST};Parent=53995c3f42cd8ad8;Sampled=1"),
            format!("Root={FIRST};Parent=63995c3f42cd8ad8;Sampled=1"),
            format!("Sampled=1;Root={SECOND};Lineage=1:a87bd80c:0"),
            format!("Root={SECOND};Sampled=0"),
        ];
        assert_eq!(trace_links(headers.iter().map(String::as_str)), Some(format!("{FIRST},{SECOND}")));
    }

    #[test]
    fn what_is_not_traced_or_no_trace_links_nothing() {
        for header in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
            "Root=1-2-3;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a99427279\n;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793-0;Sampled=1",
        ] {
            assert_eq!(trace_links([header]), None, "{header:?}");
        }
    }

    #[test]
    fn links_are_bounded() {
        let headers: Vec<String> =
            (0..100).map(|number| format!("Root=1-{number:08x}-{number:024x};Sampled=1")).collect();
        let links = trace_links(headers.iter().map(String::as_str)).unwrap();
        assert_eq!(links.split(',').count(), MAX_LINKS);
    }
}
