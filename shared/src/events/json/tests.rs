use proptest::prelude::*;

use super::{scan::Scan, *};

fn only<'a>(json: &'a str, name: &'static str) -> Field<'a> {
    let [field] = fields(json, "example", [name]).unwrap();
    field
}

#[test]
fn objects_are_asked_for_as_objects() {
    for (json, problem) in [
        ("[1]", "not a valid example: a list, not an object"),
        ("null", "not a valid example: null, not an object"),
        (r#""secret""#, "not a valid example: a text, not an object"),
        ("secret", "not a valid example: expected value at line 1 column 1"),
        ("nothing", "not a valid example: expected ident at line 1 column 2"),
        ("", "not a valid example: EOF while parsing a value at line 1 column 0"),
        (r#"{"a": "secret"} x"#, "not a valid example: trailing characters at line 1 column 17"),
        (r#"{"a": [}"#, "not a valid example: expected value at line 1 column 8"),
    ] {
        assert_eq!(fields(json, "example", ["a"]).unwrap_err().to_string(), problem, "{json}");
    }
}

#[test]
fn a_path_goes_through_objects_only_and_the_last_of_a_name_counts() {
    assert_eq!(only(r#"{"a": {"b": {"c": "x"}}}"#, "a.b.c").needed("e").unwrap(), "x");
    assert_eq!(only(r#"{"a": "1", "a": "2"}"#, "a").needed("e").unwrap(), "2");
    assert_eq!(only(r#"{"\u0061": "escaped"}"#, "a").needed("e").unwrap(), "escaped");
    for json in
        [r#"{"a": [["x"]]}"#, r#"{"a": {"b": "x"}}"#, r#"{"a": 7}"#, r#"{"a.b.c": "x"}"#, r#"{"a": {"b.c": "x"}}"#]
    {
        let problem = only(json, "a.b.c").needed("e").unwrap_err().to_string();
        assert_eq!(problem, "e has no a.b.c", "{json}");
    }
}

#[test]
fn what_nobody_asked_for_harms_nobody() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for other in ["1E400", r#""\ud83d""#, "-1e999", deep.as_str(), r#"{"\ud800": [1e400]}"#] {
        let json = format!(r#"{{"x": {other}, "\ud83d": 1, "a": "kept", "o": {{"x": {other}}}}}"#);
        assert_eq!(only(&json, "a").needed("e").unwrap(), "kept");
        // Nor what nobody needs.
        let mut ignored = Ignored::default();
        let x = only(&json, "x");
        assert_eq!((x.text(&mut ignored), x.integer(&mut ignored), x.number(&mut ignored)), (None, None, None));
        assert_eq!((x.boolean(&mut ignored), x.time(&mut ignored)), (None, None));
        assert_eq!(ignored.names(), ["x"]);
    }
}

#[test]
fn what_is_needed_and_of_another_type_is_named_with_what_it_is() {
    for (value, problem) in [
        ("7", "a of the e is a number, not a text"),
        ("[]", "a of the e is a list, not a text"),
        ("{}", "a of the e is an object, not a text"),
        ("true", "a of the e is a boolean, not a text"),
        ("null", "e has no a"),
        (r#""""#, "e has no a"),
        (r#""\ud83d secret""#, "a of the e is not Unicode: it holds half of a character"),
    ] {
        assert_eq!(only(&format!(r#"{{"a": {value}}}"#), "a").needed("e").unwrap_err().to_string(), problem);
    }
}

#[test]
fn lists_are_lists_and_null_is_an_empty_one() {
    let list = |json| only(json, "l[]").list("e");
    assert_eq!(list(r#"{"l": [1, "x", null]}"#).unwrap().unwrap(), ["1", r#""x""#, "null"]);
    assert_eq!(list(r#"{"l": null}"#).unwrap(), Some(Vec::new()));
    assert_eq!(list("{}").unwrap(), None);
    for (json, kind) in [(r#"{"l": {"a": 1}}"#, "an object"), (r#"{"l": 7}"#, "a number"), (r#"{"l": "s"}"#, "a text")]
    {
        assert_eq!(list(json).unwrap_err().to_string(), format!("l of the e is {kind}, not a list"));
    }
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let mut ignored = Ignored::default();
    let mut integer = |value: &str| only(&format!(r#"{{"a": {value}}}"#), "a").integer(&mut ignored);
    assert_eq!(
        (integer("-1"), integer("1784523967089.0"), integer("1e3")),
        (Some(-1), Some(1_784_523_967_089), Some(1000))
    );
    assert_eq!((integer("1.5"), integer("1e300"), integer(r#""1""#)), (None, None, None));
    let mut digits = |value: &str| only(&format!(r#"{{"a": {value}}}"#), "a").digits(&mut ignored);
    assert_eq!((digits(r#""12""#), digits("12"), digits(r#""x""#)), (Some(12), Some(12), None));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_never_quoted(text in "[\\[\\]{}\":,0-9a-z ]{0,40}") {
        let json = format!(r#"{{"hunter2": {text}"#);
        if let Err(problem) = fields(&json, "example", ["a", "b.c", "d[]"]) {
            prop_assert!(!problem.to_string().contains("hunter2"), "{}", problem);
        }
    }

    #[test]
    fn an_escaped_text_reads_as_serde_json_reads_it(value in any::<String>(), escapes in "(\\\\[\"\\\\/bfnrtu]|[0-9a-f\"x한]){0,100}") {
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(text(&json).unwrap(), value);
        let json = format!("\"{escapes}\"");
        if let Ok(raw) = serde_json::from_str::<&RawValue>(&json) {
            prop_assert_eq!(text(raw.get()).map(Cow::into_owned), serde_json::from_str(&json).ok());
        }
    }

    #[test]
    fn the_scan_takes_what_serde_json_takes(
        json in "[\\[\\]{}\":, \\n0-9eE+.\\\\u-]{0,24}|\"([^\"\\\\]|\\\\[\"/bfnrtuax]|0|\u{1f}|한){0,60}\"?|-?[0-9.eE+-]{0,6}|(true|fals|null|nul|\\[|\\]|,|\\{|\\}|\"a\":){1,9}"
    ) {
        let by_serde = serde_json::from_str::<&RawValue>(&json).ok().map(RawValue::get);
        let mut scan = Scan::new(&json);
        let scanned = scan.value().filter(|_| scan.end().is_some());
        prop_assert_eq!(scanned, by_serde);
    }

    #[test]
    fn the_scan_takes_every_value_cut_nowhere(value in any_json(), cut in 0_usize..400) {
        let json = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(Scan::new(&json).value(), Some(json.as_str()));
        let cut = (0..=cut.min(json.len())).rev().find(|cut| json.is_char_boundary(*cut)).unwrap_or(0);
        let (part, whole) = (&json[..cut], serde_json::from_str::<&RawValue>(&json[..cut]).ok());
        let mut scan = Scan::new(part);
        prop_assert_eq!(scan.value().filter(|_| scan.end().is_some()), whole.map(RawValue::get));
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[a-z \"\\\\]{0,90}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}
