"""Logging: to stderr, one line an entry; the system routes it. Pretty on a terminal, plain key order elsewhere."""

from __future__ import annotations

import logging
import sys


def set_up(*, verbose: bool = False) -> None:
    """Call once, before any library configures logging on its own."""
    handler = logging.StreamHandler(sys.stderr)
    form = (
        "%(asctime)s %(levelname)s %(name)s: %(message)s"
        if sys.stderr.isatty()
        else "%(levelname)s %(name)s: %(message)s"
    )
    handler.setFormatter(logging.Formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("aiohttp.access", "asyncio", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
