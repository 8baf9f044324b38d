"""Packs the crate, and builds its README's function outside the workspace on what was packed: `make test`."""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from paths import ROOT


def cargo(*arguments: str, cwd: Path = ROOT) -> None:
    """A command of cargo's that must go well."""
    subprocess.run(["cargo", *arguments], cwd=cwd, check=True)


def blocks(language: str) -> list[str]:
    """The README's blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "shared" / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def main() -> int:
    """Everything that a stranger does with the crate, but for the download."""
    target = ROOT / "target"
    # It is verified where it lands: cargo compiles the archive by itself.
    cargo("package", "--package", "sluicegate", "--allow-dirty", "--target-dir", str(target))
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    with tempfile.TemporaryDirectory(prefix="stranger-") as folder:
        stranger, packed = Path(folder), Path(folder) / "packed"
        shutil.unpack_archive(target / "package" / f"sluicegate-{version}.crate", packed, "gztar")
        (dependencies,), (function,) = blocks("toml"), blocks("rust,no_run")
        assert len(function.splitlines()) <= 17, "a whole function has grown"
        example = (ROOT / "shared" / "examples" / "queue.rs").read_text()
        assert example.endswith("\n\n" + function), "the README shows another function than examples/queue.rs"
        dependencies = dependencies.replace('version = "0.2"', f'path = "packed/sluicegate-{version}"')
        package = '[package]\nname = "stranger"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n\n'
        (stranger / "Cargo.toml").write_text(package + dependencies)
        (stranger / "src").mkdir()
        (stranger / "src" / "main.rs").write_text(function)
        # The versions that everything else is tested with.
        shutil.copy(ROOT / "Cargo.lock", stranger)
        cargo("check", "--target-dir", str(target / "stranger"), cwd=stranger)
    print("test result: ok. 1 passed; 0 failed; the README's function builds on the packed crate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
