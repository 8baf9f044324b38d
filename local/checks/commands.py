"""Holds every command that a document tells somebody to type to what the command itself understands.

`sluice` is asked in `tests/command_line/documents.rs`. Here are the others: `make` plans it (`-n`), `sam` and `cargo` read it and
stop at `--help`, and a call of `aws` is held to AWS's own model of its API. Nothing is done.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import botocore.session
from botocore import xform_name

import environment
from console import say
from paths import ROOT

FOLDERS = ("bench", "cli", "docs", "events", "functions", "local", "shared", "tests")
TOOLS = ("aws", "cargo", "make", "sam")
COMMAND = re.compile(rf"(?<![\w/.$-])({'|'.join(TOOLS)}) (?=[a-z-])")
END = re.compile(r"\s(?:#|\||&&|&|;|>|<|2>)(?=\s|$)|;(?=\s)|\)(?=\s|$)|…")

GLOBAL_OPTIONS = {"output", "query", "profile", "region", "endpoint-url", "no-cli-pager"}
OWN_COMMANDS = {
    ("s3", "cp"): {"recursive", "metadata-directive"}, ("s3", "rm"): {"recursive"}, ("s3", "rb"): {"force"}, ("s3", "sync"): set(),
    ("logs", "tail"): {"since", "format", "filter-pattern", "follow"},
}
"""What the AWS CLI has beside the API."""


def documents() -> list[Path]:
    """Every Markdown file that is the repository's own; decisions tell of what was, and a template's names are not chosen yet."""
    below = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.md"))]
    found = [*sorted(ROOT.glob("*.md")), *below]
    return [file for file in found if file.name != "CHANGELOG.md" and ROOT / "docs" / "adr" not in file.parents]


def commands(text: str) -> list[str]:
    """The commands of a document: on lines of fenced blocks, and whole spans of backticks."""
    prose, fenced = text.split("```")[::2], text.split("```")[1::2]
    spans = [span for part in prose for span in re.findall(r"`([^`\n]+)`", part) if span.startswith(tuple(f"{tool} " for tool in TOOLS))]
    typed = [block.partition("\n")[2] for block in fenced if block.partition("\n")[0] in ("", "sh")]
    lines = [line for block in typed for line in block.replace("\\\n", " ").splitlines()]
    return [line[found.start():] for line in lines + spans for found in COMMAND.finditer(re.split(r"(?:^|\s)#\s", line)[0])]


def words(command: str) -> list[str]:
    """The words up to what another command begins with; a placeholder stands for a name."""
    text = re.sub(r"\$\(.*?\)|\$\{.*?\}|<[^<>\s]+>", "x", command)
    end = END.search(text)
    text = text[: end.start()] if end else text
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return shlex.split(re.sub(r"[\"']", "", text), comments=True)


def aws(arguments: list[str], session: botocore.session.Session) -> str | None:
    """What is wrong with a call of the AWS CLI."""
    service, operation, *rest = [*arguments, "", ""]
    service = service.removesuffix("api")
    known = OWN_COMMANDS.get((service, operation))
    if known is None:
        if service not in session.get_available_services():
            return f"no service {service}"
        model = session.get_service_model(service)
        by_name = {xform_name(name, "-"): name for name in model.operation_names}
        if operation not in by_name:
            return f"{service} has no {operation}"
        shape = model.operation_model(by_name[operation]).input_shape
        known = {xform_name(name, "-") for name in shape.members} if shape else set()
    options = {word[2:].split("=")[0] for word in rest if word.startswith("--")}
    unknown = {option for option in options - GLOBAL_OPTIONS if option not in known and option.removeprefix("no-") not in known}
    return f"{service} {operation} has no {', '.join(sorted(unknown))}" if unknown else None


def asked(command: list[str]) -> str | None:
    """What a command says against what it was given."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment.for_cargo(), stdin=subprocess.DEVNULL)
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip().splitlines()[-1]


def with_help(command: list[str]) -> list[str]:
    """The same with `--help` before its first option: no option that wants a value can take it for one, and nothing is done."""
    command = command[: command.index("--")] if "--" in command else command
    first = next((index for index, word in enumerate(command) if word.startswith("-")), len(command))
    return [*command[:first], "--help", *command[first:]]


def problem(command: list[str], session: botocore.session.Session) -> str | None:
    """What is wrong with a command."""
    match command[0]:
        case "aws":
            return aws(command[1:], session)
        case "make":
            return asked(["make", "-n", *command[1:]])
        case _:
            return asked(with_help(command))


def main() -> int:
    """Says which commands nobody would understand."""
    session = botocore.session.get_session()
    found: dict[tuple[str, ...], Path] = {}
    for document in documents():
        for command in commands(document.read_text()):
            found.setdefault(tuple(words(command)), document)
    failed = 0
    for command, document in found.items():
        wrong = problem(list(command), session)
        if wrong:
            failed += 1
            say(f"{document.relative_to(ROOT)}: `{shlex.join(command)}`: {wrong}")
    failed += len(found) < 60
    say(f"test result: {'FAILED' if failed else 'ok'}. {len(found) - failed} passed; {failed} failed;")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
