"""The environment of every program that is started here: the caller's, without what would lead it elsewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path
from typing import Sequence

from console import Failed
from paths import HERE

CALLERS_OWN = re.compile(
    # Accounts and profiles; what another Python looks for and how another pip installs; the SAM CLI's own switches.
    r"AWS_|BOTO_|PIP_|PYTHON|__PYVENV|SAM_"
    # A make around this one would hand its job slots on.
    r"|MAKE|MFLAGS$"
    # What changes a binary, or where it is put. Mirrors, proxies and wrappers of cargo stay.
    r"|CARGO_(LAMBDA_|PROFILE_|ENCODED_|TARGET_DIR$|BUILD_(TARGET|RUSTFLAGS))|RUSTFLAGS$"
    # What a cargo around this one tells of its package: `ring` would be compiled anew for it, and all that stands on it.
    r"|CARGO_(PKG_|MANIFEST_)"
)
"""How the names of settings begin that belong to the caller alone."""

PACKAGE_SOURCES = (
    "cert", "client-cert", "default-timeout", "extra-index-url", "find-links", "index-url", "keyring-provider", "no-index", "proxy",
    "retries", "timeout", "trusted-host",
)
"""Settings of pip that say where packages come from: a mirror stays the caller's choice."""

LOOPBACK = "127.0.0.1,localhost"


def clean(**added: str) -> dict[str, str]:
    """The caller's environment without what belongs to the caller alone; proxies are for the world outside."""
    kept = {name: value for name, value in os.environ.items() if not CALLERS_OWN.match(name)}
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, (kept.get(name), LOOPBACK)))
    return {**kept, **added}


def for_cargo(*bins: Path, **added: str) -> dict[str, str]:
    """For cargo and what it starts; `bins` come first in the path."""
    return clean(PATH=path_with(*bins), CARGO_TARGET_DIR=str(HERE / "target"), **added)


def for_sam(**added: str) -> dict[str, str]:
    """For the SAM CLI, that finds nobody's profiles and unrolls the template's loops."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1", **added}
    return clean(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, **settings)


def for_pip(pip: Sequence[str | Path], **added: str) -> dict[str, str]:
    """For this pip: packages come from where the caller's settings say, and are installed as ours do."""
    callers = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    listed = subprocess.run([*pip, "config", "list"], env={**callers, **added}, capture_output=True, text=True)
    if listed.returncode != 0:
        raise Failed(f"{listed.stderr}\nThe settings of pip cannot be read; `pip config debug` shows where they are.")
    found: dict[str, str] = {}
    # As pip ranks them: the command's own settings before those of all commands, the environment's before both.
    for section in ("global", "install", ":env:"):
        for line in listed.stdout.splitlines():
            key, _, value = line.partition("=")
            name = key.removeprefix(f"{section}.")
            if name in PACKAGE_SOURCES:
                found[f"PIP_{name.upper().replace('-', '_')}"] = ast.literal_eval(value)
    return clean(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", **found, **added)


def path_with(*bins: Path) -> str:
    """`PATH` with these folders in front."""
    return os.pathsep.join([*(str(folder) for folder in bins), os.environ.get("PATH", "")])
