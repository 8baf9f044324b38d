//! All that can be typed.

use crate::{command::Command, global::Global};

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
