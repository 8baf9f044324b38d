//! `PutRecords` and `PutRecordBatch`, with what they answer of each record.

use anyhow::anyhow;
use aws_sdk_firehose::{primitives::Blob as FirehoseBlob, types::Record as FirehoseRecord};
use aws_sdk_kinesis::{primitives::Blob as KinesisBlob, types::PutRecordsRequestEntry};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sluicegate::delivery::Failure;

use super::{record::Record, reference::StreamReference};
use crate::{batch::Port, connection::Connection};

/// What a stream answers when it is too slow, for a call as for a record: worth another try after a pause, even after
/// the SDK's own.
const SLOW: [&str; 5] = [
    "InternalFailure",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailableException",
    "ThrottlingException",
];

/// A Kinesis data stream. See
/// [PutRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html).
pub(super) struct DataStream {
    pub(super) client: aws_sdk_kinesis::Client,
    pub(super) connection: Connection,
    pub(super) stream: StreamReference,
}

/// A Firehose delivery stream. See
/// [PutRecordBatch](https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html).
pub(super) struct DeliveryStream {
    pub(super) client: aws_sdk_firehose::Client,
    pub(super) connection: Connection,
    pub(super) stream: StreamReference,
}

impl Port for DataStream {
    type Entry = Record;
    type Taken = ();

    async fn call(&self, records: &[&Record]) -> anyhow::Result<Vec<Result<(), Failure>>> {
        let Self { client, connection, stream } = self;
        let entries = records.iter().map(|record| {
            let data = KinesisBlob::new(record.data.as_slice());
            let entry = PutRecordsRequestEntry::builder().data(data);
            entry.set_partition_key(record.partition_key.clone()).build()
        });
        let request = client.put_records().set_records(Some(entries.collect::<Result<_, _>>()?));
        // The ARN reaches other accounts, the name only this one.
        let request = match &stream.told {
            Some(told) => request.stream_arn(&told.arn),
            None => request.stream_name(&stream.name),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let advice = "is it a delivery stream, for which there is --delivery?";
                return failed_call(error, records.len(), "kinesis:PutRecords", connection, &stream.name, advice);
            }
        };
        let fates = answer.records.iter().map(|entry| fate(entry.error_code(), entry.error_message()));
        Ok(one_for_each(records.len(), fates))
    }
}

impl Port for DeliveryStream {
    type Entry = Record;
    type Taken = ();

    async fn call(&self, records: &[&Record]) -> anyhow::Result<Vec<Result<(), Failure>>> {
        let Self { client, connection, stream } = self;
        let entries = records.iter().map(|record| {
            let data = FirehoseBlob::new(record.data.as_slice());
            FirehoseRecord::builder().data(data).build()
        });
        let request = client.put_record_batch().delivery_stream_name(&stream.name);
        let request = request.set_records(Some(entries.collect::<Result<_, _>>()?));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let advice = "is it a Kinesis data stream, which takes no --delivery?";
                return failed_call(error, records.len(), "firehose:PutRecordBatch", connection, &stream.name, advice);
            }
        };
        let fates = answer.request_responses.iter().map(|entry| fate(entry.error_code(), entry.error_message()));
        Ok(one_for_each(records.len(), fates))
    }
}

fn fate(code: Option<&str>, words: Option<&str>) -> Result<(), Failure> {
    let Some(code) = code else { return Ok(()) };
    let text = format!("{code}: {}", words.unwrap_or("AWS gave no reason"));
    Err(if SLOW.contains(&code) { Failure::Transient(text) } else { Failure::Refused(text) })
}

/// A record that the answer does not reach is not known to be put.
fn one_for_each(records: usize, fates: impl Iterator<Item = Result<(), Failure>>) -> Vec<Result<(), Failure>> {
    let unanswered = || Err(Failure::Transient("AWS did not say what became of it".to_owned()));
    fates.chain(std::iter::repeat_with(unanswered)).take(records).collect()
}

/// A stream that is too slow fails each record for the moment; anything else ends the command.
fn failed_call<E>(
    error: SdkError<E, HttpResponse>,
    records: usize,
    action: &'static str,
    connection: &Connection,
    name: &str,
    advice: &str,
) -> anyhow::Result<Vec<Result<(), Failure>>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default();
    if SLOW.contains(&code) {
        let fate = fate(Some(code), error.message());
        return Ok(vec![fate; records]);
    }
    if code == "ResourceNotFoundException" {
        let region = connection.region();
        return Err(anyhow!("stream {name} does not exist in {region}: is the name right (and --region), or {advice}"));
    }
    Err(connection.refusal(action, name)(error))
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::StaticReplayClient;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        connection::replay::{asked, replaying},
        input::Place,
    };

    fn record(data: &str, partition_key: Option<&str>) -> Record {
        let place = Place { file: None, line: 1 };
        Record { place, data: data.into(), partition_key: partition_key.map(ToOwned::to_owned) }
    }

    fn data_stream(stream: &str, answers: &[(u16, Value)]) -> (StaticReplayClient, DataStream) {
        let (replay, connection) = replaying("eu-west-1", answers);
        let client = aws_sdk_kinesis::Client::new(connection.config().unwrap());
        (replay, DataStream { client, connection, stream: stream.parse().unwrap() })
    }

    fn delivery_stream(answers: &[(u16, Value)]) -> (StaticReplayClient, DeliveryStream) {
        let (replay, connection) = replaying("eu-west-1", answers);
        let client = aws_sdk_firehose::Client::new(connection.config().unwrap());
        (replay, DeliveryStream { client, connection, stream: "to-s3".parse().unwrap() })
    }

    #[tokio::test]
    async fn each_record_of_a_data_stream_has_its_own_fate() {
        let answer = json!({"FailedRecordCount": 2, "Records": [
            {"SequenceNumber": "1", "ShardId": "shardId-0"},
            {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"},
            {"ErrorCode": "KMSDisabledException", "ErrorMessage": "no key"},
        ]});
        let (replay, port) = data_stream("clicks", &[(200, answer)]);
        let records =
            [record("{}", Some("a")), record("[]", Some("b")), record("1", Some("c")), record("2", Some("d"))];
        let fates = port.call(&records.iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(
            fates,
            [
                Ok(()),
                Err(Failure::Transient("ProvisionedThroughputExceededException: slow down".to_owned())),
                Err(Failure::Refused("KMSDisabledException: no key".to_owned())),
                Err(Failure::Transient("AWS did not say what became of it".to_owned())),
            ]
        );
        let asked = asked(&replay);
        assert_eq!(asked[0]["StreamName"], "clicks");
        assert_eq!(asked[0]["Records"][0], json!({"Data": "e30=", "PartitionKey": "a"}));
    }

    #[tokio::test]
    async fn a_data_stream_known_by_its_arn_is_asked_for_by_it() {
        let arn = "arn:aws:kinesis:eu-west-1:210987654321:stream/clicks";
        let (replay, port) = data_stream(arn, &[(200, json!({"Records": [{"SequenceNumber": "1", "ShardId": "s"}]}))]);
        assert_eq!(port.call(&[&record("{}", Some("a"))]).await.unwrap(), [Ok(())]);
        assert_eq!(asked(&replay)[0]["StreamARN"], arn);
    }

    #[tokio::test]
    async fn each_record_of_a_delivery_stream_has_its_own_fate() {
        let answer = json!({"FailedPutCount": 1, "Encrypted": false, "RequestResponses": [
            {"RecordId": "1"},
            {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"},
        ]});
        let (replay, port) = delivery_stream(&[(200, answer)]);
        let fates = port.call(&[&record("{}\n", None), &record("[]\n", None)]).await.unwrap();
        assert_eq!(fates[0], Ok(()));
        assert!(matches!(&fates[1], Err(Failure::Transient(text)) if text.contains("slow down")));
        assert_eq!(
            asked(&replay)[0],
            json!({"DeliveryStreamName": "to-s3", "Records": [{"Data": "e30K"}, {"Data": "W10K"}]})
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_throttled_fails_its_records_for_the_moment() {
        let slow = (400, json!({"__type": "ProvisionedThroughputExceededException", "message": "slow down"}));
        let (_, port) = data_stream("clicks", &[slow.clone(), slow.clone(), slow]);
        let fates = port.call(&[&record("{}", Some("a"))]).await.unwrap();
        assert!(matches!(&fates[..], [Err(Failure::Transient(_))]), "{fates:?}");
    }

    #[tokio::test]
    async fn a_stream_that_is_not_there_is_said_with_what_to_look_at() {
        let gone = || (400, json!({"__type": "ResourceNotFoundException", "message": "not found"}));
        let (_, port) = data_stream("clicks", &[gone()]);
        let problem = port.call(&[&record("{}", Some("a"))]).await.unwrap_err().to_string();
        assert!(
            problem.contains("stream clicks does not exist in eu-west-1") && problem.contains("--delivery"),
            "{problem}"
        );
        let (_, port) = delivery_stream(&[gone()]);
        let problem = port.call(&[&record("{}", None)]).await.unwrap_err().to_string();
        assert!(
            problem.contains("stream to-s3 does not exist") && problem.contains("takes no --delivery"),
            "{problem}"
        );
    }
}
