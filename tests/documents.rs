//! The documents point at what is there: files, headings, tests and make targets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{layering::sources, repository::root};

/// The folders a document may lie in, and whose files it may name.
const FOLDERS: [&str; 9] = ["bench", "cli", "docs", "events", "functions", "local", "shared", "templates", "tests"];

/// A Markdown file of the repository.
pub(crate) struct Document {
    /// As seen from the root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Document {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self { path: path.strip_prefix(root()).unwrap().to_owned(), text }
    }

    /// The text outside of fenced blocks.
    fn prose(&self) -> String {
        self.text.split("```").step_by(2).collect()
    }

    /// What is typed or printed.
    fn fenced(&self) -> String {
        self.text.split("```").skip(1).step_by(2).collect()
    }

    /// What stands in backticks.
    fn quotes(&self) -> Vec<String> {
        self.prose().lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(ToOwned::to_owned)).collect()
    }

    /// The targets of links into the repository.
    fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|target| !target.contains("://")).map(ToOwned::to_owned).collect()
    }

    /// The anchors GitHub gives the headings.
    fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn markdown_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| if path.is_dir() { markdown_below(&path) } else { vec![path] });
    below.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

pub(crate) fn documents() -> Vec<Document> {
    let at_the_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        at_the_root.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    paths.extend(FOLDERS.iter().flat_map(|folder| markdown_below(&root().join(folder))));
    assert!(paths.len() > 10, "{paths:?}");
    paths.iter().map(|path| Document::read(path)).collect()
}

/// The file or folder a quotation names, and the function in it: `tests/poller.rs::an_empty_queue_…`.
fn named(quote: &str) -> Option<(&str, Option<&str>)> {
    let (path, function) = quote.split_once("::").map_or((quote, None), |(path, function)| (path, Some(function)));
    let is_path = FOLDERS.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    // `functions/<name>/`, `events/s3/…` and `docs/*.md` stand for many.
    let is_one = !path.contains(['<', '…', '*', ' ', '$', '{', '(']);
    (is_path && is_one).then_some((path, function))
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    let mut links = 0;
    for document in documents() {
        for link in document.links() {
            links += 1;
            let (path, heading) = link.split_once('#').map_or((&*link, None), |(path, heading)| (path, Some(heading)));
            let folder = root().join(document.path.parent().unwrap());
            let target = if path.is_empty() { root().join(&document.path) } else { folder.join(path) };
            assert!(target.exists(), "{} links to {link}, which is not there", document.path.display());
            if let Some(heading) = heading {
                let target = Document { path: PathBuf::new(), text: fs::read_to_string(target).unwrap() };
                assert!(
                    target.anchors().iter().any(|anchor| anchor == heading),
                    "{} links to {link}: there is no such heading",
                    document.path.display()
                );
            }
        }
    }
    assert!(links > 30, "only {links} links were found");
}

#[test]
fn every_file_and_every_test_that_a_document_names_is_there() {
    let (mut files, mut functions) = (0, 0);
    for document in documents() {
        for quote in document.quotes() {
            let Some((path, function)) = named(&quote) else { continue };
            files += 1;
            let target = root().join(path);
            assert!(target.exists(), "{} names `{quote}`: there is no such file", document.path.display());
            if let Some(function) = function {
                functions += 1;
                let code = fs::read_to_string(target).unwrap();
                assert!(
                    code.contains(&format!("fn {function}(")),
                    "{} names `{quote}`: there is no such function",
                    document.path.display()
                );
            }
        }
    }
    assert!(files > 50 && functions > 20, "only {files} files and {functions} functions were found");
}

#[test]
fn every_make_target_that_a_document_names_is_one() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let mut targets = 0;
    for document in documents() {
        let (fenced, quotes) = (document.fenced(), document.quotes());
        let commands = fenced.lines().chain(quotes.iter().map(String::as_str));
        let words = commands.filter_map(|command| command.strip_prefix("make ")?.split(' ').next());
        for target in words {
            targets += 1;
            assert!(
                makefile.contains(&format!("\n{target}: ")),
                "{} says `make {target}`: there is no such target",
                document.path.display()
            );
        }
    }
    assert!(targets > 10, "only {targets} were found");
}

/// One reading of a setting: its name, its default and its range, where they are numbers or words that the code writes out.
#[derive(Debug)]
struct Setting {
    name: String,
    default: Option<String>,
    range: Option<String>,
}

/// `settings.within("RECEIVERS", 5, 1..=20)` and its kin, in the code of the crate and the functions.
fn settings() -> Vec<Setting> {
    let folders = ["shared/src", "functions"].map(|folder| sources(&root().join(folder)));
    let is_test = |path: &Path| {
        let path = path.strip_prefix(root()).unwrap();
        path.ends_with("tests.rs") || path.iter().any(|part| part == "tests")
    };
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let code = folders.into_iter().flatten().filter(|path| !is_test(path)).map(read);
    code.flat_map(|code| {
        let code: Vec<&str> = code.split("#[cfg(test)]").next().unwrap().lines().map(str::trim).collect();
        let code = code.into_iter().filter(|line| !line.starts_with("//")).collect::<String>();
        let calls: Vec<String> = code.split("settings.").skip(1).map(ToOwned::to_owned).collect();
        calls.into_iter().filter_map(|call| setting(&call)).collect::<Vec<_>>()
    })
    .collect()
}

fn setting(call: &str) -> Option<Setting> {
    let (method, rest) = call.split_once('(')?;
    if !["within", "or", "optional", "required", "optional_within"].contains(&method) {
        return None;
    }
    let arguments = rest.split(')').next()?;
    let mut arguments = arguments.split(',').map(str::trim);
    let name = arguments.next()?.strip_prefix('"')?.strip_suffix('"')?.to_owned();
    let rest: Vec<&str> = arguments.collect();
    let (range, default): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|argument| argument.contains("..="));
    let number = |text: &str| match text.split_once(" << ") {
        Some((base, shift)) => Some((base.parse::<u64>().ok()? << shift.parse::<u32>().ok()?).to_string()),
        None if ["true", "false"].contains(&text) => Some(text.to_owned()),
        None if text == "TWELVE_HOURS" => Some("43200".to_owned()),
        None if text == "MAX_WORKER_TIMEOUT" => Some("840".to_owned()),
        None => {
            let digits = text.split("_u").next()?.replace('_', "");
            digits.parse::<u64>().ok().map(|number| number.to_string())
        }
    };
    let range = range.first().and_then(|range| {
        let (low, high) = range.split_once("..=")?;
        Some(format!("{}–{}", number(low)?, number(high)?))
    });
    Some(Setting { name, default: default.first().and_then(|default| number(default)), range })
}

#[test]
fn every_setting_that_the_code_reads_is_listed_with_its_default_and_its_range() {
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let settings = settings();
    assert!(settings.len() > 40, "{settings:?}");
    for setting in &settings {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.name)));
        let row = row.unwrap_or_else(|| panic!("docs/settings.md has no row for {}", setting.name));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        // The poller's own default of a deadline hangs on two other settings.
        for fact in [&setting.default, &setting.range].into_iter().flatten() {
            let is_pollers = setting.name == "UNKNOWN_DEADLINE_MS" && row.contains("the poller");
            assert!(is_pollers || cells.contains(&fact.as_str()), "{setting:?}, and docs/settings.md says {row}");
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let name = row.split('`').nth(1).unwrap();
        assert!(settings.iter().any(|setting| setting.name == name), "docs/settings.md lists {name}: nobody reads it");
    }
}

/// The cells of the row of a page's table that begins so, as numbers, `**` and separators away.
fn row(page: &str, first: &str) -> Vec<f64> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let row = text.lines().find(|line| line.starts_with(&format!("| {first} |")));
    let cells = row.unwrap_or_else(|| panic!("{page} has no row {first}")).split('|').skip(2);
    cells
        .filter_map(|cell| cell.trim_matches([' ', '*']).trim_end_matches(" USD").replace(',', "").parse().ok())
        .collect()
}

#[test]
fn the_page_of_scale_multiplies_the_prices_of_the_page_of_cost() {
    let [.., logs, table, all] = row("docs/cost.md", "producer → JobQueue → sqs-worker, full")[..] else {
        panic!()
    };
    for (written, rate) in [("10", 10.0), ("1,000", 1e3), ("100,000", 1e5)] {
        let millions = rate * 2.592;
        let wanted = [all * millions, table * millions, logs * millions].map(f64::round);
        assert_eq!(row("docs/scale.md", written), wanted, "docs/scale.md, {written} messages a second");
    }
}

#[test]
fn an_anchor_is_made_as_github_makes_it() {
    assert_eq!(anchor("`sluice`, the command line"), "sluice-the-command-line");
    assert_eq!(anchor("What is promised, and what holds it"), "what-is-promised-and-what-holds-it");
}

#[test]
fn a_placeholder_names_no_file() {
    assert_eq!(named("functions/<name>/"), None);
    assert_eq!(named("make test"), None);
    assert_eq!(named("tests/poller.rs::f"), Some(("tests/poller.rs", Some("f"))));
    assert_eq!(named("events/s3/folder-upload.json"), Some(("events/s3/folder-upload.json", None)));
}
