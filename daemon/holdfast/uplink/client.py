"""aiomqtt's client, showing what it hides: PUBACK codes, manual acks, the loss of a connection at once.

The only module that leans on aiomqtt's inside; a test names every attribute it needs.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from holdfast.config import Uplink
from holdfast.uplink.port import LostError, Message, Will
from holdfast_contract.wire import CONTENT_TYPE

WINDOW = 20
"""QoS 1 publishes in flight: the default of paho and of mosquitto; paho ignores the broker's Receive Maximum."""
MAX_PACKET = 1024 * 1024
"""Bytes of the largest packet an MQTT 5 broker may send us."""


@dataclass(frozen=True, slots=True)
class Credentials:
    password: str | None
    tls: ssl.SSLContext | None


def load_credentials(config: Uplink) -> Credentials:
    """Read key files, afresh for every connection so that a renewed certificate is used. Raises OSError."""
    password = Path(config.password_file).read_text(encoding="utf-8").strip() if config.password_file else None
    if not config.tls:
        return Credentials(password, None)
    context = ssl.create_default_context(cafile=config.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.cert_file:
        context.load_cert_chain(config.cert_file, config.key_file or None)
    return Credentials(password, context)


def properties(kind: int, **values: Any) -> Properties:
    """MQTT 5 properties of a packet type."""
    made = Properties(kind)  # type: ignore[no-untyped-call]  # paho leaves its constructor untyped
    for name, value in values.items():
        setattr(made, name, value)
    return made


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what the wire says."""

    received: Callable[[Message], None]
    confirmed: Callable[[int, int], None]
    """Message id and PUBACK reason code; MQTT 3.1.1 has no code and gives 0."""
    ended: Callable[[str], None]
    """Once, in words, when the connection is gone."""


class Client(aiomqtt.Client):
    """One connection. Opened and closed by methods of its own, never entered and never used twice.

    aiomqtt's way in runs in the default thread pool and cannot be cancelled; its way out waits; a client used again
    replays what paho still holds.
    """

    def __init__(
        self, config: Uplink, client_id: str, *, will: Will, credentials: Credentials, listener: Listener
    ) -> None:
        v5 = config.protocol == "5"
        super().__init__(
            config.host,
            config.port,
            identifier=client_id,
            username=config.username or None,
            password=credentials.password,
            protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if v5 else True,
            clean_start=True if v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=config.keepalive,
            timeout=config.publish_timeout,
            max_inflight_messages=WINDOW,
            properties=_connect_properties(will) if v5 else None,
            tls_context=credentials.tls,
            will=aiomqtt.Will(will.topic, will.payload, 1, True, _will_properties(will) if v5 else None),
        )
        self._listener = listener
        self._disconnected.add_done_callback(lambda future: listener.ended(str(future.exception() or "disconnected")))
        self._trouble = ""
        self._client.disable_logger()
        self._client.on_log = self._note_trouble
        self._client.manual_ack_set(True)
        self._client.connect_timeout = config.publish_timeout
        self._client.on_message = self._take
        self._client.on_publish = self._note_puback
        self._client.on_disconnect = self._note_disconnect

    async def open(self, pool: Executor) -> None:
        """Connect and wait for CONNACK. Raises OSError or MqttError. A socket that comes too late is closed."""
        connecting = self._loop.run_in_executor(pool, self._client_connect)
        try:
            await asyncio.shield(connecting)
            self._client.on_socket_register_write = self._watch_write
            await asyncio.wait((self._connected, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            (self._connected if self._connected.done() else self._disconnected).result()
        except BaseException:
            connecting.add_done_callback(lambda _: self.hang_up("not connected"))
            raise
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def close(self, limit: float) -> None:
        """Send DISCONNECT, wait at most `limit` seconds until it is out, close the socket."""
        if not self._disconnected.done() and self._client.disconnect() == paho.MQTT_ERR_SUCCESS:
            await asyncio.wait((self._disconnected,), timeout=limit)
        self.hang_up("closed")

    def hang_up(self, why: str) -> None:
        """Close the socket at once and forget every message paho still holds. Idempotent."""
        if not self._disconnected.done():
            self._disconnected.set_exception(aiomqtt.MqttError(why))
        self._client.reinitialise()

    def hand_over(self, topic: str, payload: bytes, *, retain: bool, hints: Properties | None) -> int:
        """Give a QoS 1 publish to paho; its message id. Raises LostError."""
        info = self._client.publish(topic, payload, 1, retain, hints)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise LostError(f"could not publish: {paho.error_string(info.rc)}")
        return int(info.mid)

    def confirm(self, message: Message) -> None:
        """Send the PUBACK of an incoming message."""
        self._client.ack(message.mid, message.qos)

    async def ask_for(self, filters: tuple[str, ...]) -> list[int]:
        """Subscribe at QoS 1; the SUBACK's codes. Raises MqttError."""
        codes = await self.subscribe([(topic, 1) for topic in filters])
        return [code.value if isinstance(code, ReasonCode) else code for code in codes]

    def _take(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        self._listener.received(
            Message(message.topic, bytes(message.payload), message.retain, message.qos, message.mid)
        )

    def _note_puback(
        self, _client: paho.Client, _userdata: Any, mid: int, code: ReasonCode, _properties: Properties
    ) -> None:
        self._listener.confirmed(mid, code.value)

    def _note_disconnect(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        """Ends the connection in every state; aiomqtt's own callback ignores a loss before CONNACK."""
        if not self._disconnected.done():
            self._disconnected.set_exception(aiomqtt.MqttError(f"disconnected: {self._trouble or code}"))

    def _note_trouble(self, _client: paho.Client, _userdata: Any, level: int, text: str) -> None:
        """Keep paho's own words for what broke the socket: a TLS alert is told nowhere else."""
        if level == paho.MQTT_LOG_ERR:
            self._trouble = text

    def _watch_write(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        """Watch the socket now; aiomqtt's detour over the loop's queue may meet a closed or reused descriptor."""
        self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except (OSError, ValueError) as error:
            self.hang_up(str(error))


def _connect_properties(will: Will) -> Properties:
    """The session outlives the connection by the will's delay: the broker ends both at whichever comes first."""
    return properties(
        PacketTypes.CONNECT, SessionExpiryInterval=will.delay, ReceiveMaximum=WINDOW, MaximumPacketSize=MAX_PACKET
    )


def _will_properties(will: Will) -> Properties:
    return properties(PacketTypes.WILLMESSAGE, WillDelayInterval=will.delay, ContentType=CONTENT_TYPE)
