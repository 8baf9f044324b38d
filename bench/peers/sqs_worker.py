"""What `functions/sqs-worker` does with a batch of its queue, as a Python function does it: a client of SQS for delays
and dead letters is made at the start."""

from __future__ import annotations

import json
import time

import boto3

import log

SQS = boto3.client("sqs")


def handle(event: dict, context) -> dict:
    """Does each job; a bad one fails alone."""
    started = time.monotonic()
    failures = []
    for record in event["Records"]:
        message_id = record["messageId"]
        try:
            _register(json.loads(record["body"]), message_id, context)
        except (ValueError, KeyError):
            failures.append({"itemIdentifier": message_id})
    log.info("batch finished", context.aws_request_id, {
        "queue.name": event["Records"][0]["eventSourceARN"].rsplit(":", 1)[1] if event["Records"] else None,
        "door": "mapping",
        "batch.size": len(event["Records"]),
        "batch.failures": len(failures),
        "duration_ms": int((time.monotonic() - started) * 1000),
    })
    return {"batchItemFailures": failures}


def _register(donor: dict, message_id: str, context) -> None:
    started = time.monotonic()
    log.info("donor registered", context.aws_request_id, {"record.message_id": message_id, "donor.name_chars": len(donor["name"])})
    log.info("job done", context.aws_request_id, {
        "record.message_id": message_id,
        "job.type": "NewDonor",
        "duration_ms": int((time.monotonic() - started) * 1000),
    })
