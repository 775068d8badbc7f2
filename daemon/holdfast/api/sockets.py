"""The listening Unix socket: never wider than its mode, never stolen from a daemon that still answers."""

from __future__ import annotations

import socket
import stat
from contextlib import suppress
from pathlib import Path

MODE = 0o660
"""Owner and group: whoever may speak here is a technician."""
BACKLOG = 64


class InUseError(RuntimeError):
    """Another process answers at this path, or what is there is no socket."""


def listen(path: Path) -> socket.socket:
    """Bind and listen at `path`; a socket file nobody answers at is replaced. Raises InUseError, OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(MODE)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def remove(path: Path, inode: int) -> None:
    """Take the socket file away if it is still the one with this inode."""
    with suppress(FileNotFoundError):
        if path.stat().st_ino == inode:
            path.unlink()


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise InUseError(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except FileNotFoundError:
            return
    raise InUseError(f"another daemon answers at {path}")
