"""A NUT server for one UPS: what `upsc`, `upsmon` and every other NUT client may ask. Reading is free to whoever may
connect; being counted needs a user, claiming the UPS or forcing the shutdown a primary one (RFC 9271).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, NoReturn, Self

from holdfast_drivers.nut.protocol import LONGEST_LINE, PORT, PROTOCOL, NutError, quoted, tokens
from holdfast_drivers.values import DeviceError

MOST_CLIENTS = 16
IDLE = 60.0
"""Seconds of silence after which a client is dropped."""
SENDING = 5.0
"""Seconds a client may take to accept an answer."""

Role = Literal["secondary", "primary"]

DESCRIPTIONS = {
    "battery.charge": "Battery charge (percent of full)",
    "battery.charge.low": "Remaining battery level when UPS switches to LB (percent)",
    "battery.date": "Battery change date",
    "battery.runtime": "Battery runtime (seconds)",
    "battery.runtime.low": "Remaining battery runtime when UPS switches to LB (seconds)",
    "battery.temperature": "Battery temperature (degrees C)",
    "battery.type": "Battery chemistry",
    "battery.voltage": "Battery voltage (V)",
    "device.mfr": "Device manufacturer",
    "device.model": "Device model",
    "device.type": "Device type (ups, pdu, scd, psu, ats)",
    "driver.name": "Driver name",
    "driver.version": "Driver version - NUT release",
    "ups.mfr": "UPS manufacturer",
    "ups.model": "UPS model",
    "ups.status": "UPS status",
    "ups.test.date": "Date of last self test",
    "ups.test.result": "Results of last self test",
}
"""NUT's own words for the names in its registry."""


@dataclass(frozen=True, slots=True)
class User:
    """Who may be counted, and as what."""

    password: str = field(repr=False)
    role: Role = "secondary"


@dataclass(frozen=True, slots=True)
class Published:
    """The UPS that is served."""

    name: str
    description: str
    variables: Callable[[], Mapping[str, str] | None]
    """Value by NUT's name, what is unknown left out; None while nothing is known: DATA-STALE."""


@dataclass(slots=True)
class Session:
    """What one connection has said of itself."""

    peer: str
    username: str = ""
    password: str = ""
    logged_in: bool = False


class NutServer:
    """An async context manager that listens on `host`:`port` (0: any free one)."""

    def __init__(
        self,
        published: Published,
        *,
        version: str,
        host: str = "127.0.0.1",
        port: int = PORT,
        users: Mapping[str, User] | None = None,
    ) -> None:
        self._published = published
        self._version = version
        self._host = host
        self._port = port
        self._users = users or {}
        self._sessions: dict[asyncio.Task[None], Session] = {}
        self._forced = False
        self._server: asyncio.Server | None = None
        self._verbs: dict[str, Callable[[Session, list[str]], list[str]]] = {
            "LIST": self._list,
            "GET": self._get,
            "USERNAME": self._username,
            "PASSWORD": self._password,
            "LOGIN": self._login,
            "PRIMARY": lambda s, a: self._primary(s, a, "PRIMARY"),
            "MASTER": lambda s, a: self._primary(s, a, "MASTER"),
            "FSD": self._force,
            "VER": lambda _s, _a: [f"Network UPS Tools upsd {self._version} - holdfast"],
            "NETVER": lambda _s, _a: [PROTOCOL],
            "PROTVER": lambda _s, _a: [PROTOCOL],
            "HELP": lambda _s, _a: ["Commands: " + " ".join(self._verbs)],
            "LOGOUT": lambda _s, _a: ["OK Goodbye"],
            "STARTTLS": lambda _s, _a: _refuse("FEATURE-NOT-SUPPORTED"),
            "SET": lambda _s, _a: _refuse("ACCESS-DENIED"),
            "INSTCMD": lambda _s, _a: _refuse("ACCESS-DENIED"),
        }

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, self._port, limit=LONGEST_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        session = Session(str(writer.get_extra_info("peername", ("?",))[0]))
        try:
            if len(self._sessions) < MOST_CLIENTS:
                self._sessions[task] = session
                await self._converse(session, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, slept or would not listen, or the server ends: the connection is all there is
        finally:
            self._sessions.pop(task, None)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        leaving = False
        while not leaving:
            try:
                async with asyncio.timeout(IDLE):
                    line = (await reader.readuntil(b"\n")).decode("ascii", "replace")
                lines, leaving = self.answer(session, line), line.split()[:1] in (["LOGOUT"], ["logout"])
            except asyncio.LimitOverrunError:
                lines, leaving = ["ERR TOO-LONG"], True
            async with asyncio.timeout(SENDING):
                writer.write("".join(f"{each}\n" for each in lines).encode("utf-8"))
                await writer.drain()

    def answer(self, session: Session, line: str) -> list[str]:
        """The lines that answer one line."""
        try:
            words = tokens(line)
            verb = self._verbs.get(words[0].upper()) if words else None
            if verb is None:
                _refuse("UNKNOWN-COMMAND")
            return verb(session, words[1:])
        except NutError as error:
            return [f"ERR {error.code}"]
        except DeviceError:
            return ["ERR INVALID-ARGUMENT"]

    # Questions

    def _list(self, _: Session, words: list[str]) -> list[str]:
        kind, *rest = words or [""]
        kind = kind.upper()
        if kind == "UPS" and not rest:
            return _block("UPS", [f"UPS {self._published.name} {quoted(self._published.description)}"])
        if kind not in ("VAR", "RW", "CMD", "CLIENT", "ENUM", "RANGE"):
            _refuse("INVALID-ARGUMENT")
        name = self._named(rest)
        if kind == "VAR":
            return _block(f"VAR {name}", [f"VAR {name} {n} {quoted(v)}" for n, v in sorted(self._values().items())])
        if kind == "CLIENT":
            return _block(f"CLIENT {name}", [f"CLIENT {name} {s.peer}" for s in self._sessions.values() if s.logged_in])
        return _block(" ".join([kind, name, *rest[1:2]]), [])

    def _get(self, _: Session, words: list[str]) -> list[str]:
        kind, *rest = words or [""]
        name = self._named(rest)
        match kind.upper(), rest[1:]:
            case "VAR", [variable]:
                return [f"VAR {name} {variable} {quoted(self._value(variable))}"]
            case "TYPE", [variable]:
                number = self._value(variable).replace(".", "", 1).isdigit()
                return [f"TYPE {name} {variable} {'NUMBER' if number else 'STRING:0'}"]
            case "DESC", [variable]:
                return [f"DESC {name} {variable} {quoted(DESCRIPTIONS.get(variable, 'Description unavailable'))}"]
            case "CMDDESC", [command]:
                return [f"CMDDESC {name} {command} {quoted('Description unavailable')}"]
            case "UPSDESC", []:
                return [f"UPSDESC {name} {quoted(self._published.description)}"]
            case "NUMLOGINS", []:
                return [f"NUMLOGINS {name} {sum(s.logged_in for s in self._sessions.values())}"]
            case _:
                raise NutError("INVALID-ARGUMENT")

    # Who asks

    def _username(self, session: Session, words: list[str]) -> list[str]:
        if session.username:
            _refuse("ALREADY-SET-USERNAME")
        session.username = _only(words)
        return ["OK"]

    def _password(self, session: Session, words: list[str]) -> list[str]:
        if session.password:
            _refuse("ALREADY-SET-PASSWORD")
        session.password = _only(words)
        return ["OK"]

    def _login(self, session: Session, words: list[str]) -> list[str]:
        self._trusted(session, "secondary", "primary")
        if session.logged_in:
            _refuse("ALREADY-LOGGED-IN")
        self._named(words)
        session.logged_in = True
        return ["OK"]

    def _primary(self, session: Session, words: list[str], word: str) -> list[str]:
        self._trusted(session, "primary")
        self._named(words)
        return [f"OK {word}-GRANTED"]

    def _force(self, session: Session, words: list[str]) -> list[str]:
        self._trusted(session, "primary")
        self._named(words)
        self._forced = True
        return ["OK FSD-SET"]

    def _trusted(self, session: Session, *roles: Role) -> None:
        if not session.username:
            _refuse("USERNAME-REQUIRED")
        if not session.password:
            _refuse("PASSWORD-REQUIRED")
        user = self._users.get(session.username)
        known = hmac.compare_digest(session.password.encode(), (user.password if user else "").encode())
        if user is None or not known or user.role not in roles:
            _refuse("ACCESS-DENIED")

    def _named(self, words: list[str]) -> str:
        if not words:
            _refuse("INVALID-ARGUMENT")
        if words[0] != self._published.name:
            _refuse("UNKNOWN-UPS")
        return words[0]

    def _values(self) -> Mapping[str, str]:
        values = self._published.variables()
        if values is None:
            _refuse("DATA-STALE")
        if self._forced and "FSD" not in values.get("ups.status", ""):
            return {**values, "ups.status": f"FSD {values.get('ups.status', '')}".strip()}
        return values

    def _value(self, variable: str) -> str:
        value = self._values().get(variable)
        if value is None:
            _refuse("VAR-NOT-SUPPORTED")
        return value


def _refuse(code: str) -> NoReturn:
    raise NutError(code)


def _only(words: list[str]) -> str:
    if len(words) != 1 or not words[0]:
        _refuse("INVALID-ARGUMENT")
    return words[0]


def _block(query: str, rows: list[str]) -> list[str]:
    return [f"BEGIN LIST {query}", *rows, f"END LIST {query}"]
