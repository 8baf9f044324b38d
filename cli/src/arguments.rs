//! The commands, and the options they share.

use crate::{command::Command, output::Format};

/// Queues and topics from the command line.
#[derive(Debug, clap::Parser)]
#[command(
    name = "sluice",
    version,
    propagate_version = true,
    after_help = "Example:\n  sluice queue create jobs --dlq\n  sluice send jobs --body '{\"name\": \"Ada\"}'\n  \
                  sluice queue status jobs --watch\n\n\
                  Credentials, region and endpoint are found as every AWS tool finds them: environment, profile, \
                  single sign-on, role."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

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

/// Arguments that each can be read, but make no sense together. The process then exits with 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_ends_its_help_with_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example:\n  sluice "), "{} has no example", command.get_name());
            command.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
        }
        check(&Arguments::command());
    }
}
