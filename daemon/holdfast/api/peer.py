"""Who is at the other end of a Unix socket: the kernel knows (SO_PEERCRED, unix(7))."""

from __future__ import annotations

import pwd
import socket
import struct

from aiohttp import web

from holdfast.domain.operator import TECHNICIAN_ACTOR

_UCRED = struct.Struct("3i")
"""pid, uid, gid."""


def actor(request: web.Request) -> str:
    """`technician:` and the login name, or the uid when it has none."""
    assert request.transport is not None
    connection: socket.socket = request.transport.get_extra_info("socket")
    _, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    try:
        return TECHNICIAN_ACTOR + pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"{TECHNICIAN_ACTOR}{uid}"
