"""A picture for the demo to upload, made here: no file to carry along, and no library to draw with."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A sky over water, as a PNG."""
    rows = b"".join(b"\0" + _row(y, width, height) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _row(y: int, width: int, height: int) -> bytes:
    horizon, sun, radius = height * 5 // 8, (width * 2 // 3, height // 3), height // 8
    pixels = bytearray()
    for x in range(width):
        if (x - sun[0]) ** 2 + (y - sun[1]) ** 2 < radius**2:
            pixels += bytes((255, 214, 110))
        elif y < horizon:
            pixels += bytes((60 + 120 * y // horizon, 120 + 100 * y // horizon, 220))
        else:
            depth = (y - horizon) * 100 // (height - horizon)
            pixels += bytes((20, 90 - depth // 2, 150 - depth))
    return bytes(pixels)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
