//! What a page has somebody do with a stack before them, done, each command as it stands there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use aws_sdk_s3::primitives::ByteStream;

use sluicegate::settings::environment;

use super::sluice::{Sluice, eventually, new_name, terminate};
use crate::{
    documents::documents,
    stack::{Stack, repository},
};

/// The fenced blocks of a page in one of these languages, in their order.
fn blocks(page: &str, languages: &[&str]) -> Vec<String> {
    let fenced = page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    fenced.filter(|(language, _)| languages.contains(language)).map(|(_, block)| block.to_owned()).collect()
}

/// The commands of a page that need nothing but the stack. A screen wants a terminal.
fn typed(page: &str) -> Vec<String> {
    let blocks = blocks(page, &["", "sh"]);
    let lines = blocks.iter().flat_map(|block| block.lines()).map(str::trim);
    let wanted = |line: &&str| (line.starts_with("sluice ") || line.starts_with("curl ")) && *line != "sluice top";
    lines.filter(wanted).map(ToOwned::to_owned).collect()
}

/// Whether it goes on until it is told to stop, as in a terminal of its own.
fn lasts(command: &str) -> bool {
    let has = |word| command.split(' ').any(|other| other == word);
    has("--watch") || has("--every") || (has("consume") && !has("--until-empty") && !has("--max"))
}

/// A text with its sizes made one: a page grows.
fn without_sizes(text: &str) -> String {
    let is_size = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_digit()) && word.trim_end_matches(',').ends_with('B')
    };
    let words = text.split_whitespace().map(|word| if is_size(word) { "size" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// A terminal with a command in it that goes on.
struct Terminal {
    command: String,
    child: Child,
    screen: PathBuf,
}

impl Terminal {
    fn says(&self) -> String {
        fs::read_to_string(&self.screen).unwrap()
    }

    /// Told to stop, once it has said something. A producer that had more to send says so, and fails.
    fn stop(mut self) {
        eventually(|| (!self.says().is_empty()).then_some(()));
        terminate(&self.child);
        let status = self.child.wait().unwrap();
        let said = self.says();
        assert!(status.success() || said.contains("sluice: stopped: "), "`{}`: {status}\n{said}", self.command);
    }
}

/// Whatever became of the walk.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.screen);
    }
}

/// A page with the stack of `make test` before it.
struct Walk {
    stack: Stack,
    sluice: Sluice,
    terminals: Vec<Terminal>,
}

impl Walk {
    fn shell(&self, command: &str, screen: &File) -> Child {
        let folder = PathBuf::from(self.sluice.program()).parent().unwrap().display().to_string();
        let mut shell = self.sluice.command(&"bash".into());
        shell.args(["-c", command]).current_dir(repository()).envs(self.stack.settings());
        shell.env("PATH", format!("{folder}:{}", environment("PATH").unwrap()));
        shell.stdin(Stdio::null()).stdout(screen.try_clone().unwrap()).stderr(screen.try_clone().unwrap());
        shell.spawn().unwrap()
    }

    async fn takes(&mut self, command: &str) {
        if command.starts_with("curl ") {
            return self.uploads(command).await;
        }
        let screen = std::env::temp_dir().join(new_name("screen"));
        let mut child = self.shell(command, &File::create(&screen).unwrap());
        if lasts(command) {
            return self.terminals.push(Terminal { command: command.to_owned(), child, screen });
        }
        let status = child.wait().unwrap();
        // `dead` says with 3 that there is something.
        let is_fine = status.success() || (command == "sluice dead" && status.code() == Some(3));
        assert!(is_fine, "`{command}`: {status}\n{}", fs::read_to_string(&screen).unwrap());
        fs::remove_file(&screen).unwrap();
    }

    /// `curl --upload-file FILE URL`, signed: the stack of the tests has roles that hold.
    async fn uploads(&self, command: &str) {
        let [_, "--upload-file", file, url] = *command.split(' ').collect::<Vec<_>>() else { panic!("{command}") };
        let key = url.trim_matches('"').rsplit('/').next().unwrap().replace("%20", " ");
        assert!(url.contains("$AWS_ENDPOINT_URL/$UploadBucketName/"), "{command}");
        let body = ByteStream::from(fs::read(repository().join(file)).unwrap());
        let put = self.stack.s3.put_object().bucket(self.stack.output("UploadBucketName")).key(key);
        put.body(body).send().await.unwrap();
    }

    /// Waits for what a page shows in the terminals that go on.
    fn sees(&self, shown: &str) {
        eventually(|| {
            let screens: Vec<String> = self.terminals.iter().map(|terminal| without_sizes(&terminal.says())).collect();
            screens.iter().any(|screen| screen.contains(&without_sizes(shown))).then_some(())
        });
    }

    fn stops(&mut self) {
        // Consumers before producers: each waits for its first message.
        self.terminals.drain(..).rev().for_each(Terminal::stop);
    }
}

/// What comes below this heading of a page; of the whole page without one.
async fn walk(path: &str, heading: &str, at_least: usize) {
    let page = documents().into_iter().find(|document| document.path == Path::new(path)).unwrap().text;
    let (_, below) = page.split_once(&format!("\n{heading}")).unwrap();
    let page = if heading.is_empty() { &*page } else { below.split("\n## ").next().unwrap() };
    let mut walk = Walk { stack: Stack::of_make_test(), sluice: Sluice::on_the_stack(), terminals: Vec::new() };
    let commands = typed(page);
    assert!(commands.len() >= at_least, "{commands:?}");
    for command in &commands {
        if command.starts_with("sluice ") && !lasts(command) {
            walk.stops();
        }
        walk.takes(command).await;
    }
    for shown in blocks(page, &["text"]) {
        walk.sees(&shown);
    }
    walk.stops();
    // The page's own way to tidy up.
    let spans = page.split('`').filter(|span| span.starts_with("sluice queue delete ") && span.ends_with(" --yes"));
    for command in spans {
        walk.takes(command).await;
    }
}

#[tokio::test]
async fn what_the_readme_does_with_a_running_stack_works() {
    walk("README.md", "## `sluice`", 3).await;
}

#[tokio::test]
async fn five_terminals_can_be_opened() {
    walk("docs/five-terminals.md", "", 12).await;
}

#[tokio::test]
async fn an_object_comes_from_s3_to_a_machine_and_prints_what_the_page_says() {
    walk("docs/from-s3-to-a-machine.md", "", 4).await;
}
