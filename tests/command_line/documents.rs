//! What a document tells somebody to type, `sluice` understands.

use super::sluice::Sluice;
use crate::documents::documents;

/// The commands of a page, in backticks or on lines of their own, without what follows a pipe, a redirection or a comment.
fn commands(page: &str) -> Vec<String> {
    let spans = page.split('`').filter(|span| span.starts_with("sluice ") && !span.contains('\n'));
    // Two blanks are a screen's.
    let lines =
        page.lines().map(str::trim_start).filter(|line| line.starts_with("sluice ") && !line.starts_with("sluice  "));
    let until = |text: &'_ str, end: &str| text.split(end).next().unwrap_or_default().trim().to_owned();
    let command =
        |text: &str| [" | ", " > ", " >> ", " # "].iter().fold(text.to_owned(), |text, end| until(&text, end));
    let whole = |text: &&str| !text.contains(['…', '<']) && !text.contains("\\|");
    spans.chain(lines).filter(whole).map(command).collect()
}

/// The words of a command; quotes keep blanks together. A variable stands for a name.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for letter in command.replace("$STACK", "sluicegate-prod").chars() {
        match letter {
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            ' ' if quote.is_none() => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    let name = |word: String| if word.starts_with('$') { "jobs".to_owned() } else { word };
    words.into_iter().map(name).collect()
}

#[test]
fn every_command_of_every_document_is_one() {
    let sluice = Sluice::on_the_stack();
    let mut tried = 0;
    for document in documents() {
        for command in commands(&document.text) {
            let words = words(&command);
            // With --help nothing is done, but what comes before it must be understood.
            let before_exec = words[1..].iter().map(String::as_str).take_while(|word| *word != "--exec");
            let outcome = sluice.run(&before_exec.chain(["--help"]).collect::<Vec<_>>());
            assert_eq!(outcome.code, Some(0), "{}: `{command}`: {outcome:?}", document.path.display());
            tried += 1;
        }
    }
    assert!(tried > 80, "only {tried} commands were found");
}
