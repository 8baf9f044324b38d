"""Holds what GitHub reads to GitHub's own schemas: workflows, and the forms of issues."""

from __future__ import annotations

import subprocess
import sys

from console import say
from paths import ROOT

SCHEMAS = {
    "github-workflows": ".github/workflows/*.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
}


def main() -> int:
    """Says what differs."""
    failed = 0
    for schema, pattern in SCHEMAS.items():
        files = sorted(ROOT.glob(pattern))
        command = ["check-jsonschema", "--quiet", "--builtin-schema", f"vendor.{schema}", *files]
        failed += not files or subprocess.run(command, cwd=ROOT).returncode != 0
    say(f"test result: {'FAILED' if failed else 'ok'}. {len(SCHEMAS) - failed} passed; {failed} failed;")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
