//! The variables that every AWS tool reads.

use std::{env, os::unix::process::CommandExt, process::Command};

/// An empty variable is an unset one, as compose files and CI mean it. The SDK reads it as a value, and a running process
/// cannot change its environment safely: so it begins again without.
pub(crate) fn begin_again_without_empty_variables() {
    let is_empty = |name: &str| name.starts_with("AWS_") && env::var_os(name).is_some_and(|value| value.is_empty());
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let empty: Vec<String> = names.filter(|name| is_empty(name)).collect();
    let (false, Ok(program)) = (empty.is_empty(), env::current_exe()) else { return };
    let mut command = Command::new(program);
    let mut arguments = env::args_os();
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    for name in empty {
        command.env_remove(name);
    }
    // Comes back only when it fails: then things are as they were.
    let _ = command.args(arguments).exec();
}
