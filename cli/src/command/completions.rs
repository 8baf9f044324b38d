//! `sluice completions`: what a shell needs to complete commands and options.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice completions bash > ~/.local/share/bash-completion/completions/sluice")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "sluice", &mut script);
    context.output.bytes(&script);
}
