"""Where things are: every path of the local run, in one place."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
"""The repository that this code is of."""

ROOT = Path(os.environ.get("SLUICEGATE_ROOT") or HERE)
"""The repository that is worked on; `SLUICEGATE_ROOT` names a copy of it, as the tests of `make new` do."""

STATE = HERE / ".local"
"""All that the local run leaves behind; `make clean` removes it, git ignores it."""

TOOLS = STATE / "tools"
"""The virtual environments, one a requirements file."""

BUILD = STATE / "build"
"""What `sam build` made for this machine's processor; `.aws-sam` keeps what was built for AWS."""

DEBUG_BUILD = STATE / "build-debug"
"""The same from debug builds."""

REQUIREMENTS = HERE / "local"
"""Where `requirements-<tool>.txt` are."""


def shown(path: Path) -> str:
    """`path` as seen from the repository, where it lies there."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
