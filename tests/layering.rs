//! The dependency rules of the workspace: who may know whom.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{lambda::path_of, repository::root};

/// The header by which the SDK's clients say what they are; in every binary that holds one.
const SDK_USER_AGENT: &[u8] = b"x-amz-user-agent";

/// What cargo says, asked without the network and held to the lock file.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The folders, and for each package there: its name and what it depends on outside of its tests.
fn packages(folders: &[&str]) -> Vec<(String, Vec<String>)> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let root = metadata["workspace_root"].as_str().unwrap();
    let is_inside = |package: &&Value| {
        let manifest = package["manifest_path"].as_str().unwrap().strip_prefix(root).unwrap();
        folders.iter().any(|folder| manifest.starts_with(&format!("/{folder}/")))
    };
    let described = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let linked = dependencies.filter(|dependency| dependency["kind"] != "dev");
        let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
        (name(package), linked.map(name).collect())
    };
    metadata["packages"].as_array().unwrap().iter().filter(is_inside).map(described).collect()
}

/// The crates a function is made of, down to this depth.
fn tree(function: &str, depth: &str) -> String {
    cargo(&["tree", "-p", function, "-e", "normal", "--prefix", "none", "--depth", depth])
}

/// Every Rust file under a folder.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The places under `shared/src/<module>` whose code, comments aside, has one of these words.
fn mentions(module: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let files = sources(&root().join("shared/src").join(module));
    assert!(!files.is_empty(), "shared/src/{module} has no sources");
    for file in files {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn functions_and_the_command_line_use_the_shared_crate_and_no_function_another() {
    let functions = packages(&["functions"]);
    assert!(functions.len() >= 4, "{functions:?}");
    for (name, dependencies) in packages(&["functions", "cli"]) {
        assert!(dependencies.iter().any(|dependency| dependency == "sluicegate"), "{name} is built on sluicegate");
        for (function, _) in functions.iter().filter(|_| name != "cli") {
            assert!(
                !dependencies.contains(function),
                "{name} depends on the function {function}: move what they share"
            );
        }
    }
}

#[test]
fn functions_reach_aws_only_through_the_shared_crate() {
    for (name, dependencies) in packages(&["functions"]) {
        let sdk: Vec<&String> = dependencies.iter().filter(|dependency| dependency.starts_with("aws-")).collect();
        assert!(sdk.is_empty(), "{name} depends on {sdk:?}: put an adapter into sluicegate::aws");
    }
}

#[test]
fn a_package_is_named_as_its_folder() {
    for (name, _) in packages(&["functions"]) {
        assert!(root().join("functions").join(&name).join("src/main.rs").is_file(), "functions/{name}");
    }
}

#[test]
fn events_delivery_and_idempotency_know_no_sdk_clock_network_or_environment() {
    let outside = [
        "aws_sdk_",
        "aws_config",
        "aws_smithy",
        "aws_types",
        "SystemTime::now",
        "Utc::now",
        "std::env",
        "env::var",
        "std::net",
        "tokio::net",
        "std::fs",
        "lambda_runtime",
    ];
    for module in ["events", "delivery", "idempotency"] {
        assert_eq!(mentions(module, &outside), [""; 0]);
    }
}

#[test]
fn the_adapters_know_the_core_and_not_the_reverse() {
    for module in ["events", "delivery", "idempotency"] {
        assert_eq!(mentions(module, &["crate::aws", "crate::lambda", "crate::telemetry"]), [""; 0]);
    }
}

#[test]
fn the_engine_uses_the_store_and_the_store_nothing_of_the_engine() {
    assert_eq!(mentions("idempotency", &["delivery::"]), [""; 0]);
}

#[test]
fn a_function_that_calls_no_aws_service_links_no_sdk() {
    let linked = tree("sns-logger", "99");
    assert!(linked.contains("lambda_runtime v"), "{linked}");
    assert!(!linked.contains("aws-sdk-") && !linked.contains("aws-config"), "sns-logger links the SDK:\n{linked}");
    assert!(tree("sqs-worker", "99").contains("aws-sdk-sqs v"), "the check sees an SDK where there is one");
}

/// The services whose clients a function's manifest asks for.
pub(crate) fn clients(function: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("functions").join(function).join("Cargo.toml")).unwrap();
    let named = |part: &str| manifest.split(part).skip(1).map(|rest| first_word(rest).to_owned()).collect::<Vec<_>>();
    let mut found: Vec<String> = [named("\"aws-"), named("\"sluicegate/aws-")].concat();
    found.sort_unstable();
    found
}

fn first_word(text: &str) -> &str {
    text.split('"').next().unwrap_or_default()
}

#[test]
fn each_function_links_only_the_clients_it_asks_for() {
    for (function, _) in packages(&["functions"]) {
        // The function and what `sluicegate` asks for: further down `aws-config` brings a client that nothing calls.
        let tree = tree(&function, "2");
        let mut linked: Vec<&str> =
            tree.lines().filter_map(|line| line.strip_prefix("aws-sdk-")?.split(' ').next()).collect();
        linked.sort_unstable();
        linked.dedup();
        assert_eq!(linked, clients(&function), "{function}");
    }
}

/// Else the whole SDK is compiled once for `make test` and once more for documentation and `make run`: what a development
/// dependency asks of a crate that the SDK is made of.
#[test]
fn development_dependencies_change_no_feature_of_what_is_built_without_them() {
    let built = |kinds: &str| -> BTreeSet<String> {
        let tree = cargo(&["tree", "--workspace", "--all-features", "-e", kinds, "--prefix", "none", "-f", "{p} {f}"]);
        tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let (without, with) = (built("normal,build"), built("normal,build,dev"));
    assert!(without.iter().any(|line| line.starts_with("getrandom v")), "{without:?}");
    let differ: Vec<&String> = without.difference(&with).collect();
    assert!(differ.is_empty(), "name them in tests/Cargo.toml, in the feature `stack`: {differ:?}");
}

#[test]
fn the_built_function_holds_no_sdk() {
    let holds_sdk = |function: &str| {
        let binary = fs::read(path_of(function)).unwrap();
        binary.windows(SDK_USER_AGENT.len()).any(|window| window == SDK_USER_AGENT)
    };
    assert!(holds_sdk("sqs-worker"), "the check sees an SDK where there is one");
    assert!(!holds_sdk("sns-logger"));
}

/// The files of `sluice`, by their path under `cli/src`.
fn files_of_sluice(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_of_sluice(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root().join("cli/src")).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A command stands on the modules beside `command`, and on no other command; those stand on no command; what can be typed
/// is on top.
#[test]
fn no_command_of_sluice_uses_another_and_nothing_below_uses_one() {
    let mut files = Vec::new();
    files_of_sluice(&root().join("cli/src"), &mut files);
    assert!(files.len() > 50, "{}", files.len());
    for (name, text) in files {
        let uses = |module: &str| {
            let in_a_list = |line: &str| line.trim_start().starts_with(&format!("{module}::"));
            text.contains(&format!("crate::{module}::"))
                || text.contains(&format!("use crate::{{{module}::"))
                || text.lines().any(in_a_list)
        };
        let is_top = ["lib.rs", "arguments.rs"].contains(&name.as_str());
        let own = name.strip_prefix("command/").and_then(|rest| rest.split(['/', '.']).next());
        let own = own.map(|own| format!("command::{own}::"));
        let elsewhere = text
            .lines()
            .any(|line| line.contains("command::") && own.as_ref().is_none_or(|own| !line.contains(own.as_str())));
        assert!(is_top || !(uses("command") && elsewhere), "{name} uses a command");
        let may_know_all = is_top || name == "command/completions.rs";
        assert!(may_know_all || !uses("arguments"), "{name} uses what is on top of it");
    }
}
