"""Says with a sentence what this machine lacks, before anything is installed or compiled: `machine.py [release]`.

Any Python can read this file, however old it is.
"""

import platform
import shutil
import sys

LEAST_PYTHON = (3, 10)


def lacking(release):
    """What stands in the way, or nothing; `release` asks whether what AWS gets could run here."""
    if sys.version_info < LEAST_PYTHON:
        return "Python 3.10 or newer is needed; %s is %s. `make PYTHON=python3.12 ...` takes another one." % (
            sys.executable, sys.version.split()[0],
        )
    if sys.platform not in ("linux", "darwin"):
        return "This runs on Linux and macOS, and on Windows within WSL 2 (`wsl --install`); here is %s." % sys.platform
    if platform.machine().lower() not in ("x86_64", "amd64", "arm64", "aarch64"):
        return "The functions are made for x86_64 and arm64, as Lambda has them; here is %s." % platform.machine()
    if release and sys.platform != "linux":
        return "What AWS gets are programs for Linux, and do not run here: `make run` builds for this machine."
    if shutil.which("cargo") is None:
        return "cargo is missing: install a Rust toolchain from https://rustup.rs and run this again."
    return None


if __name__ == "__main__":
    sys.exit(lacking("release" in sys.argv[1:]))
