"""What `functions/s3-object-logger` does with an S3 event, as a Python function does it: a client of SNS for its alerts
is made at the start."""

from __future__ import annotations

from urllib.parse import unquote_plus

import boto3

import log

SNS = boto3.client("sns")


def handle(event: dict, context) -> None:
    """Logs each object."""
    for record in event["Records"]:
        bucket, item = record["s3"]["bucket"], record["s3"]["object"]
        log.info("object created", context.aws_request_id, {
            "bucket.name": bucket["name"],
            "object.key": unquote_plus(item["key"]),
            "object.size_bytes": item.get("size"),
            "event.name": record["eventName"],
            "route": "s3",
        })
