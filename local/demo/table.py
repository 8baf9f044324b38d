"""Aligned columns for a terminal, wide letters counted as two."""

from __future__ import annotations

import unicodedata
from typing import Sequence

from console import escape_controls


def width(text: str) -> int:
    """The columns `text` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns`, marked when shortened."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept + char) > columns - 1:
            break
        kept += char
    return kept + "…"


def render(header: Sequence[str], rows: Sequence[Sequence[str]], limits: Sequence[int]) -> list[str]:
    """Lines of a table whose columns are as wide as their text, up to `limits`."""
    cells = [[cut(escape_controls(cell), limit) for cell, limit in zip(row, limits)] for row in [header, *rows]]
    widths = [max(width(row[column]) for row in cells) for column in range(len(header))]
    lines = ["  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths)).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * size for size in widths), *lines[1:]]
