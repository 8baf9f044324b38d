"""A terminal without a window: runs a command in it, presses keys, and reads or draws its screen."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path
from typing import Mapping, Sequence

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from console import Failed

PATIENCE_SECONDS = 120.0


class Terminal:
    """One command in a terminal of this size; ended when the block is."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], columns: int, rows: int, folder: Path) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(str(command[0]), [str(word) for word in command], {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.process, signal.SIGTERM)
        while self.read(0.2):
            pass
        os.waitpid(self.process, 0)
        os.close(self.terminal)

    def read(self, seconds: float) -> bool:
        """Takes what is written within this time; false when the command has ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    written = os.read(self.terminal, 65_536)
                except OSError:
                    return False
                if not written:
                    return False
                self.stream.feed(written)
        return True

    def until(self, text: str, times: int = 1) -> None:
        """Reads until so many of the screen's lines have this text."""
        end, runs = time.monotonic() + PATIENCE_SECONDS, True
        while sum(text in line for line in self.screen.display) < times:
            if not runs or time.monotonic() > end:
                raise Failed(f"the screen never said {text!r}:\n" + "\n".join(self.lines()))
            runs = self.read(0.1)

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self.terminal, keys.encode())

    def lines(self) -> list[str]:
        """The screen's text."""
        return [line.rstrip() for line in self.screen.display]

    def svg(self, title: str, last: str = "") -> str:
        """The screen as a picture, down to the line with this text."""
        rows = self.screen.lines
        if last:
            rows = next(index for index, line in enumerate(self.screen.display) if last in line) + 1
        console = Console(record=True, width=self.screen.columns, file=io.StringIO())
        for row in range(rows):
            console.print(self._row(row), no_wrap=True, overflow="crop")
        return console.export_svg(title=title)

    def _row(self, row: int) -> Text:
        text = Text()
        for column in range(self.screen.columns):
            char = self.screen.buffer[row][column]
            text.append(char.data, Style(color=_colour(char.fg), bgcolor=_colour(char.bg), bold=char.bold, reverse=char.reverse))
        text.rstrip()
        return text


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name.lower()):
        return f"#{name}"
    return {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))
