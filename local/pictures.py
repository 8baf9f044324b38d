"""Makes every picture and every screen that the documents show, from runs on a local AWS of its own: `make pictures`.

Pictures are `docs/images/*.svg`. A screen in text is the fenced block below `<!-- made by make pictures: NAME -->`. What a measured
run draws is `make bench`'s.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import environment
from console import Failed, exit_code, say, step
from deploy import STACK_NAME
from paths import ROOT, STATE, TOOLS
from terminal import PATIENCE_SECONDS, Terminal

FOLDER = STATE / "pictures"
MADE = re.compile(r"(<!-- made by make pictures: (?P<name>[\w -]+) -->\n+```text\n).*?(\n```)", re.S)
LOGGER = ROOT / "functions" / "sns-logger" / "src" / "lib.rs"


def settings() -> dict[str, str]:
    """What a person has who has sourced the stack's `stack.env`."""
    lines = (FOLDER / "stack.env").read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines if "=" in line)
    here = {"PATH": environment.path_with(ROOT / "target" / "debug"), "PYTHONPATH": str(ROOT / "local")}
    return {**environment.clean(), **outputs, **here}


def sluice(*arguments: str) -> str:
    """What a command prints, as a person sees it."""
    done = subprocess.run(["sluice", *arguments], cwd=ROOT, env=settings(), capture_output=True, text=True)
    return done.stdout + done.stderr


def opened(stack: ExitStack, command: str, columns: int = 80, rows: int = 24) -> Terminal:
    """A terminal with a command in it."""
    return stack.enter_context(Terminal(["bash", "-c", f"exec {command}"], settings(), columns, rows, ROOT))


def make_run() -> str:
    """The first command of the README; the second run of it, since the first is all compiling."""
    up = f"{sys.executable} {ROOT / 'local' / 'stack.py'} up --dir {FOLDER} --debug"
    demo = f"{TOOLS / 'ministack' / 'bin' / 'python'} -m demo --env {FOLDER / 'stack.env'}"
    with ExitStack() as stack:
        terminal = opened(stack, f"bash -c 'echo $ make run; {up} && {demo}'", 142, 60)
        terminal.until("routes answered in")
        return terminal.svg("make run", "routes answered in")


def monitor() -> str:
    """Five terminals at one queue, half a minute after they were opened."""
    page = (ROOT / "docs" / "five-terminals.md").read_text()
    commands = [line.strip() for line in page.splitlines() if line.strip().startswith("sluice ")][:6]
    sluice(*commands[0].split()[1:])
    with ExitStack() as stack:
        shown = opened(stack, commands[1], 97, 30)
        others = [opened(stack, command) for command in commands[2:]]
        shown.until("in flight")
        for _ in range(40):
            shown.read(1.0)
            for other in others:
                other.read(0.01)
        picture = shown.svg(commands[1])
    for queue in ("donors", "donors-dlq"):
        sluice("queue", "delete", queue, "--yes")
    return picture


def dead() -> str:
    """What lies dead once three more donors without a name, and one that is no JSON, are; what the demo sent lies there too."""
    command = ("dead", "--stack", STACK_NAME)
    before = letters(sluice(*command))
    bodies = ['{"name": ""}'] * 3 + ["no JSON"]
    for body in bodies:
        sluice("send", settings()["JobQueueUrl"], "--body", body, "--attribute", "JobType=NewDonor")
    with step("waiting for the dead letters"):
        until = time.monotonic() + PATIENCE_SECONDS
        while letters(said := sluice(*command)) < before + len(bodies):
            if time.monotonic() > until:
                raise Failed(f"the dead letters did not come:\n{said}")
    return f"$ sluice {' '.join(command)}\n{said.rstrip()}"


def letters(said: str) -> int:
    """How many there are, as `sluice dead` says it."""
    found = re.search(r"^sluice: (\d+) dead letters?$", said, re.M)
    return int(found[1]) if found else 0


def tops() -> tuple[str, str]:
    """The account's flow, and what Enter shows of a dead-letter queue."""
    with ExitStack() as stack:
        terminal = opened(stack, f"sluice top --stack {STACK_NAME}", 80, 34)
        terminal.until("dead jobs-dead")
        terminal.read(8.0)
        flow = "\n".join(terminal.lines()).rstrip()
        # Below the screen's own two lines.
        at = next(index for index, line in enumerate(terminal.lines()) if "dead jobs-dead" in line) - 2
        terminal.press("\x1b[B" * at + "\r")
        terminal.until("rejected")
        terminal.press("r")
        terminal.until("y/N")
        return flow, "\n".join(terminal.lines()).rstrip()


def watch() -> str:
    """An edit, one that does not compile, and its mending."""
    before = LOGGER.read_text()
    sentence = '"notification received"'
    if sentence not in before:
        raise Failed(f"{LOGGER.relative_to(ROOT)} has no {sentence}")
    try:
        with ExitStack() as stack:
            terminal = opened(stack, f"{TOOLS / 'ministack' / 'bin' / 'python'} local/watch.py --dir {FOLDER}", 140, 30)
            terminal.until("watching functions/")
            LOGGER.write_text(before.replace(sentence, '"notification seen"'))
            terminal.until("sns-logger live after")
            LOGGER.write_text(before.replace(sentence, "notification_received"))
            terminal.until("the old code stays")
            LOGGER.write_text(before)
            terminal.until("sns-logger live after", times=2)
            return "\n".join(line for line in terminal.lines() if line)
    finally:
        LOGGER.write_text(before)


def put(texts: dict[str, str]) -> None:
    """Writes each text into the block that bears its name."""
    missing = set(texts)
    for page in (ROOT / "docs").glob("*.md"):
        before = page.read_text()

        def one(found: re.Match[str]) -> str:
            missing.discard(found["name"])
            return found[1] + re.sub(r"\n{3,}", "\n\n", texts[found["name"]]) + found[3]

        after = MADE.sub(one, before)
        if after != before:
            page.write_text(after)
    if missing:
        raise Failed(f"no page has a place for {', '.join(sorted(missing))}")


def draw() -> None:
    """Makes all of them."""
    up = [sys.executable, ROOT / "local" / "stack.py"]
    try:
        if subprocess.run([*up, "up", "--dir", FOLDER, "--debug"], cwd=ROOT).returncode:
            raise Failed("no stack, no pictures")
        images = ROOT / "docs" / "images"
        for name, make in (("make-run", make_run), ("monitor", monitor)):
            say(f"drawing {name}")
            (images / f"{name}.svg").write_text(make())
        texts = {"dead": dead()}
        texts["top"], texts["letters"] = tops()
        texts["watch"] = watch()
        put(texts)
    finally:
        subprocess.run([*up, "down", "--dir", FOLDER], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(exit_code(draw))
