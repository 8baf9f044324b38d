"""AWS clients for the local stack, whatever the caller's own AWS settings are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Mapping

import boto3
from botocore.config import Config

from console import Failed

FUNCTIONS = {
    "sns-logger": "SnsLoggerFunctionName",
    "s3-object-logger": "S3ObjectLoggerFunctionName",
    "sqs-worker": "SqsWorkerFunctionName",
    "scheduled-poller": "ScheduledPollerFunctionName",
    "thumbnailer": "ThumbnailerFunctionName",
    "kinesis-logger": "KinesisLoggerFunctionName",
    "firehose-transformer": "FirehoseTransformerFunctionName",
    "mq-logger": "MqLoggerFunctionName",
}
"""The functions and the outputs that name them."""


def read_env(file: Path) -> dict[str, str]:
    """The `KEY=value` lines of a `stack.env`."""
    if not file.exists():
        raise Failed(f"{file} is missing: no stack is up. `make run` starts one.")
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, sign, value in pairs if sign}


def client(outputs: Mapping[str, str], service: str) -> Any:
    """A client of `service` at the stack's endpoint."""
    # A profile or an endpoint of the caller's must not lead elsewhere.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return boto3.client(
        service,
        endpoint_url=outputs["AWS_ENDPOINT_URL"],
        region_name=outputs["AWS_REGION"],
        aws_access_key_id=outputs["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=outputs["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, retries={"max_attempts": 3}, connect_timeout=5, read_timeout=30),
    )


def log_groups(outputs: Mapping[str, str]) -> dict[str, str]:
    """Each function's log group, by the function's short name."""
    functions = client(outputs, "lambda")
    return {
        short: functions.get_function_configuration(FunctionName=outputs[output])["LoggingConfig"]["LogGroup"]
        for short, output in FUNCTIONS.items()
    }
