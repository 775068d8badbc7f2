"""What TCP links alone promise; the rest of a link's contract is in hil/conformance."""

from __future__ import annotations

import asyncio
import socket

import pytest

from holdfast_drivers.links.tcp import tcp_opener
from holdfast_drivers.values import DeviceError


async def kind_of_failed_open(host: str, port: int) -> str:
    with pytest.raises(DeviceError) as caught:
        await tcp_opener(host, port)()
    return caught.value.kind


async def test_nobody_listening_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await kind_of_failed_open("127.0.0.1", taken.getsockname()[1]) == "refused"


async def test_a_name_that_does_not_resolve_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    assert await kind_of_failed_open("no.such.printer", 9100) == "absent"


async def test_a_host_that_never_answers_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_drivers.links.tcp.OPEN_TIMEOUT", 0.05)
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", lambda *_: asyncio.sleep(60))
    assert await kind_of_failed_open("127.0.0.1", 9100) == "absent"


async def test_a_peer_that_vanishes_is_looked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = await tcp_opener(*server.getsockname())()
        with socket.socket(fileno=link._fd) as sock:  # type: ignore[attr-defined]  # the options are seen only there
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 5
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            sock.detach()
        await link.close()
