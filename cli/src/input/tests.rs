use super::*;

/// The pieces' texts, and why there are no more.
fn split(text: &[u8], split: Split) -> (Vec<String>, Option<String>) {
    let mut texts = Vec::new();
    let mut hand_on = |piece: Piece| {
        let text = piece.text.map_or_else(|| "too long".to_owned(), |text| String::from_utf8(text).unwrap());
        texts.push(text);
        ControlFlow::Continue(())
    };
    let outcome = cut(text, split, 40, None, &mut hand_on);
    (texts, outcome.err().map(|error| error.to_string()))
}

fn auto(text: &str) -> Vec<String> {
    let (texts, problem) = split(text.as_bytes(), Split::Auto);
    assert_eq!(problem, None, "{text}");
    texts
}

#[test]
fn an_array_is_cut_by_its_elements_as_they_are_written() {
    assert_eq!(auto(r#" [ {"n": 1.0, "b":2}, "text\n", 3 ] "#), [r#"{"n": 1.0, "b":2}"#, r#""text\n""#, "3"]);
    assert_eq!(auto("[]"), Vec::<String>::new());
}

#[test]
fn json_values_are_cut_however_they_stand_behind_each_other() {
    assert_eq!(auto("{\"n\":1}\n\n{\"n\":2}\r\n"), ["{\"n\":1}", "{\"n\":2}"]);
    assert_eq!(auto("{\"n\":1}{\"n\":2}"), ["{\"n\":1}", "{\"n\":2}"]);
    assert_eq!(auto("{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n"), ["{\n  \"n\": 1\n}", "{\n  \"n\": 2\n}"]);
}

#[test]
fn a_byte_order_mark_is_of_the_file() {
    assert_eq!(auto("\u{feff}[{\"n\":1},2]"), ["{\"n\":1}", "2"]);
    assert_eq!(auto("\u{feff}{\"n\":1}\n{\"n\":2}\n"), ["{\"n\":1}", "{\"n\":2}"]);
    for whole in [Split::Auto, Split::Lines, Split::Whole] {
        assert_eq!(split("\u{feff}text".as_bytes(), whole).0, ["text"]);
    }
}

#[test]
fn what_begins_as_json_and_is_none_is_refused_with_line_and_column() {
    for (text, before, place) in [
        ("[{\"n\":1},\n]", 1, "trailing comma at line 2 column 1"),
        ("[{\"n\":1},\n{\"n\":", 1, "line 2 column 5"),
        ("[1, 2", 2, "line 1 column 5"),
        ("{\"n\":1}\n{\"n\":\n", 1, "line 3 column 0"),
        ("{\"n\":1},{\"n\":2}", 1, "line 1 column 8"),
        ("[1]\n[2]", 1, "trailing characters at line 2 column 1"),
        ("{{name}} says hello", 0, "line 1 column 2"),
    ] {
        let (texts, problem) = split(text.as_bytes(), Split::Auto);
        let problem = problem.unwrap_or_else(|| panic!("{text} was taken: {texts:?}"));
        assert!(texts.len() == before && problem.contains(place), "{text}: {texts:?}, {problem}");
    }
}

#[test]
fn other_text_is_one_piece() {
    assert_eq!(auto("two\nlines\n"), ["two\nlines\n"]);
    assert_eq!(auto(" \n"), Vec::<String>::new());
}

#[test]
fn lines_and_whole_do_not_look_inside() {
    assert_eq!(split(b"[1]\n\n  \n b \r\n", Split::Lines).0, ["[1]", " b "]);
    assert_eq!(split(b"[1]\nb\n", Split::Whole).0, ["[1]\nb\n"]);
}

#[test]
fn what_is_longer_than_any_may_be_is_not_held() {
    let long = "x".repeat(43);
    assert_eq!(split(format!("{long}\n1\n").as_bytes(), Split::Lines).0, ["too long", "1"]);
    assert_eq!(split(long.as_bytes(), Split::Auto).0, ["too long"]);
    let (texts, problem) = split(format!("[1, \"{}\"]", "x".repeat(400)).as_bytes(), Split::Auto);
    assert!(texts == ["1"] && problem.unwrap().contains("longer than any message"), "{texts:?}");
}

#[tokio::test]
async fn stdin_is_kept_for_other_rounds_and_a_file_is_read_again() {
    let file = Source::new(Path::new("../events/data/slow_data.json"));
    let mut once = 0;
    file.read(Split::Auto, 1 << 20, &mut |_| {
        once += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    let mut pieces = pieces(vec![file], Split::Auto, 1 << 20, 3);
    let mut count = 0;
    while let Some(piece) = pieces.recv().await {
        assert!(piece.unwrap().is_json);
        count += 1;
    }
    assert!(once > 1);
    assert_eq!(count, 3 * once);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problem = Source::new(Path::new("no-such-file.jsonl")).text().unwrap_err().to_string();
    assert_eq!(problem, "cannot read no-such-file.jsonl");
}
