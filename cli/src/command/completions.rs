//! `sluice completions`: what a shell needs to complete commands and options, and the manual's pages.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["shell", "man"]),
    after_help = "Example:\n  sluice completions bash > ~/.local/share/bash-completion/completions/sluice\n  \
                  sluice completions --man ~/.local/share/man/man1"
)]
pub(crate) struct Args {
    /// The shell.
    shell: Option<Shell>,
    /// Write a page of the manual for each command into this folder.
    #[arg(long, value_name = "FOLDER")]
    man: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if let Some(folder) = &args.man {
        let write = || fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
        return write().with_context(|| format!("no pages can be written to {}", folder.display()));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell.unwrap_or(Shell::Bash), &mut Arguments::command(), "sluice", &mut script);
    context.output.bytes(&script);
    Ok(())
}
