"""What each function says of itself in its `Cargo.toml`, in `[package.metadata.sluicegate]`."""

from __future__ import annotations

import json
import subprocess
from typing import Mapping

from console import Failed
from paths import ROOT


def samples(env: Mapping[str, str]) -> dict[str, str]:
    """The file with the event that is typical of each function, as seen from the root."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if told.returncode != 0:
        raise Failed(told.stderr)
    own = {package["name"]: (package["metadata"] or {}).get("sluicegate") for package in json.loads(told.stdout)["packages"]}
    return {name: found["sample"] for name, found in own.items() if found}
