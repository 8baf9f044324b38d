"""The tools of the local run: one virtual environment for each requirements file, made when missing or out of date."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import environment
import machine
from console import Failed, exit_code, run_logged
from paths import REQUIREMENTS, STATE, TOOLS

NAMES = ("build", "ministack", "sam")
"""What builds and runs as AWS does; the tests ask for `checkov`, `microburst` and `workflows` as well, `make pictures` for `pictures`."""

_ready: dict[str, Path] = {}
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def ensure(name: str) -> Path:
    """Makes sure that the environment `name` holds just what its requirements file says; returns its `bin`."""
    with _turns[name]:
        if name not in _ready:
            _ready[name] = _ensure(name)
        return _ready[name]


@contextmanager
def meanwhile(*names: str) -> Iterator[Future[list[Path]]]:
    """Installs these one after the other while something else is done; the body waits for them with `result()`."""
    with ThreadPoolExecutor(1) as installer:
        yield installer.submit(lambda: [ensure(name) for name in names])


def _ensure(name: str) -> Path:
    folder = TOOLS / name
    stamp = folder / "requirements.sha256"
    wanted = _fingerprint(name)
    if stamp.exists() and stamp.read_text() == wanted and _works(folder):
        return folder / "bin"
    stamp.unlink(missing_ok=True)
    if not _works(folder):
        # pip is in an environment of its own: each further one is there in 0.1 s instead of 4.
        _create(folder, "--without-pip")
    pip = [folder / "bin" / "python", "-m", "pip"]
    # What is imported compiles itself.
    options = ["--no-input", "--progress-bar", "off", "--no-compile", "-r", REQUIREMENTS / f"requirements-{name}.txt"]
    command = [*pip, "install", *options]
    env = environment.for_pip(pip, PYTHONPATH=str(_pip()))
    run_logged(f"installing tools: {name}", command, STATE / f"install-{name}.log", env=env)
    stamp.write_text(wanted)
    return folder / "bin"


def _pip() -> Path:
    """A folder that holds pip and nothing else, for other environments' Python."""
    with _turns["pip"]:
        folder = TOOLS / "pip"
        alone = folder / "alone"
        if not (alone / "pip" / "__main__.py").exists() or not _works(folder):
            _create(folder)
            alone.mkdir()
            place = "import pathlib, pip; print(pathlib.Path(pip.__file__).parent)"
            found = subprocess.run([folder / "bin" / "python", "-c", place], env=environment.clean(), capture_output=True, text=True)
            (alone / "pip").symlink_to(found.stdout.strip())
        return alone


def _fingerprint(name: str) -> str:
    # The interpreter's version belongs to it: an environment made by another one holds packages this one cannot load. So
    # does the place: programs in an environment name their Python by its whole path.
    requirements = (REQUIREMENTS / f"requirements-{name}.txt").read_bytes()
    return hashlib.sha256(f"{sys.version_info[:2]} {TOOLS}".encode() + requirements).hexdigest()


def _works(folder: Path) -> bool:
    python = folder / "bin" / "python"
    if not python.exists():
        return False
    check = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return subprocess.run([python, "-c", check], env=environment.clean(), capture_output=True).returncode == 0


def _create(folder: Path, *options: str) -> None:
    lacking = machine.lacking(release=False)
    if lacking:
        raise Failed(lacking)
    command = [sys.executable, "-m", "venv", "--clear", *options, folder]
    created = subprocess.run(command, env=environment.clean(), capture_output=True, text=True)
    if created.returncode != 0:
        raise Failed(
            f"{created.stdout}{created.stderr}\nNo virtual environment could be made in {folder}. "
            "On Debian and Ubuntu the package python3-venv is needed."
        )


def main() -> int:
    """Makes those that are named; without names all that builds and runs as AWS does."""
    return exit_code(lambda: [ensure(name) for name in sys.argv[1:] or NAMES] and 0)


if __name__ == "__main__":
    sys.exit(main())
