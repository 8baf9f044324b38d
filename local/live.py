"""What a running stack was deployed from, and how new code comes into it: `live.py FOLDER BUILT FUNCTION…` puts it there."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

import deploy
import environment
import tools
from build import packed
from console import Failed, exit_code
from paths import ROOT


@dataclass(frozen=True)
class Deployed:
    """What the last deploy that came to its end has put up, and what was put in since."""

    shape: str
    parameters: dict[str, str]
    manner: dict[str, Any]
    code: dict[str, str]
    """A digest of each function's code, by the function's name in the template."""


def deployed(folder: Path) -> Deployed | None:
    """What runs in `folder`; nothing after a deploy that was broken off."""
    try:
        return Deployed(**json.loads(_file(folder).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remember(folder: Path, state: Deployed) -> None:
    """Keeps what was deployed."""
    _file(folder).write_text(json.dumps(asdict(state)))


def forget(folder: Path) -> None:
    """From here on nothing is known of the stack."""
    _file(folder).unlink(missing_ok=True)


def shape(parameters: Mapping[str, str], manner: Mapping[str, Any]) -> str:
    """A digest of all that is not code."""
    overrides = json.dumps([{**deploy.PARAMETERS, **parameters}, manner], sort_keys=True)
    return hashlib.sha256((ROOT / "template.yaml").read_bytes() + overrides.encode()).hexdigest()


def code(built: Path) -> dict[str, str]:
    """A digest of each function's code in the folder `built`."""
    return {path.parent.name: _digest(path, path.stat().st_mtime_ns) for path in sorted(built.glob("*/bootstrap"))}


@functools.cache
def _digest(bootstrap: Path, _changed_at: int) -> str:
    return hashlib.sha256(bootstrap.read_bytes()).hexdigest()


def changed(built: Path, state: Deployed) -> list[str]:
    """The functions whose code is no longer what runs."""
    return [name for name, digest in code(built).items() if state.code.get(name) != digest]


def put_from_outside(folder: Path, built: Path, names: Sequence[str]) -> None:
    """As `put`, by the ministack environment's Python, which has boto3."""
    command = [tools.ensure("ministack") / "python", __file__, folder, built, *names]
    asked = subprocess.run(command, env=environment.clean(), capture_output=True, text=True)
    if asked.returncode != 0:
        raise Failed(asked.stderr)


def put(folder: Path, built: Path, names: Sequence[str]) -> None:
    """Gives these functions of the running stack their new code; an output names each."""
    import clients  # Only that Python has what it needs.

    state = deployed(folder)
    if state is None:
        raise Failed("no stack is up that was deployed to its end; `make run` starts one")
    outputs = deploy.read(folder)
    bucket, functions = clients.client(outputs, "s3"), clients.client(outputs, "lambda")
    with clients.answering():
        for name in names:
            # By way of the bucket, as the SAM CLI does: three times as fast as within the call.
            bucket.put_object(Bucket=deploy.BUCKET, Key=f"live/{name}", Body=packed(built / name / "bootstrap").read_bytes())
            functions.update_function_code(FunctionName=outputs[f"{name}Name"], S3Bucket=deploy.BUCKET, S3Key=f"live/{name}")
    now = {**state.code, **{name: digest for name, digest in code(built).items() if name in names}}
    remember(folder, Deployed(state.shape, state.parameters, state.manner, now))


def _file(folder: Path) -> Path:
    return folder / "deployed.json"


def main() -> int:
    """Reads the command line and puts the code in."""
    folder, built, *names = sys.argv[1:]
    return exit_code(lambda: put(Path(folder), Path(built), names))


if __name__ == "__main__":
    sys.exit(main())
