"""What flows: records through Kinesis, rows through Firehose."""

from __future__ import annotations

import json
import time
from typing import Any, Mapping

import clients
from demo.evidence import Proof, Route, lines_of
from demo.function_log import Line


class Streams:
    """Sends through these routes; everything carries `run`."""

    def __init__(self, outputs: Mapping[str, str], run: str) -> None:
        """`outputs` are the stack's, with its endpoint and credentials."""
        self._s3, self._kinesis = clients.client(outputs, "s3"), clients.client(outputs, "kinesis")
        self._firehose = clients.client(outputs, "firehose")
        self._outputs = outputs
        self._run = run

    def send(self) -> list[Route]:
        """Sends all of it."""
        if "StreamName" not in self._outputs:
            return []
        # What takes its records from the stream takes none from anybody else.
        is_put_to = self._outputs.get("DeliverySource", "DirectPut") == "DirectPut"
        return [self._stream(), *(self._delivery() if is_put_to else [])]

    def _stream(self) -> Route:
        """Records of two partition keys, each of which keeps its order."""
        started = time.time()
        wanted = {key: [f"{self._run} {key} {number}" for number in range(3)] for key in ("red", "blue")}
        for number in range(3):
            records = [{"Data": texts[number].encode(), "PartitionKey": key} for key, texts in wanted.items()]
            self._kinesis.put_records(StreamName=self._outputs["StreamName"], Records=records)

        def check(lines: list[Line]) -> Proof | None:
            found = [line for line in lines_of(lines, "kinesis-logger", "stream record received") if line.has(self._run)]
            seen = {key: [line.get("body") for line in found if line.get("record.partition_key") == key] for key in wanted}
            return Proof("stream record received: 3 of red and 3 of blue, in order", found[-1].at) if seen == wanted else None

        return Route("Stream > kinesis-logger", "6 records of 2 partition keys", "kinesis-logger", check, started)

    def _delivery(self) -> list[Route]:
        """JSON lines: two to keep, one to drop, one that is none."""
        started = time.time()
        rows = [
            {"run": self._run, "level": "INFO", "text": "  kept  "}, {"run": self._run, "level": "DEBUG", "text": "dropped"},
            {"run": self._run, "level": "WARN", "amount": 12345678901234567890},
        ]
        data = [json.dumps(row, indent=1).encode() if row.get("amount") else json.dumps(row).encode() for row in rows]
        records = [{"Data": each} for each in [data[0], data[1], b"{no JSON", data[2]]]
        self._firehose.put_record_batch(DeliveryStreamName=self._outputs["DeliveryStreamName"], Records=records)
        drops = self._outputs.get("DeliveryDropWhen", "level=DEBUG") == "level=DEBUG"
        wanted = {"ok": 2 if drops else 3, "dropped": 1 if drops else 0, "failures": 1}
        levels = ["INFO", "WARN"] if drops else ["DEBUG", "INFO", "WARN"]

        def transformed(lines: list[Line]) -> Proof | None:
            # One invocation a record here; on AWS one for a buffer full of them.
            batches = lines_of(lines, "firehose-transformer", "batch finished")
            counts = {name: sum(line.get(f"batch.{name}") for line in batches) for name in wanted}
            # Others may send as well.
            if any(counts[name] < count for name, count in wanted.items()):
                return None
            return Proof("batch finished: " + " ".join(f"{name}={count}" for name, count in counts.items()), batches[-1].at)

        def delivered(_: list[Line]) -> Proof | None:
            found = [row for row in self._delivered(started) if row.get("run") == self._run]
            if sorted(row["level"] for row in found) != levels:
                return None
            return Proof(f"{len(found)} lines in {self._outputs['DeliveryBucketName']}, the first: {json.dumps(found[0])}", time.time())

        return [
            Route("DeliveryStream > firehose-transformer", "2 rows, 1 to drop, 1 broken", "firehose-transformer", transformed, started),
            Route("DeliveryStream > DeliveryBucket", "the same rows", "firehose-transformer", delivered, started),
        ]

    def _delivered(self, since: float) -> list[dict[str, Any]]:
        bucket = self._outputs["DeliveryBucketName"]
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="records/")
        listed = [each for page in pages for each in page.get("Contents", []) if each["LastModified"].timestamp() > since - 60]
        objects = (self._s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed)
        return [json.loads(line) for body in objects for line in body.decode().splitlines() if line]
