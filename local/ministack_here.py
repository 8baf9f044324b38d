"""Starts ministack, put right where the template needs it to do as AWS does. Run by the ministack environment's Python.

Seen on ministack 1.5.33:
- SNS looks into arrays when a subscription filters by the message's body: `{"Records": {"s3": …}}` matches an S3
  notification, whose `Records` is a list. ministack looks into objects only and drops every such message.
- With `AUTH=true` it wants permissions that IAM does not have (`sqs:SendMessageBatch`): a batch is allowed by the
  permission for one message.
- With `AUTH=true` it holds plain HTTP on loopback against policies that demand TLS: here nothing listens elsewhere.
"""

from __future__ import annotations

from typing import Any, Callable

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import sns


def body_lookup(body: dict[str, Any] | list[dict[str, Any]]) -> Callable[[str], tuple[bool, list[Any], bool]]:
    """What a filter policy's key finds in a body: its values in every object of an array, as SNS documents it."""
    objects = body if isinstance(body, list) else [body]

    def found(key: str) -> list[Any]:
        values = [part[key] for part in objects if part.get(key) is not None]
        return [value for each in values for value in (each if isinstance(each, list) else [each])]

    def lookup(key: str) -> tuple[bool, list[Any], bool]:
        return any(part.get(key) is not None for part in objects), found(key), any(objects)

    def child(key: str) -> Callable[[str], tuple[bool, list[Any], bool]] | None:
        nested = [value for value in found(key) if isinstance(value, dict)]
        return body_lookup(nested) if nested else None

    lookup.child = child  # type: ignore[attr-defined]
    return lookup


def on_one_message(action: str) -> str:
    """The permission that AWS asks for where a batch is sent, deleted or published."""
    service, _, call = action.partition(":")
    return action.removesuffix("Batch") if service in ("sns", "sqs") and call.endswith("Batch") else action


def put_right() -> None:
    """Replaces what differs; stops where ministack is no longer what was seen."""
    for module, name in ((sns, "_body_lookup"), (iam_evaluator, "_action_matches"), (iam_evaluator, "_resolve_condition_key")):
        if not callable(getattr(module, name, None)):
            raise SystemExit(f"ministack has no {name} any more: look whether local/ministack_here.py is still needed")
    matches, resolve = iam_evaluator._action_matches, iam_evaluator._resolve_condition_key
    sns._body_lookup = body_lookup
    iam_evaluator._action_matches = lambda action, *rest, **named: matches(on_one_message(action), *rest, **named)
    iam_evaluator._resolve_condition_key = (
        lambda key, context: "true" if key.lower() == "aws:securetransport" else resolve(key, context)
    )


if __name__ == "__main__":
    put_right()
    app.main()
