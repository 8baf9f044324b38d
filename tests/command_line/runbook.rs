//! What `docs/runbook.md` tells somebody to type at night, `sluice` understands.

use std::fs;

use super::sluice::Sluice;
use crate::stack::repository;

/// The commands of a page, in backticks or on lines of their own, without what follows a pipe, a redirection or a comment.
fn commands(page: &str) -> Vec<String> {
    let spans = page.split('`').filter(|span| span.starts_with("sluice "));
    let lines = page.lines().filter(|line| line.starts_with("sluice "));
    let command = |text: &str| text.split(['|', '>', '#']).next().unwrap().trim().to_owned();
    spans.chain(lines).map(command).collect()
}

/// The words of a command; quotes keep blanks together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for letter in command.replace("$STACK", "sluicegate-prod").chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_of_the_runbook_is_one() {
    let page = fs::read_to_string(repository().join("docs/runbook.md")).unwrap();
    let commands = commands(&page);
    assert!(commands.len() > 20, "{commands:?}");
    let sluice = Sluice::on_the_stack();
    for command in commands {
        let words = words(&command);
        // With --help nothing is done, but what comes before it must be understood.
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).chain(["--help"]).collect();
        sluice.done(&arguments);
    }
}
