"""AWS clients: for the local stack whatever the caller's own AWS settings are, for an account's by just these."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from console import Failed
from deploy import STACK_NAME


@contextmanager
def answering() -> Iterator[None]:
    """Says in a sentence that the local AWS refused, or did not answer."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"The local AWS refused or did not answer: {error}\nIs it up? `make run` starts it.") from error


def read_env(file: Path) -> dict[str, str]:
    """The `KEY=value` lines of a `stack.env`."""
    if not file.exists():
        raise Failed(f"{file} is missing: no stack is up. `make run` starts one.")
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, sign, value in pairs if sign}


def is_local(outputs: Mapping[str, str]) -> bool:
    """Whether the stack is on the local AWS."""
    return "AWS_ENDPOINT_URL" in outputs


def client(outputs: Mapping[str, str], service: str) -> Any:
    """A client of `service` at the stack's endpoint; where it has none, in the account and region that the caller's settings name."""
    if not is_local(outputs):
        return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 5}))
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


def functions(outputs: Mapping[str, str]) -> dict[str, str]:
    """The names of the stack's functions, by their short ones: an output names each."""
    names = [name for output, name in outputs.items() if output.endswith("FunctionName")]
    return {name.removeprefix(f"{outputs.get('StackName', STACK_NAME)}-"): name for name in names}


def log_groups(outputs: Mapping[str, str]) -> dict[str, str]:
    """Each function's log group, by the function's short name."""
    found = client(outputs, "lambda")
    return {
        short: found.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        for short, name in functions(outputs).items()
    }


def emulator_shows(outputs: Mapping[str, str], path: str, query: Mapping[str, str] | None = None) -> Any:
    """What the local AWS tells of itself, where AWS has nothing as handy."""
    url = f"{outputs['AWS_ENDPOINT_URL']}{path}?{urllib.parse.urlencode(query or {})}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return json.load(answer)
