//! `sluice top`: what leads where in an account, live, with all dead ends.
//!
//! | module | what it settles |
//! |---|---|
//! | `tree` | the flow as lines (pure) |
//! | `letter` | one letter, peeled (pure) |
//! | `screen` | what is on the screen, what keys do, how it is drawn (pure) |
//! | `deed` | what is done to letters, each a command line |

mod deed;
mod letter;
mod screen;
mod tree;

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    pin::pin,
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, bail};
use futures::{Stream, StreamExt, future::join_all, stream};
use ratatui::DefaultTerminal;
use sluicegate::{
    clock::{Clock, SystemClock},
    events::Queue,
    settings::environment,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use self::{
    deed::{Chosen, Deed},
    screen::{Screen, Step},
};
use crate::{
    connection::{Connection, OpenQueue},
    context::Context,
    counters::{self, Counters},
    dead_letter::Look,
    flow::Flow,
    message,
    monitor::{
        age::{self, Age},
        keys::{Keys, pressed},
    },
    output::Output,
    stop::{Stop, at_a_forced_end},
    usage::UsageError,
};

/// Each queue on the screen, one request.
const EVERY: Duration = Duration::from_secs(1);
/// What leads where, and the counters of all queues.
const DISCOVER_EVERY: Duration = Duration::from_secs(30);
/// `CloudWatch` has a new figure once a minute, and asking costs.
const AGE_EVERY: Duration = Duration::from_mins(1);
/// Letters that a look brings at the most.
const LETTERS: usize = 1_000;

/// The event flow as a tree, bucket and rule, topic, queue, function, as the account's own configuration tells it; each
/// dead-letter queue under what leaves letters there. Counters of the queues on the screen each second, the age of the
/// oldest message once a minute, a sparkline of the depth; what changed is marked with a star.
///
/// Enter on a dead-letter queue shows its letters in groups by kind and reason, then one by one, then one with its envelopes
/// peeled. `?` shows the keys: redrive, delete, export, edit and send; each is a command of sluice, shown and asked for
/// before it is done.
///
/// For a screen reader, or a script: `sluice dead`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It calls GetQueueAttributes once a second for each queue on the screen, and every 30 seconds for all of \
                  them, with the lists of subscriptions, functions, mappings, rules, schedules and buckets; CloudWatch once \
                  a minute. The calls are counted on the screen. A look at letters costs each a receive.\n\n\
                  Example:\n  sluice top --stack sluicegate-prod --read-only"
)]
pub(crate) struct Args {
    /// Only this stack: what has a name that begins so, and a hyphen.
    #[arg(long, value_name = "NAME", conflicts_with = "prefix")]
    stack: Option<String>,
    /// Only what has a name that begins so, and what leads to it.
    #[arg(long)]
    prefix: Option<String>,
    /// Look, and do nothing.
    #[arg(long)]
    read_only: bool,
}

/// What a look found.
enum News {
    Flow(Flow),
    Counters(Vec<(String, Counters)>, Vec<(String, Age)>, u64),
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if !context.output.is_terminal() {
        bail!(UsageError("it is a screen: into a pipe there is `sluice dead`".to_owned()));
    }
    let connection = context.connect().await?;
    let prefix = args.stack.map(|stack| format!("{stack}-")).or(args.prefix).unwrap_or_default();
    // An account without permissions is said on the user's own screen.
    let first = Flow::discover(&connection, &prefix, true).await;
    if first.queues.is_empty() {
        let why = first.problems.first().cloned().unwrap_or_else(|| "no name begins so".to_owned());
        bail!("no queue was found: {why}");
    }
    let account = first.queues.keys().next().and_then(|arn| arn.split(':').nth(4)).unwrap_or("?").to_owned();
    let endpoint = connection.endpoint().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
    let place = format!("account {account} in {}{endpoint}", connection.region());
    let mut screen = Screen::new(place, prefix.clone(), context.global.clone(), args.read_only);
    screen.discovered(first, Duration::ZERO);
    let stop = Stop::listen()?;
    at_a_forced_end(ratatui::restore);
    let terminal = ratatui::try_init()?;
    let result = Box::pin(follow(terminal, &mut screen, connection, prefix, (stop, context.output))).await;
    ratatui::restore();
    result
}

async fn follow(
    mut terminal: DefaultTerminal,
    screen: &mut Screen,
    connection: Connection,
    prefix: String,
    (mut stop, output): (Stop, Output),
) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut keys = Keys::listen();
    let (show, shown) = watch::channel(Vec::new());
    let mut news = pin!(looks(connection.clone(), prefix, shown));
    loop {
        terminal.draw(|frame| screen.draw(frame, SystemClock.now()))?;
        show.send_replace(screen.visible().iter().filter_map(|arn| open(screen, &connection, arn)).collect());
        tokio::select! {
            () = stop.requested() => return Ok(()),
            Some(news) = news.next() => match news {
                News::Flow(flow) => screen.discovered(flow, began.elapsed()),
                News::Counters(readings, ages, calls) => {
                    screen.calls += calls;
                    screen.counted(readings, began.elapsed());
                    screen.aged(ages);
                }
            },
            event = keys.next() => {
                let Some(event) = event else { return Ok(()) };
                let Some(key) = pressed(&event) else { continue };
                match screen.key(key) {
                    Step::Go => {}
                    Step::Quit => return Ok(()),
                    Step::Look(arn) => look(screen, &connection, arn, &mut stop).await,
                    Step::Do(deed) => {
                        with_terminal(&mut terminal, &keys, async || perform(screen, &deed, output).await).await?;
                        if let Some((arn, _)) = screen.look.take() {
                            look(screen, &connection, arn, &mut stop).await;
                        }
                    }
                    Step::Edit(chosen, to) => {
                        with_terminal(&mut terminal, &keys, async || {
                            edit(screen, &chosen, &to).unwrap_or_else(|error| screen.note = format!("{error:#}"));
                            Ok(())
                        })
                        .await?;
                    }
                }
                if stop.was_heard() {
                    return Ok(());
                }
            }
        }
    }
}

fn open(screen: &Screen, connection: &Connection, arn: &str) -> Option<(String, OpenQueue)> {
    let queue: Queue = screen.flow.queues.get(arn)?.0.clone();
    Some((arn.to_owned(), OpenQueue { queue, sqs: connection.sqs().ok()?, connection: connection.clone() }))
}

async fn look(screen: &mut Screen, connection: &Connection, arn: String, stop: &mut Stop) {
    let Some((_, queue)) = open(screen, connection, &arn) else {
        "it cannot be looked at".clone_into(&mut screen.note);
        return;
    };
    match Look::at(&queue, LETTERS, stop).await {
        Ok(look) => screen.looked(arn, look),
        Err(error) => screen.note = format!("{error:#}"),
    }
}

/// One look after the other, which no key interrupts: one request a queue and second, whichever look makes it.
fn looks(
    connection: Connection,
    prefix: String,
    shown: watch::Receiver<Vec<(String, OpenQueue)>>,
) -> impl Stream<Item = News> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begun = (Instant::now(), HashMap::new(), ticks, (connection, prefix, shown));
    stream::unfold(begun, async |(mut discovered, mut aged, mut ticks, settings)| {
        let (connection, prefix, shown) = &settings;
        ticks.tick().await;
        let news = if discovered.elapsed() >= DISCOVER_EVERY {
            discovered = Instant::now();
            News::Flow(Flow::discover(connection, prefix, true).await)
        } else {
            let queues = shown.borrow().clone();
            count(&queues, &mut aged).await
        };
        Some((news, (discovered, aged, ticks, settings)))
    })
}

async fn count(queues: &[(String, OpenQueue)], aged: &mut HashMap<String, Instant>) -> News {
    let read = async |(arn, open): &(String, OpenQueue)| {
        let counters = counters::read(open).await.ok()?.counters;
        Some((arn.clone(), counters))
    };
    let readings: Vec<_> = join_all(queues.iter().map(read)).await.into_iter().flatten().collect();
    let mut due = Vec::new();
    for (arn, counters) in &readings {
        let is_due = aged.get(arn).is_none_or(|at| at.elapsed() >= AGE_EVERY);
        if let Some((_, open)) = queues.iter().find(|(other, _)| is_due && counters.total() > 0 && other == arn) {
            aged.insert(arn.clone(), Instant::now());
            due.push((arn.clone(), open, *counters));
        }
    }
    let calls = (queues.len() + due.len()) as u64;
    let ask = async |(arn, open, counters)| (arn, age::read(open, counters, SystemClock.now()).await);
    News::Counters(readings, join_all(due.into_iter().map(ask)).await, calls)
}

/// Lets something else have the terminal.
async fn with_terminal(
    terminal: &mut DefaultTerminal,
    keys: &Keys,
    act: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let _away = keys.let_go();
    ratatui::restore();
    let acted = act().await;
    *terminal = ratatui::try_init()?;
    terminal.clear()?;
    acted
}

/// Does it where one sees what it says.
async fn perform(screen: &mut Screen, deed: &Deed, output: Output) -> anyhow::Result<()> {
    output.note(&format!("$ {}", deed.line(&screen.global)));
    output.delivered().await?;
    screen.note = match deed.run(&screen.global) {
        Ok(true) => format!("done: {}", deed.line(&screen.global)),
        Ok(false) => format!("not all was done: {}", deed.line(&screen.global)),
        Err(error) => format!("{error:#}"),
    };
    output.wait_for_enter("goes back to the screen")
}

/// Lets the user change the message, and asks whether to send what it is then.
fn edit(screen: &mut Screen, chosen: &Chosen, to: &str) -> anyhow::Result<()> {
    let letter = screen.open_letter().context("it is not there any more")?;
    let text = serde_json::to_string_pretty(&message::json(&letter.record, SystemClock.now()))?;
    // Of an earlier edit of the same letter something may be there.
    let path = std::env::temp_dir().join(format!("sluice-{:016x}.json", fastrand::u64(..)));
    let mut options = OpenOptions::new();
    // What is in a letter is nobody else's.
    options.write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(environment).unwrap_or_else(|| "vi".to_owned());
    let ended = Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&path).status()?;
    if !ended.success() || fs::read_to_string(&path)? == text {
        fs::remove_file(&path)?;
        "nothing was changed, and nothing is sent".clone_into(&mut screen.note);
        return Ok(());
    }
    screen.note = format!("what you wrote is in {}; once it is sent, d deletes the letter", path.display());
    screen.ask_for(chosen.send(to, &path.display().to_string()));
    Ok(())
}
