"""What is published and sent as work: notifications and jobs, by every queue."""

from __future__ import annotations

import json
import time
from typing import Any, Mapping

import clients
from demo.sent import letters
from demo.evidence import Check, Proof, Route, lines_of, one, shown_fields
from demo.function_log import Line


class Jobs:
    """Sends through these routes; everything carries `run`."""

    def __init__(self, outputs: Mapping[str, str], run: str) -> None:
        """`outputs` are the stack's, with its endpoint and credentials."""
        self._sns, self._sqs = clients.client(outputs, "sns"), clients.client(outputs, "sqs")
        self._lambda = clients.client(outputs, "lambda")
        self._outputs = outputs
        self._run = run

    def send(self) -> list[Route]:
        """Sends all of it."""
        return [self._notification(), self._named_job(), self._jobs(), *self._bad_jobs(), self._polled_jobs(), self._ordered_jobs()]

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
            # One after the other; a stranger's name may be as long.
            sequences = {group: iter([line.get("donor.name_chars") for line in seen[group]]) for group in lengths}
            if not all(size in sequences[group] for group, sizes in lengths.items() for size in sizes):
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
        if not clients.is_local(self._outputs):
            return list(letters(self._sqs, self._outputs[queue], self._run).values())
        # Looked at through the emulator, for a receive would hide them from the reader.
        answer = clients.emulator_shows(self._outputs, "/_ministack/sqs/messages", {"QueueUrl": self._outputs[queue]})
        return [
            message
            for regions in answer["messages"].values() for queues in regions.values() for messages in queues.values()
            for message in messages
        ]


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
