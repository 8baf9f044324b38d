"""Builds the functions for this machine's processor, with the SAM CLI driving cargo-lambda as for AWS."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from pathlib import Path

import tools
from console import Failed, run_logged, say
from paths import BUILD, ROOT, STATE

SOURCES = ("Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "shared", "functions")
"""What a bootstrap is made of."""


def architecture() -> str:
    """This machine's processor, as the template's parameter `Architecture` names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def function_names() -> list[str]:
    """The binaries the template asks for."""
    return re.findall(r"Binary: ([a-z0-9-]+)", (ROOT / "template.yaml").read_text())


def build() -> Path:
    """Builds what has changed; returns the built template."""
    built = BUILD / "template.yaml"
    stamp = BUILD / "sources.sha256"
    wanted = _fingerprint()
    if built.exists() and stamp.exists() and stamp.read_text() == wanted:
        return built
    if shutil.which("cargo") is None:
        raise Failed("cargo is missing: install a Rust toolchain from https://rustup.rs and run this again.")
    stamp.unlink(missing_ok=True)
    if not (ROOT / "target" / "lambda").exists():
        say("the first build compiles the AWS SDK and takes some minutes; later ones only what has changed")
    env = _environment()
    # What the SAM CLI does function by function, done at once: its progress can be shown, and two processors link two
    # functions side by side. SAM then finds everything built.
    for title, packages in _together().items():
        command = ["cargo", "lambda", "build", "--release", *packages]
        run_logged(f"building the functions {title}", command, STATE / "cargo.log", env=env, cwd=ROOT)
    sam = tools.ensure("sam") / "sam"
    command = [sam, "build", "--build-dir", BUILD, "--parameter-overrides", f"Architecture={architecture()}"]
    run_logged("sam build", command, STATE / "sam-build.log", env=env, cwd=ROOT)
    stamp.write_text(wanted)
    return built


def _together() -> dict[str, list[str]]:
    """What one command may build: cargo unifies features, and the template builds some functions from their own folders."""
    template = (ROOT / "template.yaml").read_text()
    alone = set(re.findall(r"CodeUri: functions/([a-z0-9-]+)", template))
    names = function_names()
    return {
        "that call no AWS service": [part for name in names if name in alone for part in ("-p", name)],
        "that call AWS": [part for name in names if name not in alone for part in ("--bin", name)],
    }


def _environment() -> dict[str, str]:
    # Without the caller's AWS settings: a build needs none, and a broken profile would stop it.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = tools.path_with(tools.ensure("build"))
    return {**kept, "PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "CARGO_TARGET_DIR": str(ROOT / "target")}


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
