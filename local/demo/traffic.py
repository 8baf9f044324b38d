"""Sends traffic through every route of a stack, waits for what shows that it arrived, and prints the table."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from typing import Mapping

import clients
from console import say
from demo.evidence import Proof, Route
from demo.function_log import FunctionLog
from demo.jobs import Jobs
from demo.streams import Streams
from demo.table import render
from demo.uploads import Uploads

ROUTE_COLUMNS, SENT_COLUMNS, TOOK_COLUMNS = 43, 35, 7
LEAST_COLUMNS = 140
"""The table's width where the terminal is narrower, or is none."""


@dataclass(frozen=True)
class Pace:
    """How long a route may take, and how often it is looked for."""

    patience_seconds: float
    pause_seconds: float
    clocks_differ_seconds: float
    """Lines are looked for from so long before the start."""


def send(outputs: Mapping[str, str], run: str, pace: Pace) -> list[Route]:
    """Sends all of it, and shows what became of it; returns the routes that showed nothing."""
    started = time.time()
    log = FunctionLog(clients.client(outputs, "logs"), clients.log_groups(outputs), since=started - pace.clocks_differ_seconds)
    say(f"sending traffic through every route ({run}) …")
    routes = [route for part in (Uploads, Jobs, Streams) for route in part(outputs, run).send()]
    proofs = _wait_for(routes, log, pace)
    say()
    rows = [_row(route, proofs.get(index)) for index, route in enumerate(routes)]
    for line in render(("ROUTE", "SENT", "SEEN", "TOOK"), rows, _limits()):
        say(line)
    say()
    silent = [route for index, route in enumerate(routes) if index not in proofs]
    if not silent:
        say(f"all {len(routes)} routes answered in {time.time() - started:.1f} s")
    return silent


def _wait_for(routes: list[Route], log: FunctionLog, pace: Pace) -> dict[int, Proof]:
    proofs: dict[int, Proof] = {}
    until = time.monotonic() + pace.patience_seconds
    while len(proofs) < len(routes) and time.monotonic() < until:
        lines = log.read()
        for index, route in enumerate(routes):
            if index not in proofs:
                proof = route.check(lines)
                if proof:
                    proofs[index] = proof
        if sys.stdout.isatty():
            print(f"\r\x1b[2K{len(proofs)} of {len(routes)} routes answered", end="", flush=True)
        time.sleep(pace.pause_seconds)
    if sys.stdout.isatty():
        print("\r\x1b[2K", end="", flush=True)
    return proofs


def _limits() -> tuple[int, int, int, int]:
    columns = max(LEAST_COLUMNS, shutil.get_terminal_size((LEAST_COLUMNS, 24)).columns)
    seen = columns - ROUTE_COLUMNS - SENT_COLUMNS - TOOK_COLUMNS - 6
    return ROUTE_COLUMNS, SENT_COLUMNS, seen, TOOK_COLUMNS


def _row(route: Route, proof: Proof | None) -> tuple[str, str, str, str]:
    if proof is None:
        return route.name, route.sent, "SILENT", "-"
    return route.name, route.sent, proof.text, f"{max(0.0, proof.at - route.started):.2f} s"
