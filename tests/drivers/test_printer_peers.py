"""Other projects' printer software on the same bytes: npos takes ESC/POS apart, receipt-printer-encoder speaks Star.

`make peers` installs them, pinned by tests/peers/package-lock.json. Without node or them: skipped, with that reason.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.printers.commands import Command, Tokeniser
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Line, Pulse, Receipt, Run, Symbol
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import symbol_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.star_interpreter import STAR
from printer_streams import ESCPOS_STREAMS, Printed

HOUSE = Path(__file__).parents[2]
COMMANDS = [stream for stream in ESCPOS_STREAMS if stream.kind == "commands"]
MODELS = ("TM-T20II", "TM-T88V", "TM-U220", "POS-5890", "NT-5890K", "ZJ-5870")
NOT_AT_ALL = frozenset(b"\x00\x07\x09\x0a\x0d\x12")
"""Controls that npos counts as text."""
BEMATECH_QR = b"\x1dkQ"
"""A form of GS k that Epson's reference does not have; npos reads a length where Bematech puts the QR code's size."""


def peers(package: str, task: str, question: object = None) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: no other decoder is asked")
    path = os.pathsep.join(filter(None, (os.environ.get("NODE_PATH"), str(HOUSE / "out" / "peers" / "node_modules"))))
    script = HOUSE / "tests" / "peers" / "peers.cjs"
    environment = {**os.environ, "NODE_PATH": path}
    asked = json.dumps(question).encode()
    done = subprocess.run([node, script, task], input=asked, capture_output=True, check=False, env=environment)
    if b"Cannot find module" in done.stderr:
        pytest.skip(f"{package} is not installed (make peers): no other decoder is asked")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def commands(data: bytes) -> dict[int, int]:
    """Length of each by its offset."""
    tokens = list(Tokeniser().feed(data))
    sizes = [len(t.prefix) + len(t.args) if isinstance(t, Command) else len(t.data) for t in tokens]
    starts = accumulate(sizes, initial=0)
    return {
        start: size
        for token, start, size in zip(tokens, starts, sizes, strict=False)
        if isinstance(token, Command) and not (len(token.prefix) == 1 and token.prefix[0] in NOT_AT_ALL)
    }


def compare(files: Sequence[Path]) -> tuple[int, int]:
    """How many commands npos finds exactly where we do, and how many it does not know."""
    ours = [commands(file.read_bytes()) for file in files]
    question = [{"file": str(file), "sizes": sizes} for file, sizes in zip(files, ours, strict=True)]
    agreed = unknown = 0
    for file, sizes, theirs in zip(files, ours, peers("npos", "commands", question), strict=True):
        data = file.read_bytes()
        assert sorted([at for at, _ in theirs["known"]] + theirs["unknown"]) == list(sizes), file.name
        for at, size in theirs["known"]:
            mine, other = data[at : at + sizes[at]], data[at : at + size]
            assert mine.rstrip(b"\0") == other.rstrip(b"\0") or mine.startswith(BEMATECH_QR), (file.name, at)
        agreed += len(theirs["known"])
        unknown += len(theirs["unknown"])
    return agreed, unknown


def test_npos_finds_the_same_commands_in_other_peoples_streams() -> None:
    """In every one, but for commands it does not know; it counts NULs behind a command as part of it."""
    agreed, unknown = compare([stream.path for stream in COMMANDS])
    print(f"npos agrees on {agreed} commands in {len(COMMANDS)} streams and does not know {unknown}")
    assert agreed >= 11_000
    assert unknown <= agreed / 50


def test_npos_finds_the_commands_of_our_receipts(tmp_path: Path) -> None:
    for name in MODELS:
        (tmp_path / name).write_bytes(encode(SAMPLE, load_profile(name)))
    agreed, unknown = compare(sorted(tmp_path.iterdir()))
    print(f"npos agrees on {agreed} commands of ours and does not know {unknown}")
    assert agreed >= 20 * len(MODELS)
    assert unknown <= 5 * len(MODELS), "GS ( k, the QR code's"


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
