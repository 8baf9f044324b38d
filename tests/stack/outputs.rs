//! A stack that is up: its outputs, and clients that talk to it.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use sluicegate::{
    aws::{self, sqs::SqsQueue},
    settings::environment,
};

use super::emulator::Emulator;

const STACK_ENV: &str = "SLUICEGATE_STACK_ENV";

/// A stack on a local AWS, as its `stack.env` describes it. Each test makes its own: connections belong to its runtime.
pub(crate) struct Stack {
    settings: HashMap<String, String>,
    folder: PathBuf,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) firehose: aws_sdk_firehose::Client,
    pub(crate) kinesis: aws_sdk_kinesis::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) emulator: Emulator,
    /// The adapter that the functions use.
    pub(crate) queue_port: SqsQueue,
}

impl Stack {
    /// The stack that `make test` has brought up.
    pub(crate) fn of_make_test() -> Self {
        let file = environment(STACK_ENV).unwrap_or_else(|| {
            panic!("{STACK_ENV} is not set: `make test` sets it to the stack.env of a stack it has brought up")
        });
        // Tests run in the package's folder, whatever folder the path was given in.
        Self::read(&repository().join(file))
    }

    /// The stack that this `stack.env` describes.
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| {
            panic!("{} cannot be read ({error}): `make test` brings a stack up and writes it", file.display())
        });
        let settings: HashMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let sdk = aws::config(|name| settings.get(name).cloned());
        let keys = Credentials::from_keys(&settings["AWS_ACCESS_KEY_ID"], &settings["AWS_SECRET_ACCESS_KEY"], None);
        let sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
        // The bucket's name in the path: 127.0.0.1 has no subdomains.
        let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build();
        Self {
            folder: file.parent().unwrap().to_owned(),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            firehose: aws_sdk_firehose::Client::new(&sdk),
            kinesis: aws_sdk_kinesis::Client::new(&sdk),
            lambda: aws_sdk_lambda::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            emulator: Emulator::at(&settings["AWS_ENDPOINT_URL"]),
            queue_port: SqsQueue::new(&sdk),
            settings,
        }
    }

    /// One of the stack's outputs.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.settings.get(name).unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// Its outputs and what a client needs, by name.
    pub(crate) fn settings(&self) -> &HashMap<String, String> {
        &self.settings
    }

    /// Where its files are: `emulator.json` beside `stack.env`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
