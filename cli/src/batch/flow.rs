//! Input on its way: batches are filled while earlier ones are under way, in constant memory.

use std::time::Duration;

use anyhow::{anyhow, bail};
use futures::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

use super::{Batch, Delivered, Limits, Port, deliver};
use crate::{
    input::{Piece, Place},
    stop::Stop,
};

/// How long an entry waits for others to share its call: input may come as slowly as somebody types.
const GATHERING: Duration = Duration::from_millis(200);

/// How to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) limits: Limits,
    /// Calls under way at a time. With more than one the order is left to chance.
    pub(crate) calls: usize,
    /// Calls for one entry before its failure is final.
    pub(crate) tries: u32,
    /// One entry at a time, this far apart.
    pub(crate) every: Option<Duration>,
    /// No call is made after one of which an entry was not taken. Its neighbours in that call may have been.
    pub(crate) keeps_order: bool,
}

/// A part of the input that cannot be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) place: Place,
    pub(crate) reason: String,
}

/// Who wants to know what became of the entries, in the order of the input.
pub(crate) trait Report<P: Port> {
    fn delivered(&mut self, entries: Vec<P::Entry>, delivered: Delivered<P::Taken>) -> anyhow::Result<()>;

    /// An error ends the run.
    fn refused(&mut self, refused: Refused) -> anyhow::Result<()>;
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    All,
    Stopped,
    /// An entry was not taken, and the order had to be kept.
    Failed,
}

impl Flow {
    /// Sends what is read, until the input ends. Told to stop, it sends what was read by then, and told again, nothing
    /// more. Whatever ends it, what is under way is waited for and reported.
    pub(crate) async fn run<P: Port>(
        self,
        port: &P,
        mut pieces: Receiver<anyhow::Result<Piece>>,
        make: impl Fn(Piece) -> Result<Option<P::Entry>, Refused>,
        report: &mut impl Report<P>,
    ) -> anyhow::Result<End> {
        let mut stop = Stop::listen()?;
        let limits = if self.every.is_some() { Limits { entries: 1, ..self.limits } } else { self.limits };
        let mut batch = Batch::default();
        let mut held_back = None;
        let mut open = FuturesOrdered::new();
        let (mut goes_at, mut not_before) = (Instant::now(), Instant::now());
        let (mut has_ended, mut end, mut failure) = (false, End::All, None);
        loop {
            let is_full = has_ended || held_back.is_some() || batch.entries.len() == limits.entries;
            let may_call = !batch.entries.is_empty() && open.len() < self.calls;
            let at = if is_full { not_before } else { goes_at.max(not_before) };
            if may_call && at <= Instant::now() {
                let entries = std::mem::take(&mut batch).entries;
                open.push_back(async {
                    let delivered = deliver(port, &entries, self.tries).await;
                    (entries, delivered)
                });
                not_before = Instant::now() + self.every.unwrap_or_default();
                if let Some(entry) = held_back.take() {
                    goes_at = Instant::now() + GATHERING;
                    let _ = batch.add(entry, limits);
                }
                continue;
            }
            if has_ended && batch.entries.is_empty() && open.is_empty() {
                break;
            }
            let done = tokio::select! {
                () = stop.requested() => {
                    if end == End::Stopped {
                        bail!("stopped at once: what was under way may be sent");
                    }
                    end = End::Stopped;
                    if self.every.is_some() {
                        (has_ended, batch) = (true, Batch::default());
                    }
                    // What was read is still given.
                    pieces.close();
                    Ok(())
                }
                Some((entries, delivered)) = open.next(), if !open.is_empty() => match delivered {
                    Ok(delivered) => {
                        if self.keeps_order && delivered.results.iter().any(Result::is_err) {
                            (has_ended, batch, held_back, end) = (true, Batch::default(), None, End::Failed);
                        }
                        report.delivered(entries, delivered)
                    }
                    Err(error) => {
                        (has_ended, batch, held_back) = (true, Batch::default(), None);
                        Err(error)
                    }
                },
                piece = pieces.recv(), if !is_full => match piece {
                    None => {
                        has_ended = true;
                        Ok(())
                    }
                    Some(piece) => piece.and_then(|piece| {
                        match make(piece) {
                            Ok(None) => Ok(()),
                            Ok(Some(entry)) => {
                                if batch.entries.is_empty() {
                                    goes_at = Instant::now() + GATHERING;
                                }
                                held_back = batch.add(entry, limits).err();
                                Ok(())
                            }
                            Err(refused) => report.refused(refused),
                        }
                    }),
                },
                () = sleep_until(at), if may_call => Ok(()),
            };
            if let Err(error) = done {
                has_ended = true;
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(end), Err)
    }
}

impl Refused {
    /// As what ends a run.
    pub(crate) fn into_error(self, what: &str) -> anyhow::Error {
        anyhow!("the {what} at {} cannot be sent: {}", self.place, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::mpsc, time::sleep};

    use super::{
        super::tests::{Asked, Mood},
        *,
    };

    const FLOW: Flow =
        Flow { limits: Limits { entries: 3, bytes: 6 }, calls: 2, tries: 2, every: None, keeps_order: false };

    #[derive(Default)]
    struct Told {
        sent: Vec<String>,
        failed: usize,
        refused: Vec<String>,
    }

    impl Report<Asked> for Told {
        fn delivered(&mut self, _: Vec<String>, delivered: Delivered<String>) -> anyhow::Result<()> {
            for result in delivered.results {
                match result {
                    Ok(text) => self.sent.push(text),
                    Err(_) => self.failed += 1,
                }
            }
            Ok(())
        }

        fn refused(&mut self, refused: Refused) -> anyhow::Result<()> {
            self.refused.push(refused.reason);
            Ok(())
        }
    }

    fn piece(text: &str) -> Piece {
        Piece { place: Place { file: None, line: 1 }, text: Some(text.into()), is_json: false }
    }

    fn make(piece: Piece) -> Result<Option<String>, Refused> {
        let text = String::from_utf8(piece.text.unwrap()).unwrap();
        if text == "bad" { Err(Refused { place: piece.place, reason: text }) } else { Ok(Some(text)) }
    }

    async fn run(flow: Flow, port: &Asked, texts: &[&str]) -> (Told, anyhow::Result<End>) {
        let (sender, pieces) = mpsc::channel(99);
        for text in texts {
            sender.try_send(Ok(piece(text))).unwrap();
        }
        drop(sender);
        let mut told = Told::default();
        let end = flow.run(port, pieces, make, &mut told).await;
        (told, end)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_read_is_sent_in_batches_that_keep_the_limits_and_reported_in_order() {
        let port = Asked::default();
        let (told, end) = run(FLOW, &port, &["1", "2", "3", "44444", "55555", "bad", "6"]).await;
        assert_eq!(end.unwrap(), End::All);
        assert_eq!(told.sent, ["1", "2", "3", "44444", "55555", "6"]);
        assert_eq!(told.refused, ["bad"]);
        assert_eq!(*port.calls.borrow(), [vec!["1", "2", "3"], vec!["44444"], vec!["55555", "6"]]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_waits_for_others_only_so_long() {
        let (sender, pieces) = mpsc::channel(9);
        let port = Asked::default();
        let mut told = Told::default();
        let write = async {
            for text in ["1", "2", "3"] {
                sender.send(Ok(piece(text))).await.unwrap();
                sleep(Duration::from_millis(150)).await;
            }
            sleep(Duration::from_secs(5)).await;
            assert_eq!(*port.calls.borrow(), [vec!["1", "2"], vec!["3"]], "nothing waits for the end of the input");
            drop(sender);
        };
        let (end, ()) = tokio::join!(FLOW.run(&port, pieces, make, &mut told), write);
        assert_eq!(end.unwrap(), End::All);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_sends_one_at_a_time() {
        let started = Instant::now();
        let port = Asked::default();
        let (told, _) = run(Flow { every: Some(Duration::from_secs(2)), ..FLOW }, &port, &["1", "2", "3"]).await;
        assert_eq!((told.sent.len(), port.calls.borrow().len()), (3, 3));
        assert_eq!(started.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn input_that_breaks_off_ends_the_run_after_what_was_complete() {
        let (sender, pieces) = mpsc::channel(9);
        for piece in [Ok(piece("1")), Ok(piece("2")), Err(anyhow!("line 3 is broken")), Ok(piece("4"))] {
            sender.try_send(piece).unwrap();
        }
        drop(sender);
        let mut told = Told::default();
        let end = FLOW.run(&Asked::default(), pieces, make, &mut told).await;
        assert_eq!(end.unwrap_err().to_string(), "line 3 is broken");
        assert_eq!(told.sent, ["1", "2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_ends_the_run_when_what_is_under_way_is_known() {
        let port = Asked::in_moods([Mood::Gone]);
        let (told, end) = run(FLOW, &port, &["1", "2", "3", "4", "5", "6", "7", "8", "9"]).await;
        assert_eq!(end.unwrap_err().to_string(), "nobody is there");
        assert_eq!(told.sent, ["4", "5", "6"]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_order_counts_no_call_follows_one_that_was_not_taken_whole() {
        let port = Asked::in_moods([Mood::Busy; 2]);
        let flow = Flow { calls: 1, keeps_order: true, ..FLOW };
        let (told, end) = run(flow, &port, &["1", "22", "3", "4", "5", "6"]).await;
        assert_eq!((end.unwrap(), told.failed), (End::Failed, 1));
        assert_eq!(told.sent, ["1", "3"]);
    }
}
