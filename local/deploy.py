"""Deploys the template to the local AWS with the real SAM CLI, and reads the stack's outputs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import environment
import tools
from build import architecture
from console import Failed, run_logged
from emulator import REGION, Emulator
from paths import ROOT

STACK_NAME = "sluicegate-local"

BUCKET = "sluicegate-local-code"
"""Where code is put. With `--resolve-s3` the SAM CLI would make a bucket itself, and wait 5 s for it."""

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
    _ask(emulator, "bucket")
    command = [
        tools.ensure("sam") / "sam", "deploy",
        "--template-file", built,
        "--config-env", "local",
        "--stack-name", STACK_NAME,
        "--s3-bucket", BUCKET,
        "--capabilities", "CAPABILITY_IAM",
        "--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset",
        "--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items()),
    ]
    # Else the SAM CLI looks every 5 s whether the stack is there.
    env = environment.for_sam(SAM_CLI_POLL_DELAY="0.2", **client_environment(emulator.endpoint))
    run_logged("sam deploy", command, folder / "deploy.log", env=env, cwd=ROOT)
    return outputs(emulator)


def outputs(emulator: Emulator) -> dict[str, str]:
    """The outputs of the deployed stack, by name."""
    return json.loads(_ask(emulator, "outputs"))


def _ask(emulator: Emulator, question: str) -> str:
    """Asks by boto3, which the ministack environment's Python has."""
    command = [tools.ensure("ministack") / "python", ROOT / "local" / "asked.py", emulator.endpoint, question]
    asked = subprocess.run(command, env=environment.clean(), capture_output=True, text=True)
    if asked.returncode != 0:
        raise Failed(f"{asked.stderr}\nThe local AWS refused or did not answer.")
    return asked.stdout


def write(folder: Path, emulator: Emulator, found: dict[str, str]) -> None:
    """Writes `stack.json` and `stack.env`, the two files that tell tools and people where everything is."""
    settings = {**client_environment(emulator.endpoint), **found}
    (folder / "stack.json").write_text(json.dumps(settings, indent=2) + "\n")
    lines = [f"{name}={value}" for name, value in settings.items()]
    # `set -a` exports what follows, so that `source stack.env` is enough for child processes.
    (folder / "stack.env").write_text("\n".join(["set -a", *lines, "set +a"]) + "\n")


def read(folder: Path) -> dict[str, str]:
    """What `write` wrote."""
    file = folder / "stack.json"
    return json.loads(file.read_text()) if file.exists() else {}
