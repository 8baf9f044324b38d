"""Builds the functions: debug builds for this machine, or with the SAM CLI what AWS gets."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
import zipfile
from pathlib import Path

import environment
import tools
from console import Failed, run_logged, say
from paths import BUILD, DEBUG_BUILD, HERE, ROOT, STATE

SOURCES = ("Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "shared", "functions")
"""What a bootstrap is made of."""

DEBUG = HERE / "target" / "debug"
"""Where cargo puts debug builds."""


def architecture() -> str:
    """This machine's processor, as the template's parameter `Architecture` names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def functions() -> dict[str, str]:
    """The binary of each function, by the function's name in the template."""
    return {name: binary for name, block in _resources() for binary in re.findall(r"Binary: ([a-z0-9-]+)", block)}


def function_names() -> list[str]:
    """The binaries the template asks for."""
    return list(functions().values())


def build() -> Path:
    """Builds what AWS gets, as far as it has changed; returns the built template."""
    built = BUILD / "template.yaml"
    stamp = BUILD / "sources.sha256"
    wanted = _fingerprint()
    if built.exists() and stamp.exists() and stamp.read_text() == wanted:
        return built
    stamp.unlink(missing_ok=True)
    if not (HERE / "target" / "lambda").exists():
        say("the first build compiles the AWS SDK and takes some minutes; later ones only what has changed")
    env = environment.for_cargo(tools.ensure("build"))
    # What the SAM CLI does function by function, done at once: its progress can be shown, and two processors link two
    # functions side by side. SAM then finds everything built.
    for title, packages in _together().items():
        command = ["cargo", "lambda", "build", "--release", *packages]
        run_logged(f"building the functions {title}", command, STATE / "cargo.log", env=env, cwd=ROOT)
    sam = tools.ensure("sam") / "sam"
    command = [sam, "build", "--build-dir", BUILD, "--parameter-overrides", f"Architecture={architecture()}"]
    run_logged("sam build", command, STATE / "sam-build.log", env=environment.for_sam(**env), cwd=ROOT)
    stamp.write_text(wanted)
    return built


def build_debug() -> Path:
    """Builds the functions for this machine, and `sluice` with them; returns the built template."""
    say("debug builds; `make run RELEASE=1` runs what AWS gets")
    if not (DEBUG / "sluice").exists():
        say("the first build compiles the AWS SDK and takes some minutes; later ones only what has changed")
    run_logged("building for this machine", debug_command(), STATE / "cargo-debug.log", env=environment.for_cargo(), cwd=ROOT)
    return lay_out_debug()


def debug_command() -> list[str]:
    """All in one command, with the features that the tests are built with: the SDK is compiled once for all of them."""
    return ["cargo", "build", "--workspace", "--all-features", *(part for name in [*function_names(), "sluice"] for part in ("--bin", name))]


def lay_out_debug() -> Path:
    """Writes the template, and each function's code under the function's name, as `sam build` does; and packs it."""
    found = functions()
    for gone in [path for path in DEBUG_BUILD.glob("*/") if path.name not in found]:
        shutil.rmtree(gone)
    for name, binary in found.items():
        bootstrap, compiled = DEBUG_BUILD / name / "bootstrap", DEBUG / binary
        if not bootstrap.exists() or _time_and_size(bootstrap) != _time_and_size(compiled):
            bootstrap.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(compiled, bootstrap)
            packed(bootstrap)
    built = DEBUG_BUILD / "template.yaml"
    built.write_text("".join(_with_code(name, block) for name, block in _resources()))
    return built


def packed(bootstrap: Path) -> Path:
    """The code as Lambda takes it. Nothing is compressed, which would take the SAM CLI 13 s: it goes no further than loopback."""
    archive = bootstrap.parent.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as into:
        into.write(bootstrap, bootstrap.name)
    return archive


def _time_and_size(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _resources() -> list[tuple[str, str]]:
    """The template in pieces: each begins with a name two spaces in."""
    blocks = re.split(r"(?m)^(?=  \w+:$)", (ROOT / "template.yaml").read_text())
    return [(block.partition(":")[0].strip(), block) for block in blocks]


def _with_code(name: str, block: str) -> str:
    """A piece of the template with the function's code beside it; what all functions had in common is gone."""
    without = re.sub(r"(?m)^ +CodeUri: .*\n", "", block)
    if "Binary: " not in block:
        return without
    replaced, count = re.subn(r"(?m)^    Properties:\n", f"    Properties:\n      CodeUri: {name}.zip\n", without)
    if count != 1:
        raise Failed(f"template.yaml: the properties of {name} are not where they are looked for, four spaces in")
    return replaced


def _together() -> dict[str, list[str]]:
    """What one command may build: cargo unifies features, and the template builds some functions from their own folders."""
    template = (ROOT / "template.yaml").read_text()
    alone = set(re.findall(r"CodeUri: functions/([a-z0-9-]+)", template))
    names = function_names()
    return {
        "that call no AWS service": [part for name in names if name in alone for part in ("-p", name)],
        "that call AWS": [part for name in names if name not in alone for part in ("--bin", name)],
    }


def _fingerprint() -> str:
    digest = hashlib.sha256(architecture().encode())
    digest.update((ROOT / "template.yaml").read_bytes())
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*") if path.is_dir() else [path]):
            if file.is_file():
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        say(f"built: {build().parent}")
    except Failed as failure:
        sys.exit(str(failure))
