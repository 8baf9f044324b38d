//! What is said when AWS cannot be used, and the exit codes.

use serde_json::json;

use super::sluice::Sluice;

/// The command fails with one sentence, which names the cure.
fn fails_with(sluice: &Sluice, arguments: &[&str], cure: &str) {
    let outcome = sluice.run(arguments);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with("sluice: ") && outcome.stderr.contains(cure), "{cure} in {outcome:?}");
}

#[test]
fn each_way_that_aws_cannot_be_used_is_told_with_its_cure() {
    let stack = Sluice::on_the_stack;
    fails_with(&stack().without("AWS_ACCESS_KEY_ID"), &["queue", "list"], "aws sso login");
    fails_with(&stack().without("AWS_REGION").without("AWS_DEFAULT_REGION"), &["queue", "list"], "--region");
    fails_with(&stack(), &["queue", "status", "no-such-queue"], "`sluice queue create` makes one");
    fails_with(&stack(), &["receive", "arn:aws:sqs:us-east-1:000000000000:no-such-queue"], "does not exist");
    fails_with(&stack(), &["--endpoint-url", "http://127.0.0.1:9", "queue", "list"], "--endpoint-url");
}

impl Sluice {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// The local AWS takes a number as access key for an account.
fn account(sluice: &Sluice, arguments: &[&str]) -> String {
    let printed = sluice.done(&[arguments, &["whoami", "--output", "json"]].concat());
    serde_json::from_str::<serde_json::Value>(&printed).unwrap()["account"].as_str().unwrap().to_owned()
}

/// What `aws login` leaves on the machine, as the SDK reads it: the session in the profile, its token in a file named by the
/// SHA-256 of the session.
#[test]
fn a_profile_of_aws_login_gives_its_credentials_and_says_when_there_are_none() {
    const SESSION: &str = "arn:aws:iam::333333333333:user/ada";
    const FILE: &str = "29dda60f4eefc7e341803eea95b47ce8869bd33baf301f1aa09f12fe98e29cb1.json";
    let folder = std::env::temp_dir().join(super::sluice::new_name("login"));
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("config");
    std::fs::write(&config, format!("[profile ada]\nregion = us-east-1\nlogin_session = {SESSION}\n")).unwrap();
    let sluice = Sluice::on_the_stack()
        .with("AWS_CONFIG_FILE", config.to_str().unwrap())
        .with("AWS_LOGIN_CACHE_DIRECTORY", folder.to_str().unwrap());
    fails_with(&sluice, &["--profile", "ada", "queue", "list"], "aws login");
    let token = json!({
        "accessToken": {"accessKeyId": "333333333333", "secretAccessKey": "x", "sessionToken": "x", "accountId": "333333333333",
                        "expiresAt": "2099-01-01T00:00:00Z"},
        "tokenType": "aws_sigv4", "refreshToken": "x", "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "x",
    });
    std::fs::write(folder.join(FILE), token.to_string()).unwrap();
    assert_eq!(account(&sluice, &["--profile", "ada"]), "333333333333");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_profile_that_is_asked_for_gives_its_credentials_whatever_the_environment_has() {
    let file = std::env::temp_dir().join(super::sluice::new_name("config"));
    let keys = "aws_access_key_id = 222222222222\naws_secret_access_key = x\n";
    std::fs::write(&file, format!("[profile other]\nregion = us-east-1\n{keys}")).unwrap();
    let stack = || Sluice::on_the_stack().with("AWS_CONFIG_FILE", file.to_str().unwrap());
    let own = stack().with("AWS_ACCESS_KEY_ID", "111111111111");
    assert_eq!(account(&own, &[]), "111111111111");
    assert_eq!(account(&own, &["--profile", "other"]), "222222222222");
    let bare = || stack().without("AWS_REGION").without("AWS_DEFAULT_REGION");
    fails_with(
        &bare(),
        &["--profile", "oter", "queue", "list"],
        "profile oter is not in ~/.aws/config (there are other)",
    );
    fails_with(&stack(), &["--profile", "oter", "queue", "list"], "profile oter is not in");
    fails_with(
        &bare().with("AWS_PROFILE", "oter"),
        &["queue", "list"],
        "profile oter is not in ~/.aws/config (there are other)",
    );
    std::fs::remove_file(file).unwrap();
}

#[test]
fn what_is_empty_is_unset() {
    let sluice = Sluice::on_the_stack();
    sluice.done(&["--profile", "", "--region", "", "queue", "list", "no-such"]);
    let empty = Sluice::on_the_stack().with("AWS_REGION", "").with("AWS_PROFILE", "");
    assert_eq!(empty.done(&["--endpoint-url", "", "queue", "list", "no-such"]), "");
    // Nothing listens where AWS is: what it would be called by is said, and nobody panics.
    let nowhere = Sluice::on_the_stack().with("AWS_ENDPOINT_URL", "").with("AWS_REGION", "xx-nowhere-1");
    let outcome = nowhere.run(&["queue", "list"]);
    assert!(outcome.code == Some(1) && outcome.stderr.contains("AWS in xx-nowhere-1"), "{outcome:?}");
}

#[test]
fn nothing_is_destroyed_unasked_and_the_place_is_named() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("asked", &[]);
    let outcome = sluice.run(&["queue", "purge", &name]);
    let endpoint = format!("in us-east-1 at {}", sluice.settings["AWS_ENDPOINT_URL"]);
    assert!(outcome.code == Some(2) && outcome.stderr.contains(&endpoint), "{outcome:?}");
}

#[test]
fn arguments_that_make_no_sense_exit_with_two() {
    let sluice = Sluice::on_the_stack();
    for arguments in [
        &["no-such-command"][..],
        &["queue", "status"],
        &["queue", "status", "not a name"],
        &["queue", "create", "jobs", "--max-receives", "3"],
        &["receive", "jobs", "--peek", "--delete"],
        &["receive", "jobs", "--wait", "21s"],
        &["--region", "eu-west-1", "queue", "status", "arn:aws:sqs:us-east-1:000000000000:jobs"],
        &["queue", "status", "a", "b", "--watch"],
    ] {
        assert_eq!(sluice.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn help_version_completions_and_cost_need_no_aws() {
    let sluice =
        Sluice::on_the_stack().without("AWS_ACCESS_KEY_ID").without("AWS_REGION").without("AWS_DEFAULT_REGION");
    assert!(sluice.done(&["--version"]).starts_with("sluice "));
    assert!(sluice.done(&["queue", "create", "--help"]).contains("Example:\n  sluice queue create"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(sluice.done(&["completions", shell]).contains("sluice"));
    }
    assert!(sluice.done(&["cost"]).contains("0.300 against 3.000"));
}
