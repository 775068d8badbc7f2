"""Talking to the daemon: HTTP over its Unix socket, with the standard library alone."""

from __future__ import annotations

import grp
import http.client
import json
import os
import socket
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

TIMEOUT_S = 45.0
"""Longer than a storage card stalls and a printer takes."""
ATTEMPTS = 5
"""A command whose answer was lost is asked again, with the same id, while the daemon restarts."""
PAUSE_S = 1.0
MAX_ANSWER = 64 * 1024 * 1024
MAX_LINE = 1024 * 1024


class HubError(Exception):
    """Something a person must know. `remedy` says what to do, `code` is the exit status."""

    code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(HubError):
    """What was typed, or a file that was named, cannot be used."""

    code = 2


class UnreachableError(HubError):
    """No daemon answers, or we may not speak to it."""

    code = 3


class AnswerLostError(UnreachableError):
    """The request may or may not have been heard."""


class RefusedError(HubError):
    """The hub said no. `answer` is all it said."""

    def __init__(self, answer: dict[str, Any]) -> None:
        detail = answer.get("detail") or ""
        super().__init__(f"{answer.get('reason', 'refused')}: {answer.get('words', '')}".strip(), detail)
        self.answer = answer


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("hub", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        """Raises OSError, the socket closed again."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.close()
            raise


class Client:
    """One daemon, at one socket."""

    def __init__(self, path: Path, *, timeout: float = TIMEOUT_S, pause: float = PAUSE_S) -> None:
        self.path = path
        self._timeout = timeout
        self._pause = pause

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """The JSON object at `path`. Raises UnreachableError, RefusedError."""
        return self._ask("GET", _with_query(path, query), None, {})

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Send once. Raises UnreachableError, RefusedError."""
        return self._ask("POST", path, body, headers or {})

    def post_json(self, path: str, **body: Any) -> dict[str, Any]:
        return self.post(path, json.dumps(body).encode())

    def command(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have a command decided once, however often the question must be put. Returns the outcome's facts."""
        return self.ask_once("/v1/commands", do=do, **fields)

    def ask_once(self, path: str, **fields: Any) -> dict[str, Any]:
        """Like `command`, for another request that carries its id in the body."""
        body = json.dumps({"id": new_id(), **fields}).encode()
        return dict(self._insist(path, body, {})["data"])

    def upload(self, path: str, body: bytes, **query: str | int | None) -> dict[str, Any]:
        """Like `command`, for a body that is not JSON."""
        return dict(self._insist(_with_query(path, query), body, {"Idempotency-Key": new_id()})["data"])

    def lines(self, path: str) -> Iterator[str]:
        """Lines of an endless answer, until the daemon ends it. Raises UnreachableError."""
        connection = self._open(None)
        try:
            response = _talk(connection, "GET", path, None, {})
            while line := response.readline(MAX_LINE):
                yield line.decode().rstrip("\n")
        except (OSError, http.client.HTTPException) as error:
            raise _lost(error) from error
        finally:
            connection.close()

    def _insist(self, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """Ask, and ask again while it is open whether the hub heard it; its id makes that harmless."""
        try:
            return self._ask("POST", path, body, headers)
        except AnswerLostError as error:
            lost = error
        for _ in range(ATTEMPTS):
            time.sleep(self._pause)
            with suppress(UnreachableError):
                return self._ask("POST", path, body, headers)
        raise lost

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        connection = self._open(self._timeout)
        try:
            response = _talk(connection, method, path, body, headers)
            answer = json.loads(response.read(MAX_ANSWER))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _lost(error) from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise RefusedError(answer)
        return dict(answer)

    def _open(self, timeout: float | None) -> _Connection:
        connection = _Connection(self.path, self._timeout)
        try:
            connection.connect()
        except PermissionError as error:
            raise UnreachableError(
                f"You may not speak to the daemon at {self.path}.", _permission(self.path)
            ) from error
        except OSError as error:
            raise UnreachableError(
                f"No daemon answers at {self.path}.",
                "Start it (systemctl start holdfast), or name its socket: --socket PATH or --config FILE.",
            ) from error
        connection.sock.settimeout(timeout)
        return connection


def new_id() -> str:
    """A command id in hexadecimal: milliseconds, then chance."""
    return (time.time_ns() // 1_000_000).to_bytes(6, "big").hex() + os.urandom(5).hex()


def _talk(
    connection: _Connection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> http.client.HTTPResponse:
    with suppress(BrokenPipeError):  # a refused upload is answered before it is taken in whole
        connection.request(method, path, body, headers)
    response = connection.getresponse()
    if response.status >= http.client.BAD_REQUEST and "json" not in response.getheader("Content-Type", ""):
        raise http.client.HTTPException(f"HTTP {response.status}")
    return response


def _lost(error: Exception) -> AnswerLostError:
    return AnswerLostError(
        f"The daemon's answer did not arrive ({str(error) or type(error).__name__}).",
        "Look at `journalctl -u holdfast`; a command may have been carried out: check with `holdfast sales`.",
    )


def _permission(path: Path) -> str:
    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "Use sudo."
    return f"Use sudo, or join its group and log in again: sudo usermod -aG {group} $USER."


def _with_query(path: str, query: dict[str, str | int | None]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urllib.parse.urlencode(given)}" if given else path
