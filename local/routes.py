"""Real traffic for every route of the template, and what proves that each piece arrived."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import Any, Mapping

import clients
from evidence import Check, Proof, Route, lines_of, one, shown_fields
from function_log import Line
from newer_routes import NewerTraffic


class Traffic:
    """Sends through each route; everything carries `run`, so that one demo never mistakes another's traces for its own."""

    def __init__(self, outputs: Mapping[str, str], run: str) -> None:
        """`outputs` are the stack's, with its endpoint and credentials."""
        self._s3, self._sns = clients.client(outputs, "s3"), clients.client(outputs, "sns")
        self._sqs, self._lambda = clients.client(outputs, "sqs"), clients.client(outputs, "lambda")
        self._outputs = outputs
        self._run = run
        self._newer = NewerTraffic(outputs, run)

    def send(self) -> list[Route]:
        """Sends all of it; the routes come back in the order of the picture in the README."""
        return [
            *self._upload(),
            self._folder(),
            self._delete(),
            *self._large_object(),
            *self._newer.thumbnail(),
            self._notification(),
            self._named_job(),
            self._jobs(),
            *self._bad_jobs(),
            self._polled_jobs(),
            self._ordered_jobs(),
            self._newer.stream(),
            *self._newer.delivery(),
        ]

    def _put(self, key: str, size: int = 12) -> str:
        self._s3.put_object(Bucket=self._outputs["UploadBucketName"], Key=key, Body=b"." * size)
        return key

    def _upload(self) -> list[Route]:
        started = time.time()
        # A space, a plus and letters beyond ASCII: each is encoded differently on the way.
        key = self._put(f"{self._run}/1+1 보고서.txt")
        sent = f"an upload: {key.rpartition('/')[2]}"
        created = one("s3-object-logger", "object created", {"object.key": key, "route": "s3-sns"}, ("route", "object.key"))
        processed = one("sqs-worker", "object processed", {"object.key": key}, ("object.key",))
        topic = {"topic.arn": self._outputs["UploadTopicArn"]}
        notified = one("sns-logger", "notification received", topic, ("notification.message_bytes", "notification.subject"), self._run)
        return [
            Route("bucket > topic > s3-object-logger", sent, "s3-object-logger", created, started),
            Route("bucket > topic > sns-logger", "the same upload", "sns-logger", notified, started),
            Route("bucket > topic > JobQueue > sqs-worker", "the same upload, raw delivery", "sqs-worker", processed, started),
        ]

    def _folder(self) -> Route:
        started = time.time()
        marker = self._put(f"{self._run}/letters/", size=0)
        keys = [marker, *(self._put(f"{self._run}/letters/{name}.pdf") for name in ("a", "b", "c"))]

        def check(lines: list[Line]) -> Proof | None:
            found = [
                line for line in lines_of(lines, "s3-object-logger", "object created")
                if line.get("object.key") in keys and line.get("route") == "s3-sns"
            ]
            marked = [line for line in found if line.get("object.folder_marker")]
            if {line.get("object.key") for line in found} != set(keys) or [line.get("object.key") for line in marked] != [marker]:
                return None
            return Proof(f"object created: {len(keys)} times, 1 folder_marker", found[-1].at)

        return Route("bucket > topic > s3-object-logger", "a folder: its marker and 3 objects", "s3-object-logger", check, started)

    def _delete(self) -> Route:
        key = self._put(f"{self._run}/short-lived.txt")
        started = time.time()
        self._s3.delete_object(Bucket=self._outputs["UploadBucketName"], Key=key)
        check = one("s3-object-logger", "object removed", {"object.key": key, "route": "s3"}, ("route", "object.key"))
        return Route("bucket > s3-object-logger", "a delete", "s3-object-logger", check, started)

    def _large_object(self) -> list[Route]:
        started = time.time()
        key = self._put(f"{self._run}/large.bin", size=70_000)
        created = one("s3-object-logger", "object created", {"object.key": key, "route": "s3-eventbridge"}, ("object.size_bytes", "route"))

        topic = {"topic.arn": self._outputs["NotificationTopicArn"]}
        alerted = one("sns-logger", "notification received", topic, ("body",), key)
        return [
            Route("bucket > EventBridge > s3-object-logger", "an object of 70,000 bytes", "s3-object-logger", created, started),
            Route("alert > NotificationTopic > sns-logger", "the same object", "s3-object-logger", alerted, started),
            Route("alert > SMS", "the same object", "s3-object-logger", lambda _: self._text_message(key), started),
        ]

    def _text_message(self, key: str) -> Proof | None:
        answer = self._emulator("/_ministack/sns/sms-messages", {})
        messages = [message for sent in answer["sms_messages"].values() for message in sent]
        texts = [text for message in messages for text in message.values() if isinstance(text, str) and key in text]
        return Proof(f"SMS of {len(texts[0])} characters: {texts[0]}", time.time()) if texts else None

    def _notification(self) -> Route:
        started = time.time()
        text = f"hello from {self._run}"
        attributes = {"colour": {"DataType": "String", "StringValue": "green"}, "weight": {"DataType": "Number", "StringValue": "3"}}
        self._sns.publish(
            TopicArn=self._outputs["NotificationTopicArn"], Subject="A notification", Message=text, MessageAttributes=attributes
        )
        fields = {"body": text, "notification.subject": "A notification"}
        check = one("sns-logger", "notification received", fields, ("body", "notification.attributes"))
        return Route("NotificationTopic > sns-logger", "a notification with 2 attributes", "sns-logger", check, started)

    def _named_job(self) -> Route:
        started = time.time()
        # The log holds no names, only their length: nobody else of this run has this one.
        name = f"{self._run} by notification".ljust(51, ".")
        self._sns.publish(
            TopicArn=self._outputs["NotificationTopicArn"], Message=json.dumps({"id": f"{self._run}-notified", "name": name}),
            MessageAttributes={"JobType": {"DataType": "String", "StringValue": "NewDonor"}},
        )
        check = one("sqs-worker", "donor registered", {"donor.name_chars": len(name)}, ("donor.name_chars",))
        return Route("NotificationTopic > filter > JobQueue", "a notification that names a job", "sqs-worker", check, started)

    def _jobs(self) -> Route:
        started = time.time()
        ids = self._send_donors("JobQueueUrl", "job", 6)
        return Route("JobQueue > sqs-worker", "6 good jobs", "sqs-worker", _jobs_done(ids, "mapping", self._queue_name("JobQueueUrl")), started)

    def _bad_jobs(self) -> list[Route]:
        started = time.time()
        bodies = [f"not JSON, from {self._run}", json.dumps({"id": f"{self._run}-nameless", "name": ""})]
        sent = [self._sqs.send_message(QueueUrl=self._outputs["JobQueueUrl"], MessageBody=body) for body in bodies]
        ids = {answer["MessageId"] for answer in sent}

        def failed(lines: list[Line]) -> Proof | None:
            found = [line for line in lines_of(lines, "sqs-worker", "job failed") if line.get("record.message_id") in ids]
            if {line.get("record.message_id") for line in found} != ids:
                return None
            return Proof(f"job failed: {shown_fields(found[0], ('fate', 'reason'))}", found[-1].at)

        def dead(_: list[Line]) -> Proof | None:
            letters = [letter for letter in self._letters("JobDeadLetterQueueUrl") if letter["Body"] in bodies]
            if len(letters) < len(bodies):
                return None
            reason = letters[0]["MessageAttributes"].get("sluicegate.reason", {}).get("StringValue")
            return Proof(f"{len(letters)} dead letters, the first: {reason or 'received too often'}", time.time())

        return [
            Route("JobQueue > sqs-worker", "2 bad jobs: no JSON, no name", "sqs-worker", failed, started),
            Route("JobQueue > JobDeadLetterQueue", "the same bad jobs", "sqs-worker", dead, started),
        ]

    def _polled_jobs(self) -> Route:
        started = time.time()
        ids = self._send_donors("PolledQueueUrl", "polled", 8)
        # The schedule comes by each minute; nobody wants to wait for it here.
        self._lambda.invoke(FunctionName=self._outputs["ScheduledPollerFunctionName"], InvocationType="Event", Payload=b"{}")
        check = _jobs_done(ids, "dispatch", self._queue_name("PolledQueueUrl"))
        return Route("PolledQueue > scheduled-poller > sqs-worker", "8 polled jobs", "scheduled-poller", check, started)

    def _ordered_jobs(self) -> Route:
        started = time.time()
        # The log holds no names, only their length: each has one of its own, that no other donor of this run has.
        lengths = {"red": [41, 43, 45], "blue": [42, 44, 46]}
        for position in range(3):
            for group, sizes in lengths.items():
                job = f"{self._run}-{group}-{position}"
                self._sns.publish(
                    TopicArn=self._outputs["OrderedTopicArn"], MessageGroupId=group, MessageDeduplicationId=job,
                    Message=json.dumps({"id": job, "name": job.ljust(sizes[position], ".")}),
                    MessageAttributes={"JobType": {"DataType": "String", "StringValue": "NewDonor"}},
                )

        def check(lines: list[Line]) -> Proof | None:
            found = [line for line in lines_of(lines, "sqs-worker", "donor registered")]
            seen = {group: [line for line in found if line.get("donor.name_chars") in sizes] for group, sizes in lengths.items()}
            if any([line.get("donor.name_chars") for line in seen[group]] != sizes for group, sizes in lengths.items()):
                return None
            last = max(line.at for group in seen.values() for line in group)
            return Proof("donor registered: 3 of red and 3 of blue, each group in order", last)

        return Route("OrderedTopic > OrderedQueue > sqs-worker", "6 jobs in 2 groups", "sqs-worker", check, started)

    def _send_donors(self, queue: str, kind: str, count: int) -> set[str]:
        entries = []
        for number in range(count):
            entry: dict[str, Any] = {
                "Id": str(number), "MessageBody": json.dumps({"id": f"{self._run}-{kind}-{number}", "name": f"{kind} {number}"})
            }
            # Every other job is known by its shape alone.
            if number % 2:
                entry["MessageAttributes"] = {"JobType": {"DataType": "String", "StringValue": "NewDonor"}}
            entries.append(entry)
        answer = self._sqs.send_message_batch(QueueUrl=self._outputs[queue], Entries=entries)
        return {sent["MessageId"] for sent in answer["Successful"]}

    def _queue_name(self, output: str) -> str:
        return self._outputs[output].rpartition("/")[2]

    def _letters(self, queue: str) -> list[dict[str, Any]]:
        # Looked at through the emulator, for a receive would hide them from the reader.
        answer = self._emulator("/_ministack/sqs/messages", {"QueueUrl": self._outputs[queue]})
        return [
            message
            for regions in answer["messages"].values() for queues in regions.values() for messages in queues.values()
            for message in messages
        ]

    def _emulator(self, path: str, query: Mapping[str, str]) -> Any:
        url = f"{self._outputs['AWS_ENDPOINT_URL']}{path}?{urllib.parse.urlencode(query)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            return json.load(answer)


def _jobs_done(ids: set[str], door: str, queue: str) -> Check:
    """Looks for every one of these messages, and for a batch of `queue` that came through `door`."""

    def check(lines: list[Line]) -> Proof | None:
        done = [line for line in lines_of(lines, "sqs-worker", "job done") if line.get("record.message_id") in ids]
        batches = [
            line for line in lines_of(lines, "sqs-worker", "batch finished")
            if line.get("door") == door and line.get("queue.name") == queue
        ]
        if {line.get("record.message_id") for line in done} != ids or not batches:
            return None
        return Proof(f"job done: {len(ids)} of {len(ids)} {shown_fields(batches[-1], ('door', 'queue.name'))}", done[-1].at)

    return check


