"""A folder of printed receipts: NNNN.txt for each, NNNN.png for some."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.render import to_png, to_text


@dataclass(frozen=True, slots=True)
class Saved:
    number: int
    text: str
    txt: Path
    png: Path | None


class ReceiptFolder:
    """Numbers receipts from 1 on; draws every `png_every`-th, none when 0."""

    def __init__(self, folder: Path, *, png_every: int = 1) -> None:
        self._folder = folder
        self._png_every = png_every
        self._count = 0

    async def save(self, receipt: Receipt) -> Saved:
        """Render and write in a thread. One at a time, or the order of numbers is not that of the calls."""
        return await asyncio.to_thread(self.write, receipt)

    def write(self, receipt: Receipt) -> Saved:
        self._count += 1
        return self._write(self._count, receipt)

    def _write(self, number: int, receipt: Receipt) -> Saved:
        self._folder.mkdir(parents=True, exist_ok=True)
        text = to_text(receipt)
        txt = self._folder / f"{number:04d}.txt"
        txt.write_text(text, encoding="utf-8")
        png = None
        if self._png_every and number % self._png_every == 0:
            png = txt.with_suffix(".png")
            png.write_bytes(to_png(receipt))
        return Saved(number, text, txt, png)
