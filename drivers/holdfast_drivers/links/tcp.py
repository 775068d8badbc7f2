"""TCP byte streams: network printers (port 9100), serial device servers."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Any

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds for name resolution and connection together."""

KEEPALIVE_INTERVAL = 5
"""Seconds between probes of an idle peer; after KEEPALIVE_PROBES of them without an answer it counts as unplugged."""
KEEPALIVE_PROBES = 3


def tcp_opener(host: str, port: int) -> Opener:
    """Connects to `host`:`port`. An idle peer that vanishes without a word is unplugged after about 20 s."""

    async def open_link() -> Link:
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                sock = await _connect(host, port)
        except ConnectionRefusedError as error:
            raise DeviceError("refused", f"{host}:{port}: nobody listens") from error
        except OSError as error:
            raise DeviceError("absent", f"{host}:{port}: {str(error) or 'no answer'}") from error
        return DescriptorLink(sock.detach(), f"{host}:{port}")

    return open_link


async def _connect(host: str, port: int) -> socket.socket:
    """Tries every address of `host` in turn; raises the last one's OSError."""
    failure = OSError(f"{host} has no address")
    for family, _, _, _, address in await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return await _connect_to(family, address)
        except OSError as error:
            failure = error
    raise failure


async def _connect_to(family: socket.AddressFamily, address: Any) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Not TCP_USER_TIMEOUT: it also ends the connection to a live printer that waits for paper with a closed window.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_INTERVAL)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        await asyncio.get_running_loop().sock_connect(sock, address)
        undo.pop_all()
    return sock
