//! `docs/logging.md` lists every line the code logs.

use std::{fs, path::Path};

use crate::{layering::sources, repository::root};

const MACROS: [&str; 3] = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];

#[test]
fn every_message_that_is_logged_is_listed() {
    let root = &root();
    let listed = fs::read_to_string(root.join("docs/logging.md")).unwrap();
    let mut found = 0;
    let code = ["shared/src", "functions"].into_iter().flat_map(|folder| sources(&root.join(folder)));
    let is_test = |path: &Path| path.ends_with("tests.rs") || path.iter().any(|folder| folder == "tests");
    for source in code.filter(|path| !is_test(path.strip_prefix(root).unwrap())) {
        let text = fs::read_to_string(&source).unwrap();
        // A function made from a template lists its own in its library's documentation.
        let of_library = fs::read_to_string(source.with_file_name("lib.rs")).unwrap_or_default();
        let said: String = of_library.lines().filter(|line| line.starts_with("//!")).collect();
        // Tests and examples log what they like.
        let code = text.split("#[cfg(test)]").next().unwrap().lines();
        let code: Vec<&str> = code.filter(|line| !line.trim_start().starts_with("//")).collect();
        for message in messages(&code.join("\n")) {
            found += 1;
            assert!(
                listed.contains(&format!("`{message}`")) || said.contains(&format!("`{message}`")),
                "{} logs {message:?}: add it with its fields to the `//!` of its lib.rs, or to docs/logging.md",
                source.display()
            );
        }
    }
    assert!(found > 25, "only {found} messages were found: has the way of logging changed?");
}

/// The sentence of each log macro: its last string literal.
fn messages(code: &str) -> Vec<String> {
    let calls = MACROS.iter().flat_map(|name| code.split(name).skip(1)).filter(|call| !call.contains("$sentence"));
    let sentences = calls.filter_map(|call| last_literal(&call[..end_of_call(call)]));
    // `s3-object-logger` logs its three sentences through a macro of its own.
    let through_macro = code.split("log!(\"").skip(1).filter_map(|call| call.split('"').next());
    sentences.chain(through_macro.map(ToOwned::to_owned)).collect()
}

fn end_of_call(call: &str) -> usize {
    let mut depth = 1;
    let mut in_text = false;
    for (place, character) in call.char_indices() {
        match character {
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    call.len()
}

fn last_literal(call: &str) -> Option<String> {
    let mut parts = call.rsplit('"');
    parts.next()?;
    parts.next().map(ToOwned::to_owned)
}

#[test]
fn the_sentence_of_a_call_is_its_last_literal() {
    let code = r#"tracing::info!(a = f("x)"), "object created"); tracing::warn!("late");"#;
    assert_eq!(messages(code), ["object created", "late"]);
}
