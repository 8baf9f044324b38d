"""What a run has sent and is still there: its objects, and its dead letters."""

from __future__ import annotations

from typing import Any, Mapping

import clients

LOOKS = 20
"""Receives of ten at a time: among more than 200 letters of others some may stay."""


def letters(sqs: Any, queue: str, run: str) -> dict[str, dict[str, Any]]:
    """The messages of this queue that name the run, by receipt handle; nobody else's is hidden for longer than that takes."""
    found: dict[str, dict[str, Any]] = {}
    for _ in range(LOOKS):
        taken = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=2, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        ).get("Messages", [])
        found |= {letter["ReceiptHandle"]: letter for letter in taken if run in letter["Body"]}
        if not taken:
            break
    return found


def remove(outputs: Mapping[str, str], run: str) -> list[str]:
    """Removes them; says what was removed."""
    removed = []
    s3, sqs = clients.client(outputs, "s3"), clients.client(outputs, "sqs")
    for bucket in ("UploadBucketName", "ThumbnailBucketName"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=outputs[bucket], Prefix=f"{run}/")
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        for key in keys:
            s3.delete_object(Bucket=outputs[bucket], Key=key)
        removed.append(f"{len(keys)} objects of {outputs[bucket]}")
    for queue in ("JobDeadLetterQueueUrl", "ThumbnailDeadLetterQueueUrl"):
        found = letters(sqs, outputs[queue], run)
        for handle in found:
            sqs.delete_message(QueueUrl=outputs[queue], ReceiptHandle=handle)
        removed.append(f"{len(found)} letters of {outputs[queue].rpartition('/')[2]}")
    return removed
