"""Where the broker is and how to reach it. One client per connection: a used one would replay what it still holds."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiomqtt

TIMEOUT = 5.0
"""Seconds for any one exchange with the broker."""
KEEPALIVE = 20
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Else an ack of ours waits behind a PUBACK until the broker's kernel has acknowledged that one, 40 ms later."""

Protocol = Literal["3.1.1", "5"]


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    protocol: Protocol = "3.1.1"
    tls: bool = False
    ca_file: Path | None = None
    """CA to trust instead of the system's."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_url(
    url: str, *, protocol: Protocol = "3.1.1", ca_file: Path | None = None, password: str | None = None
) -> Broker:
    """`mqtt://[user@]host[:1883]` or `mqtts://[user@]host[:8883]`. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{url!r}: expected mqtt://host[:port] or mqtts://host[:port]")
    if parts.password is not None:
        raise ValueError("a password in the address would be seen in the process list; give it as a file")
    tls = parts.scheme == "mqtts"
    return Broker(
        host=parts.hostname,
        port=parts.port or (8883 if tls else 1883),
        protocol=protocol,
        tls=tls,
        ca_file=ca_file,
        username=unquote(parts.username) if parts.username else None,
        password=password,
    )


def client(broker: Broker, *, identifier: str, will: aiomqtt.Will) -> aiomqtt.Client:
    """A fresh client with a clean session; entering it connects or raises aiomqtt.MqttError."""
    five = broker.protocol == "5"
    fresh = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        clean_session=None if five else True,
        will=will,
        keepalive=KEEPALIVE,
        timeout=TIMEOUT,
        socket_options=(NO_DELAY,),
        tls_context=ssl.create_default_context(cafile=broker.ca_file) if broker.tls else None,
    )
    fresh.pending_calls_threshold = 1000
    return fresh
