//! What the process answers beside done and failed: arguments that make no sense together, and something that was found.

/// Arguments that each can be read, but make no sense together. The process then exits with 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// What was looked for lies there. The process then exits with 3.
#[derive(Debug)]
pub(crate) struct Found(pub(crate) String);

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Found {}
