"""An I²C adapter `/dev/i2c-1` made by umockdev, its chips at a bench socket: ioctls of the kernel's uAPI in front.

    /usr/bin/python3 umock_i2c.py BENCH_SOCKET ADAPTER_TIMEOUT

Runs in the system's Python, which has the bindings. Prints the testbed's directory; clients run with UMOCKDEV_DIR set
to it and libumockdev-preload.so.0 loaded. Ends with standard input. A chip that does not acknowledge is EREMOTEIO, one
that holds the bus ETIMEDOUT after ADAPTER_TIMEOUT seconds, as on a Pi; the chip at 0x0C belongs to a kernel driver.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import sys
import threading
from pathlib import Path

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402 - its version must be named first

I2C_SLAVE, I2C_FUNCS, I2C_SMBUS = 0x0703, 0x0705, 0x0720
FUNCTIONS = 0x0EFF_0009
"""Plain I²C and all it emulates, packet error checking included: a Pi's adapter."""
READ = 1
BYTE_DATA, WORD_DATA, I2C_BLOCK_DATA = 2, 3, 8
KERNELS = 0x0C

TREE = """P: /devices/platform/soc/fe804000.i2c/i2c-1
N: i2c-1
E: SUBSYSTEM=i2c-dev
E: DEVNAME=/dev/i2c-1
"""


class Bench:
    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self.connection: socket.socket | None = None

    def ask(self, **request: object) -> bytes:
        """What the chip says. Raises OSError as the adapter reports it."""
        if self.connection is None:
            self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.connection.settimeout(self.timeout)
            self.connection.connect(self.path)
        self.connection.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
        try:
            answer = json.loads(self.connection.recv(4096))
        except TimeoutError:
            self.connection.close()
            self.connection = None
            raise OSError(errno.ETIMEDOUT, "held") from None
        if answer.get("error") == "absent":
            raise OSError(errno.EREMOTEIO, "no acknowledge")
        return bytes.fromhex(answer.get("data", ""))


class Adapter:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.address = 0

    def handle(self, _: object, client: UMockdev.IoctlClient) -> bool:
        try:
            self.ioctl(client.get_request(), client.get_arg())
        except OSError as error:
            client.complete(-1, error.errno or errno.EIO)
        else:
            client.complete(0, 0)
        return True

    def ioctl(self, request: int, argument: UMockdev.IoctlData) -> None:
        if request == I2C_FUNCS:
            argument.resolve(0, 8).update(0, list(struct.pack("Q", FUNCTIONS)))
        elif request == I2C_SLAVE:
            (self.address,) = struct.unpack("Q", bytes(argument.retrieve())[:8])
            if self.address == KERNELS:
                raise OSError(errno.EBUSY, "a kernel driver's")
        elif request == I2C_SMBUS:
            self.smbus(argument.resolve(0, 16))
        else:
            raise OSError(errno.ENOTTY, "no such ioctl")

    def smbus(self, message: UMockdev.IoctlData) -> None:
        direction, register, size, _ = struct.unpack("BBxxIQ", bytes(message.retrieve()))
        block = message.resolve(8, 34)
        length = {BYTE_DATA: 1, WORD_DATA: 2, I2C_BLOCK_DATA: bytes(block.retrieve())[0]}[size]
        at = 1 if size == I2C_BLOCK_DATA else 0
        if direction == READ:
            data = self.bench.ask(do="read", address=self.address, register=register, length=length)
            block.update(at, list(data))
        else:
            data = bytes(block.retrieve())[at : at + length]
            self.bench.ask(do="write", address=self.address, register=register, data=data.hex())


def main() -> None:
    testbed = UMockdev.Testbed.new()
    testbed.add_from_string(TREE)
    handler = UMockdev.IoctlBase()
    handler.connect("handle-ioctl", Adapter(Bench(sys.argv[1], float(sys.argv[2]))).handle)
    testbed.attach_ioctl("/dev/i2c-1", handler)
    Path(testbed.get_root_dir(), f"sys/bus/i2c/devices/1-{KERNELS:04x}/driver").mkdir(parents=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    print(testbed.get_root_dir(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
