"""The MQTT port over aiomqtt 2. It carries bytes and says truly what became of them; topics mean nothing here.

docs/decisions/0005-mqtt-port.md lists what the library hides or gets wrong, and how each is handled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from holdfast.config import Uplink
from holdfast.uplink.client import WINDOW, Client, Credentials, Listener, load_credentials, properties
from holdfast.uplink.port import LostError, Message, RefusedError, Session, Will
from holdfast_contract.wire import CONTENT_TYPE

ACCEPTED = frozenset({0x00, 0x10})
"""PUBACK success, and success with no matching subscribers (MQTT 5, 3.4.2.1)."""
FAILURE = 0x80
"""SUBACK codes from here on are refusals (MQTT 5, 3.9.3; MQTT 3.1.1, 3.9.3)."""
GOODBYE_S = 1.0
"""Seconds a disconnect may take before the socket is simply closed."""


class Broker:
    """Opens connections to the configured broker, one after another, always as the same client id."""

    def __init__(self, config: Uplink, client_id: str) -> None:
        self._config = config
        self._client_id = client_id
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="uplink-connect")

    @asynccontextmanager
    async def connect(self, will: Will) -> AsyncIterator[Session]:
        """A new connection; a `Connect`. Raises LostError when none can be made within `publish_timeout`."""
        try:
            async with asyncio.timeout(self._config.publish_timeout):
                connection = await self._open(will)
        except TimeoutError:
            raise LostError(f"{self._config.host} did not answer within {self._config.publish_timeout:g} s") from None
        except (OSError, ValueError, aiomqtt.MqttError) as error:
            raise LostError(f"no connection to {self._config.host}: {error}") from error
        try:
            yield connection
        finally:
            await connection.close()

    async def _open(self, will: Will) -> Connection:
        loop = asyncio.get_running_loop()
        credentials = await loop.run_in_executor(self._pool, load_credentials, self._config)
        connection = Connection(self._config, self._client_id, will, credentials)
        await connection.open(self._pool)
        return connection

    def close(self) -> None:
        """Let go of the connecting thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Connection:
    """A Session. Made once, opened once, closed once."""

    def __init__(self, config: Uplink, client_id: str, will: Will, credentials: Credentials) -> None:
        self._limit = config.publish_timeout
        self._v5 = config.protocol == "5"
        listener = Listener(self._received, self._confirmed, self._ended)
        self._client = Client(config, client_id, will=will, credentials=credentials, listener=listener)
        self._window = asyncio.Semaphore(WINDOW)
        self._confirmations: dict[int, asyncio.Future[int]] = {}
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self, pool: Executor) -> None:
        """Connect. Raises OSError, MqttError."""
        await self._client.open(pool)

    async def close(self) -> None:
        """Disconnect, politely for GOODBYE_S at most."""
        await self._client.close(GOODBYE_S)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: int | None = None) -> None:
        async with self._window:
            self._check()
            code = await self._confirmation(topic, payload, retain=retain, hints=self._hints(retain, expiry))
        if code not in ACCEPTED:
            raise RefusedError(topic, code)

    async def _confirmation(self, topic: str, payload: bytes, *, retain: bool, hints: Properties | None) -> int:
        """The PUBACK's reason code. Silence condemns the connection: what paho still holds must not be sent later."""
        mid = self._client.hand_over(topic, payload, retain=retain, hints=hints)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._confirmations[mid] = future
        try:
            async with asyncio.timeout(self._limit):
                return await future
        except TimeoutError:
            self._client.hang_up(f"no PUBACK within {self._limit:g} s")
            raise LostError(f"no PUBACK for {topic} within {self._limit:g} s") from None
        finally:
            self._confirmations.pop(mid, None)

    def _hints(self, retain: bool, expiry: int | None) -> Properties | None:
        """For readers without our contract. A batch carries none: they would weigh a third of a record."""
        if not self._v5 or not (retain or expiry):
            return None
        values: dict[str, str | int] = {"ContentType": CONTENT_TYPE} if retain else {}
        if expiry:
            values["MessageExpiryInterval"] = expiry
        return properties(PacketTypes.PUBLISH, **values)

    async def subscribe(self, *filters: str) -> None:
        self._check()
        asking = asyncio.create_task(self._client.ask_for(filters), name="uplink-subscribe")
        try:
            await asyncio.wait((asking, self._lost), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise LostError(self._lost.result())
            codes = asking.result()
        except aiomqtt.MqttError as error:
            raise LostError(f"no SUBACK: {error}") from error
        finally:
            asking.cancel()
        for topic, code in zip(filters, codes, strict=True):
            if code >= FAILURE:
                raise RefusedError(topic, code)

    async def receive(self) -> Message:
        message = await self._inbox.get()
        if message is None:
            self._inbox.put_nowait(None)
            raise LostError(self._lost.result())
        return message

    def acknowledge(self, message: Message) -> None:
        if message.qos:
            self._client.confirm(message)

    def _check(self) -> None:
        if self._lost.done():
            raise LostError(self._lost.result())

    def _received(self, message: Message) -> None:
        self._inbox.put_nowait(message)

    def _confirmed(self, mid: int, code: int) -> None:
        future = self._confirmations.get(mid)
        if future is not None and not future.done():
            future.set_result(code)

    def _ended(self, why: str) -> None:
        self._lost.set_result(why)
        self._inbox.put_nowait(None)
        for future in self._confirmations.values():
            if not future.done():
                future.set_exception(LostError(why))
