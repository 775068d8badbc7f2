"""Other projects' printer software on the same bytes: npos takes ESC/POS apart, receipt-printer-encoder speaks Star.

    npm install --ignore-scripts --prefix out/peers npos@0.1.19 @point-of-sale/receipt-printer-encoder@3.0.3

Skipped, and says so, where node or they are absent.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.printers.commands import Command, Tokeniser
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Line, Pulse, Receipt, Run, Symbol
from holdfast_drivers.printers.render import symbol_text
from holdfast_drivers.printers.star_interpreter import STAR
from printer_streams import ESCPOS_STREAMS, Printed, Stream

HOUSE = Path(__file__).parents[2]
COMMANDS = [stream for stream in ESCPOS_STREAMS if stream.kind == "commands"]
NOT_AT_ALL = frozenset(b"\x00\x07\x09\x0a\x0d\x12")
"""Controls that npos counts as text."""


def peers(package: str, *arguments: str) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: no other decoder is asked")
    path = os.pathsep.join(filter(None, (os.environ.get("NODE_PATH"), str(HOUSE / "out" / "peers" / "node_modules"))))
    script = HOUSE / "tests" / "peers.cjs"
    environment = {**os.environ, "NODE_PATH": path}
    done = subprocess.run([node, script, *arguments], capture_output=True, check=False, env=environment)
    if b"Cannot find module" in done.stderr:
        pytest.skip(f"{package} is not installed: no other decoder is asked")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def commands(stream: Stream) -> list[tuple[int, int]]:
    """Offset and length of each."""
    tokens = list(Tokeniser().feed(stream.data))
    sizes = [len(t.prefix) + len(t.args) if isinstance(t, Command) else len(t.data) for t in tokens]
    starts = accumulate(sizes, initial=0)
    return [
        (start, size)
        for token, start, size in zip(tokens, starts, sizes, strict=False)
        if isinstance(token, Command) and not (len(token.prefix) == 1 and token.prefix[0] in NOT_AT_ALL)
    ]


def test_npos_finds_the_same_commands() -> None:
    """Wherever it knows all of them; it counts NULs behind a command as part of it."""
    theirs = peers("npos", "commands", *(str(stream.path) for stream in COMMANDS))
    compared = 0
    for stream, found in zip(COMMANDS, theirs, strict=True):
        if found is not None:
            data = stream.data
            trimmed = [(at, len(data[at : at + size].rstrip(b"\0"))) for at, size in found]
            ours = [(at, len(data[at : at + size].rstrip(b"\0"))) for at, size in commands(stream)]
            assert ours == trimmed, stream.name
            compared += 1
    print(f"npos agrees on {compared} streams, gives up on {len(COMMANDS) - compared}")
    assert compared >= 40


def test_a_receipt_of_receipt_printer_encoder_is_on_paper() -> None:
    data = bytes.fromhex(peers("receipt-printer-encoder", "star"))
    interpreter = Interpreter(576, language=STAR)
    items = interpreter.feed(data)
    assert (interpreter.unknown, interpreter.pending) == (0, 0)
    lines = Printed([Receipt(576, tuple(items))], 0, 0).lines()
    assert lines == ["Zoé & Co, 12,50 €", "T o t a l"]
    runs = [piece for item in items if isinstance(item, Line) for piece in item.pieces if isinstance(piece, Run)]
    assert [run.style.bold for run in runs if "€" in run.text] == [True]
    symbols = [(item.kind, symbol_text(item)) for item in items if isinstance(item, Symbol)]
    assert symbols == [("ean13", "4006381333931"), ("code128", "HOLD-128"), ("qr", "https://example.org/r/42")]
    assert [item for item in items if isinstance(item, Cut | Pulse)] == [Pulse(0, 200), Cut(full=False)]
