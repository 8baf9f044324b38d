"""Has the SAM CLI and cfn-lint read the template, computes what updates of a stack would do, and compares the page of permissions."""

from __future__ import annotations

import subprocess
import sys

import environment
import tools
from paths import ROOT


def main() -> int:
    """Runs them; the exit code says whether one failed."""
    sam = tools.ensure("sam")
    own = [[sam / "python", ROOT / "local" / "checks" / name] for name in ("template_updates.py", "permissions_page.py")]
    commands = ([sam / "sam", "validate", "--lint"], *own)
    here = environment.for_sam(PYTHONPATH=f"{ROOT / 'local'}:{ROOT / 'local' / 'checks'}")
    codes = [subprocess.run(command, cwd=ROOT, env=here, stdin=subprocess.DEVNULL).returncode for command in commands]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
