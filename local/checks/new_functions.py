"""Makes a function of each trigger, in a copy of the repository by `make new` and outside by `cargo lambda new`, and tests them.

Outside they stand on the crate as it would be published, and so does the function of its README.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Mapping

import environment
import tools
from console import Failed, say
from paths import HERE, ROOT, STATE

FOLDER = STATE / "test" / "new-functions"
COPY, OUTSIDE = FOLDER / "copy", FOLDER / "outside"
NOT_COPIED = shutil.ignore_patterns(".git", ".local", ".aws-sam", "target", "__pycache__")

TRIGGERS = sorted(path.name for path in (ROOT / "templates").iterdir())
NAMES = {trigger: f"a-new-{trigger}" for trigger in TRIGGERS}

HELD_TO_THE_COPY = (
    "template::", "documents::", "log_lines::", "layering::a_package", "layering::each_function", "layering::functions",
)
"""The tests of what a new function must be; those of built functions, and of their samples, know it from its `Cargo.toml`."""


def inside(env: Mapping[str, str], sam: Path) -> None:
    """Each trigger's function beside the others: formatted, its own tests, the template's, and all that is asked of a function."""
    shutil.copytree(ROOT, COPY, ignore=NOT_COPIED)
    there = {**env, "SLUICEGATE_ROOT": str(COPY), "PYTHONPATH": str(ROOT / "local")}
    for trigger, name in NAMES.items():
        _run([sys.executable, ROOT / "local" / "new.py", "--function", name, "--trigger", trigger], COPY, there)
    _run(["cargo", "fmt", "--all", "--check"], COPY, env)
    _run([sam / "sam", "validate", "--lint"], COPY, environment.for_sam())
    packages = [part for name in NAMES.values() for part in ("-p", name)]
    _run(["cargo", "clippy", *packages, "--all-targets", "--", "-D", "warnings"], COPY, env)
    _run(["cargo", "test", *packages, "--lib"], COPY, env)
    tests = ["cargo", "test", "--workspace", "--all-features", "--test", "sluicegate", "--", "--skip", "command_line", *HELD_TO_THE_COPY]
    _run(tests, ROOT, {**env, "SLUICEGATE_ROOT": str(COPY)})


def outside(env: Mapping[str, str], sam: Path) -> None:
    """Each trigger's crate, far from the repository: it builds, its test passes, and its template is one."""
    OUTSIDE.mkdir()
    shutil.copy(ROOT / "Cargo.lock", OUTSIDE)
    _run(["cargo", "package", "--package", "sluicegate", "--allow-dirty", "--no-verify"], ROOT, env)
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    shutil.unpack_archive(HERE / "target" / "package" / f"sluicegate-{version}.crate", OUTSIDE, "gztar")
    (OUTSIDE / f"sluicegate-{version}").rename(OUTSIDE / "shared")
    _readme_function(OUTSIDE / "of-the-readme")
    # One workspace of them, with the repository's profile: what is compiled already is found.
    profile = '[profile.dev]\ndebug = "line-tables-only"\n[profile.dev.package."*"]\ndebug = false\n'
    members = 'members = ["a-new-*", "of-the-readme"]\nexclude = ["shared"]'
    (OUTSIDE / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\n{members}\n{profile}')
    for trigger, name in NAMES.items():
        given = ["--no-interactive", "--template", ROOT / "templates" / trigger, "--render-var", f"sluicegate={OUTSIDE}"]
        _run(["cargo", "lambda", "new", name, *given], OUTSIDE, env)
        _run([sam / "sam", "validate", "--lint", "--template", OUTSIDE / name / "template.yaml"], OUTSIDE, environment.for_sam())
    _run(["cargo", "test", "--bins", "--lib"], OUTSIDE, env)


def _readme_function(folder: Path) -> None:
    """The crate that the README shows whole."""
    readme = (ROOT / "shared" / "README.md").read_text()
    (dependencies,), (function,) = (
        re.findall(rf"^```{language}\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL) for language in ("toml", "rust,no_run")
    )
    example = (ROOT / "shared" / "examples" / "queue.rs").read_text()
    if len(function.splitlines()) > 17 or not example.endswith("\n\n" + function):
        raise Failed("the README's function has grown, or is another than examples/queue.rs")
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.rs").write_text(function)
    dependencies = re.sub(r'(sluicegate = \{ )version = "[0-9.]+"', r'\1path = "../shared"', dependencies)
    (folder / "Cargo.toml").write_text(f'[package]\nname = "of-the-readme"\nedition = "2024"\n\n{dependencies}')


def _run(command: list[str | Path], folder: Path, env: Mapping[str, str]) -> None:
    if subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL).returncode != 0:
        raise Failed(f"in {folder}: {' '.join(map(str, command))}")


def main() -> int:
    """Does both; the exit code says whether both went well."""
    # What is in the lock file is there; nothing newer is looked for.
    env = environment.for_cargo(tools.ensure("build"), CARGO_NET_OFFLINE="true")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    failed = 0
    for made in (inside, outside):
        try:
            made(env, tools.ensure("sam"))
            say(f"test a function made {made.__name__} ... ok")
        except Failed as failure:
            say(f"test a function made {made.__name__} ... FAILED\n  {failure}")
            failed += 1
    say(f"test result: {'FAILED' if failed else 'ok'}. {2 - failed} passed; {failed} failed;")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
