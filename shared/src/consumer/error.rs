//! Why a consumer ends.

use std::fmt;

/// Why a run ended before its time.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerError<F> {
    /// No message can be received, now or later, in AWS's words.
    NotReceived(String),
    /// The handler can work on no message.
    Handler(F),
    /// It was told to stop twice, or the queue could not be told in time.
    CutShort {
        /// Which of the two.
        why: &'static str,
        /// Messages that come back when their visibility timeout ends.
        in_hand: u64,
    },
}

impl<F: fmt::Display> fmt::Display for ConsumerError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReceived(words) => write!(f, "messages cannot be received: {words}"),
            Self::Handler(fatal) => write!(f, "{fatal}"),
            Self::CutShort { why, in_hand } => {
                write!(f, "{why}: {in_hand} messages in hand come back when their visibility timeout ends")
            }
        }
    }
}

impl<F: fmt::Debug + fmt::Display> std::error::Error for ConsumerError<F> {}
