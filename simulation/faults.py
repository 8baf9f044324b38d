"""Puts old faults back, one at a time, and shows within how many seeds the simulation finds each.

Every patch in `simulation/faults/` undoes one thing that the code under test does right. Each is applied to a copy of the
tree, `simulate` is built there, and seeds are lived through until the first that breaks a promise. Ends with exit code 1
when a fault is not found: then a promise is not checked.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAULTS = ROOT / "simulation" / "faults"
FOUND = re.compile(r"^found by seed (\d+): promise (\d+): (.*)$", re.MULTILINE)


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def must(*command: str, cwd: Path) -> str:
    done = run(*command, cwd=cwd)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def copy_of_tree(copy: Path) -> None:
    """The tree as it is, uncommitted changes included. The tree itself is never changed."""
    names = must("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    must("git", "init", "--quiet", cwd=copy)


def target() -> Path:
    """Where the tree's own builds go: what is built there already is not built again."""
    metadata = must("cargo", "metadata", "--no-deps", "--format-version", "1", cwd=ROOT)
    return Path(json.loads(metadata)["target_directory"])


def look_for(copy: Path, patch: Path, profile: str, seeds: int) -> tuple[str, str, bool]:
    """The promise that is broken, the seeds until it was, and whether any was."""
    must("git", "apply", str(patch), cwd=copy)
    try:
        must("cargo", "build", "--quiet", "--package", "simulation", "--profile", profile, cwd=copy)
        program = Path(os.environ["CARGO_TARGET_DIR"]) / ("debug" if profile == "dev" else profile) / "simulate"
        said = run(str(program), "--until-found", "--seeds", str(seeds), cwd=copy).stdout
    finally:
        must("git", "apply", "--reverse", str(patch), cwd=copy)
    found = FOUND.search(said)
    if not found:
        return "none", f"not in {seeds:,}", False
    seed, promise, what = found.groups()
    what = re.sub(r" \([^ ]*\)$", "", what)
    return f"{promise}: {what}", f"{int(seed) + 1:,}", True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20_000, help="seeds after which a fault is not found")
    parser.add_argument("--profile", default="simulation", help="cargo's profile")
    parser.add_argument("faults", nargs="*", help="names of patches; all by default")
    args = parser.parse_args()
    patches = [FAULTS / f"{name}.patch" for name in args.faults] or sorted(FAULTS.glob("*.patch"))
    os.environ["CARGO_TARGET_DIR"] = str(target())
    all_found = True
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        copy = Path(folder)
        copy_of_tree(copy)
        print("| fault | promise broken | seeds until found |\n|---|---|---:|", flush=True)
        for patch in patches:
            promise, seeds, is_found = look_for(copy, patch, args.profile, args.seeds)
            all_found &= is_found
            print(f"| {patch.stem.replace('-', ' ')} | {promise} | {seeds} |", flush=True)
    return 0 if all_found else 1


if __name__ == "__main__":
    sys.exit(main())
