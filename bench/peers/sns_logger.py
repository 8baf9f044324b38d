"""What `functions/sns-logger` does, as a Python function does it."""

from __future__ import annotations

import json

import log

MAX_CHARS = 4096


def handle(event: dict, context) -> None:
    """Logs each notification."""
    for record in event["Records"]:
        sns = record["Sns"]
        message = sns["Message"]
        log.info("notification received", context.aws_request_id, {
            "record.message_id": sns["MessageId"],
            "topic.arn": sns["TopicArn"],
            "notification.subject": sns.get("Subject"),
            "notification.message": message[:MAX_CHARS],
            "notification.message_bytes": len(message.encode()),
            "notification.truncated": len(message) > MAX_CHARS,
            "notification.attributes": json.dumps(sns.get("MessageAttributes") or {}),
            "notification.published_at": sns["Timestamp"],
        })
