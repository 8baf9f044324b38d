//! What every command gets.

use crate::{connection::Connection, global::Global, output::Output};

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) output: Output,
}

impl Context {
    /// Only commands that call AWS connect.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.global).await
    }
}
