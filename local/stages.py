"""The stages of `samconfig.toml`."""

from __future__ import annotations

import re

from console import Failed
from paths import ROOT


def stack_of(stage: str) -> str:
    """The name of this stage's stack, as `sam deploy` reads it."""
    config = (ROOT / "samconfig.toml").read_text()
    environment = "default" if stage == "dev" else stage
    found = re.search(rf'^\[{re.escape(environment)}\.global\.parameters\]\nstack_name = "(.+)"', config, re.MULTILINE)
    if not found:
        raise Failed(f"samconfig.toml has no stage {stage!r}")
    return found[1]
