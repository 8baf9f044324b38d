"""Deploys the template to the local AWS with the real SAM CLI, and reads the stack's outputs."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import tools
from build import architecture
from console import run_logged
from emulator import REGION, Emulator
from paths import ROOT

STACK_NAME = "sluicegate-local"

PARAMETERS = {
    # The emulator runs the binaries as processes of this machine.
    "Architecture": architecture(),
    # Small, so that a demo's "large" object need not be.
    "LargeObjectBytes": "65536",
    # From the range that belongs to nobody; the emulator keeps what it would have sent.
    "AlertPhoneNumber": "+15550100123",
    "EnableDrills": "true",
    # They cost nothing here.
    "EnableStreams": "true",
    # So that the demo can show a record dropped.
    "DeliveryDropWhen": "level=DEBUG",
    "LogRetentionDays": "1",
}
"""What differs from a first deploy to AWS, and why."""


def client_environment(endpoint: str) -> dict[str, str]:
    """The settings that make any AWS client talk to `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def deploy(emulator: Emulator, built: Path, folder: Path, parameters: dict[str, str] | None = None) -> dict[str, str]:
    """Deploys the built template; returns the stack's outputs."""
    overrides = {**PARAMETERS, **(parameters or {})}
    command = [
        tools.ensure("sam") / "sam", "deploy",
        "--template-file", built,
        "--config-env", "local",
        "--stack-name", STACK_NAME,
        "--resolve-s3",
        "--capabilities", "CAPABILITY_IAM",
        "--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset",
        "--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items()),
    ]
    run_logged("sam deploy", command, folder / "deploy.log", env=_environment(emulator), cwd=ROOT)
    return outputs(emulator)


def outputs(emulator: Emulator) -> dict[str, str]:
    """The outputs of the deployed stack, by name."""
    form = urllib.parse.urlencode({"Action": "DescribeStacks", "Version": "2010-05-15", "StackName": STACK_NAME}).encode()
    # The emulator reads the service from the credential's scope and checks no signature.
    scope = f"Credential=test/20250101/{REGION}/cloudformation/aws4_request"
    request = urllib.request.Request(
        emulator.endpoint, form, {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        root = ElementTree.fromstring(answer.read())
    found: dict[str, str] = {}
    for member in root.iterfind(".//{*}Outputs/{*}member"):
        key, value = member.find("{*}OutputKey"), member.find("{*}OutputValue")
        if key is not None and key.text:
            found[key.text] = (value.text if value is not None else "") or ""
    return found


def write(folder: Path, emulator: Emulator, found: dict[str, str]) -> None:
    """Writes `stack.json` and `stack.env`, the two files that tell tools and people where everything is."""
    settings = {**client_environment(emulator.endpoint), **found}
    (folder / "stack.json").write_text(json.dumps(settings, indent=2) + "\n")
    lines = [f"{name}={value}" for name, value in settings.items()]
    # `set -a` exports what follows, so that `source stack.env` is enough for child processes.
    (folder / "stack.env").write_text("\n".join(["set -a", *lines, "set +a"]) + "\n")


def _environment(emulator: Emulator) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        **client_environment(emulator.endpoint),
        # The caller's profiles stay out of it, and so do proxies.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "SAM_CLI_TELEMETRY": "0",
    }
