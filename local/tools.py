"""The tools of the local run: one virtual environment for each requirements file, made when missing or out of date."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from console import Failed, run_logged
from paths import REQUIREMENTS, STATE, TOOLS

NAMES = ("build", "ministack", "sam")
"""What a run needs; the tests ask for `checkov` and `microburst` as well."""


def ensure(name: str) -> Path:
    """Makes sure that the environment `name` holds just what its requirements file says; returns its `bin`."""
    environment = TOOLS / name
    stamp = environment / "requirements.sha256"
    wanted = _fingerprint(name)
    if stamp.exists() and stamp.read_text() == wanted and _works(environment):
        return environment / "bin"
    stamp.unlink(missing_ok=True)
    if not _works(environment):
        _create(environment)
    requirements = REQUIREMENTS / f"requirements-{name}.txt"
    command = [environment / "bin" / "python", "-m", "pip", "install", "--no-input", "--progress-bar", "off", "-r", requirements]
    run_logged(f"installing tools: {name}", command, STATE / f"install-{name}.log")
    stamp.write_text(wanted)
    return environment / "bin"


def ensure_all() -> dict[str, Path]:
    """Every environment's `bin`, by name."""
    return {name: ensure(name) for name in NAMES}


def path_with(*bins: Path) -> str:
    """`PATH` with these folders in front."""
    return os.pathsep.join([*(str(folder) for folder in bins), os.environ.get("PATH", "")])


def _fingerprint(name: str) -> str:
    # The interpreter's version belongs to it: an environment made by another one holds packages this one cannot load.
    requirements = (REQUIREMENTS / f"requirements-{name}.txt").read_bytes()
    return hashlib.sha256(f"{sys.version_info[:2]}".encode() + requirements).hexdigest()


def _works(environment: Path) -> bool:
    python = environment / "bin" / "python"
    if not python.exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return subprocess.run([python, "-c", check], capture_output=True).returncode == 0


def _create(environment: Path) -> None:
    if sys.version_info < (3, 10):
        raise Failed(f"Python 3.10 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    created = subprocess.run([sys.executable, "-m", "venv", "--clear", environment], capture_output=True, text=True)
    if created.returncode != 0:
        raise Failed(
            f"{created.stdout}{created.stderr}\nNo virtual environment could be made in {environment}. "
            "On Debian and Ubuntu the package python3-venv is needed."
        )


if __name__ == "__main__":
    try:
        ensure_all()
    except Failed as failure:
        sys.exit(str(failure))
