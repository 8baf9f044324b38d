//! The options that every command takes.

use crate::output::Format;

/// What every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Global {
    /// Where AWS is, instead of `AWS_ENDPOINT_URL` or the region's own endpoint.
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub(crate) endpoint_url: Option<String>,
    /// The region, instead of `AWS_REGION` or the profile's. A queue's URL or ARN brings its own.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) region: Option<String>,
    /// The profile in `~/.aws/config`, instead of `AWS_PROFILE`. Its credentials are used, whatever the environment has.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) profile: Option<String>,
    /// Lines for people and scripts, or JSON, one object a line.
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    pub(crate) output: Format,
    /// Say more of what is done for the command; twice, of each request.
    #[arg(long, short = 'v', global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
}
