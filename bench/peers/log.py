"""One JSON line on stdout, with the fields that every function's lines begin with."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone

FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")


def info(message: str, request_id: str, fields: dict) -> None:
    """Writes a line at INFO."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"timestamp": now, "level": "INFO", "message": message, "requestId": request_id, "function": FUNCTION}
    sys.stdout.write(json.dumps({**head, **fields}, separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()
