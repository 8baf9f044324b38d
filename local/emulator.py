"""The local AWS: starts ministack in a folder of its own, finds it again, and stops it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import tools
from console import Failed, escape_controls, last_lines
from paths import ROOT

HOST = "127.0.0.1"
REGION = "us-east-1"
START_SECONDS = 30.0
"""Ready in 0.3 s as a rule; a first start compiles its Python files on a busy machine."""
STOP_SECONDS = 5.0
"""Time to end by itself; it keeps nothing that killing it would lose."""


@dataclass(frozen=True)
class Emulator:
    """One running ministack."""

    pid: int
    port: int
    born: str
    """What the system says of the process' start: a process id alone may have been given to another one since."""

    @property
    def endpoint(self) -> str:
        """Where AWS clients reach it."""
        return f"http://{HOST}:{self.port}"


def find(folder: Path) -> Emulator | None:
    """The emulator that was started in `folder`, if it still runs and answers."""
    emulator = _recorded(folder)
    return emulator if emulator and _is_alive(emulator) and _is_healthy(emulator.port) else None


@dataclass(frozen=True)
class Manner:
    """How an emulator differs from the one of `make run`; tests ask for it."""

    functions_endpoint: str | None = None
    """Where functions reach AWS: a fault proxy. Without one, the emulator itself."""
    enforce_iam: bool = False
    """Whether each function may do only what its role allows."""


def start(folder: Path, port: int | None = None, manner: Manner = Manner()) -> Emulator:
    """Starts one in `folder`; without a port the system chooses a free one."""
    stop(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Between choosing a free port and listening on it another process may take it: then choose again.
    for _ in range(3):
        chosen = port or free_port()
        emulator = _launch(folder, chosen, manner)
        _file(folder).write_text(json.dumps(asdict(emulator)))
        if _becomes_healthy(emulator):
            return emulator
        stop(folder)
        if port:
            break
    shown = "\n".join(escape_controls(line) for line in last_lines(folder / "emulator.log", 20))
    raise Failed(f"{shown}\n\nThe local AWS did not start. Its log is {folder / 'emulator.log'}.")


def stop(folder: Path) -> bool:
    """Ends the emulator of `folder` and the functions it started; says whether there was one."""
    emulator = _recorded(folder)
    _file(folder).unlink(missing_ok=True)
    if emulator is None or not _is_alive(emulator):
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(emulator.pid, number)
        except ProcessLookupError:
            return True
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            if not _is_alive(emulator):
                return True
            time.sleep(0.05)
    return True


def port_is_free(port: int) -> bool:
    """Whether nobody listens on `port`."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on at this moment, chosen by the system."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def _launch(folder: Path, port: int, manner: Manner) -> Emulator:
    work = {name: folder / name for name in ("home", "tmp", "state", "objects")}
    for path in work.values():
        # What an earlier one left is of no use to this one: it begins empty.
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    # A clean environment: each function inherits all of it.
    env = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(work["home"]),
        "TMPDIR": str(work["tmp"]),
        "STATE_DIR": str(work["state"]),
        "S3_DATA_DIR": str(work["objects"]),
        "GATEWAY_PORT": str(port),
        # The host in the queue URLs it makes.
        "MINISTACK_HOST": HOST,
        # Without these two it listens on all addresses, and on two more ports.
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        # Meant for the functions: their way back here, and the log format that `LoggingConfig` gives them on AWS.
        "AWS_ENDPOINT_URL": manner.functions_endpoint or f"http://{HOST}:{port}",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AUTH": str(manner.enforce_iam).lower(),
    }
    python = tools.ensure("ministack") / "python"
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [python, ROOT / "local" / "ministack_here.py"], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    return Emulator(process.pid, port, _born(process.pid))


def _becomes_healthy(emulator: Emulator) -> bool:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and _is_alive(emulator):
        if _is_healthy(emulator.port):
            return _is_alive(emulator)
        time.sleep(0.05)
    return False


def _is_healthy(port: int) -> bool:
    try:
        # No proxy: the caller's settings are for the world outside.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{HOST}:{port}/_ministack/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _is_alive(emulator: Emulator) -> bool:
    return bool(emulator.born) and _born(emulator.pid) == emulator.born


def _born(pid: int) -> str:
    """When process `pid` started, in the system's own words; empty when there is none, or only its remains."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name in brackets may hold anything; the fields behind it start with the state, and the 20th is the start.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return listed.stdout.strip()


def _recorded(folder: Path) -> Emulator | None:
    try:
        return Emulator(**json.loads(_file(folder).read_text()))
    except (OSError, ValueError, TypeError):
        # Missing, cut short by a kill, or of an older form: nothing that could be stopped by it.
        return None


def _file(folder: Path) -> Path:
    return folder / "emulator.json"
