"""Where things are: every path of the local run, in one place."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

STATE = ROOT / ".local"
"""All that the local run leaves behind; `make clean` removes it, git ignores it."""

TOOLS = STATE / "tools"
"""The virtual environments, one a requirements file."""

BUILD = STATE / "build"
"""What `sam build` made for this machine's processor; `.aws-sam` keeps what was built for AWS."""

DEBUG_BUILD = STATE / "build-debug"
"""The same from debug builds."""

REQUIREMENTS = ROOT / "local"
"""Where `requirements-<tool>.txt` are."""


def shown(path: Path) -> str:
    """`path` as seen from the repository, where it lies there."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
