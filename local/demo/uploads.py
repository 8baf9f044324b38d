"""What happens to objects: uploads, a folder, a delete, a large one, pictures."""

from __future__ import annotations

import time
from typing import Mapping

import clients
from demo.evidence import Proof, Route, lines_of, one
from demo.function_log import Line
from demo.picture import png
from paths import STATE, shown

THUMBNAIL = STATE / "thumbnail.png"
"""Where the demo leaves the thumbnail it got, for people to open."""


LARGEST_BYTES = 10_000_000
"""Where "large" is larger, no large object is sent."""


class Uploads:
    """Sends through these routes; everything carries `run`."""

    def __init__(self, outputs: Mapping[str, str], run: str) -> None:
        """`outputs` are the stack's, with its endpoint and credentials."""
        self._s3 = clients.client(outputs, "s3")
        self._outputs = outputs
        self._run = run
        self._large_bytes = int(outputs.get("LargeObjectBytes", 65_536)) + 4_464

    def send(self) -> list[Route]:
        """Sends all of it."""
        large = self._large_object() if self._large_bytes <= LARGEST_BYTES else []
        return [*self._upload(), self._folder(), self._delete(), *large, *self._pictures()]

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
        key = self._put(f"{self._run}/large.bin", size=self._large_bytes)
        created = one("s3-object-logger", "object created", {"object.key": key, "route": "s3-eventbridge"}, ("object.size_bytes", "route"))

        topic = {"topic.arn": self._outputs["NotificationTopicArn"]}
        alerted = one("sns-logger", "notification received", topic, ("body",), key)
        by_sms = Route("alert > SMS", "the same object", "s3-object-logger", lambda _: self._text_message(key), started)
        return [
            Route("bucket > EventBridge > s3-object-logger", f"an object of {self._large_bytes:,} bytes", "s3-object-logger", created, started),
            Route("alert > NotificationTopic > sns-logger", "the same object", "s3-object-logger", alerted, started),
            # Only the local AWS shows what it would have sent.
            *([by_sms] if clients.is_local(self._outputs) else []),
        ]

    def _text_message(self, key: str) -> Proof | None:
        answer = clients.emulator_shows(self._outputs, "/_ministack/sns/sms-messages")
        messages = [message for sent in answer["sms_messages"].values() for message in sent]
        texts = [text for message in messages for text in message.values() if isinstance(text, str) and key in text]
        return Proof(f"SMS of {len(texts[0])} characters: {texts[0]}", time.time()) if texts else None

    def _pictures(self) -> list[Route]:
        """A picture, and a file that only says it is one."""
        started = time.time()
        THUMBNAIL.unlink(missing_ok=True)
        upload = self._outputs["UploadBucketName"]
        good, broken = f"{self._run}/sun set.png", f"{self._run}/no picture.jpg"
        self._s3.put_object(Bucket=upload, Key=good, Body=png(960, 600), ContentType="image/png")
        self._s3.put_object(Bucket=upload, Key=broken, Body=b"This is no picture.", ContentType="image/jpeg")

        def made(lines: list[Line]) -> Proof | None:
            for line in lines_of(lines, "thumbnailer", "thumbnail made"):
                if line.get("object.key") == good:
                    answer = self._s3.get_object(Bucket=self._outputs["ThumbnailBucketName"], Key=good)
                    THUMBNAIL.write_bytes(answer["Body"].read())
                    size = f"{line.get('thumbnail.width')} x {line.get('thumbnail.height')}"
                    return Proof(f"thumbnail made: {size}, open {shown(THUMBNAIL)}", line.at)
            return None

        rejected = one("thumbnailer", "job failed", {"fate": "rejected"}, ("fate", "reason"))
        name = "bucket > topic > filter > ThumbnailQueue"
        return [
            Route(name, "a picture of 960 x 600", "thumbnailer", made, started),
            Route(name, "a text that is named .jpg", "thumbnailer", rejected, started),
        ]

    def _put(self, key: str, size: int = 12) -> str:
        self._s3.put_object(Bucket=self._outputs["UploadBucketName"], Key=key, Body=b"." * size)
        return key
