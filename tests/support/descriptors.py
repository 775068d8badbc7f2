"""Counting what is left open."""

from __future__ import annotations

from pathlib import Path


def open_descriptors() -> int:
    """File descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))
