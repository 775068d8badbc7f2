"""Real brokers on loopback for the demonstration, the tests and the benches: mosquitto, and NATS from its wheel.

Each gets a directory of its own for configuration, data and log, and a free port that it keeps over restarts.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

READY_S = 20.0
"""Seconds a broker may take until it accepts an MQTT connection."""
STOP_S = 10.0


class BrokerError(RuntimeError):
    """The broker did not start; the text holds the end of its log."""


def free_port() -> int:
    """A loopback TCP port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mosquitto_binary() -> str | None:
    """Path of mosquitto; Debian keeps it in /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def nats_binary() -> str | None:
    """Path of nats-server: the wheel puts it beside the interpreter."""
    return shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


class Broker(ABC):
    """A broker process. `with Broker(directory) as broker` starts and stops it."""

    protocols: tuple[str, ...]
    """MQTT versions it speaks."""

    def __init__(self, directory: Path, *, port: int | None = None, keep: bool = True) -> None:
        """With `keep=False` everything it knows is gone after each stop or kill."""
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.directory = directory
        self.keep = keep
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Write the configuration; the command line that runs it in the foreground."""

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "broker.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until MQTT connections are accepted. Raises BrokerError."""
        if not self.keep and self.data.exists():
            shutil.rmtree(self.data)
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.directory)
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BrokerError(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether a CONNECT gets its CONNACK: an open port may come long before a working broker."""
        try:
            with socket.create_connection((self.host, self.port), timeout=1.0) as probe:
                probe.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x05\x00\x05probe")
                return probe.recv(4) == b"\x20\x02\x00\x00"
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL: as a crash would."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not obeyed."""
        self._end(lambda process: process.terminate())

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        how(process)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Mosquitto(Broker):
    """Eclipse mosquitto."""

    protocols = ("5", "3.1.1")

    def command(self) -> Sequence[str]:
        config = self.directory / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} {self.host}\n"
            f"user {getpass.getuser()}\n"
            "allow_anonymous true\n"
            f"persistence {'true' if self.keep else 'false'}\n"
            f"persistence_location {self.data}/\n"
            "log_dest stderr\n"
            "set_tcp_nodelay true\n"  # else an ack waits behind a PUBACK for the receiver's delayed TCP ack, 40 ms
        )
        binary = mosquitto_binary()
        if binary is None:
            raise BrokerError("mosquitto is not installed")
        return (binary, "-c", str(config))


class Nats(Broker):
    """nats-server with its MQTT listener; sessions and retained messages live in JetStream."""

    protocols = ("3.1.1",)

    def command(self) -> Sequence[str]:
        config = self.directory / "nats.conf"
        config.write_text(
            "server_name: holdfast\n"
            f'listen: "{self.host}:-1"\n'  # any free one: nobody speaks NATS here
            f'jetstream {{ store_dir: "{self.data}", sync_interval: always }}\n'
            f'mqtt {{ listen: "{self.host}:{self.port}", ack_wait: "5s", max_ack_pending: 500 }}\n'
        )
        binary = nats_binary()
        if binary is None:
            raise BrokerError("nats-server is not installed; the extra `demo` brings it")
        return (binary, "-c", str(config))
