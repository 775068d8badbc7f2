"""Finding what is plugged in without touching it, over a tree laid out as the kernel's."""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path

import pytest

from holdfast_drivers.discovery.catalogue import Confidence, Role
from holdfast_drivers.discovery.fingerprint import FingerprintFile, fingerprint, misplaced
from holdfast_drivers.discovery.identify import Finding, identify, identify_all
from holdfast_drivers.discovery.sysfs import Subsystem, ports
from holdfast_drivers.discovery.uevents import Action, Uevent, Uevents, kernel_socket, parse
from sys_tree import SysTree

BY_PATH = "serial/by-path/platform-soc-usb-0:1.2:1.0"


@pytest.fixture
def tree(tmp_path: Path) -> SysTree:
    return SysTree(tmp_path)


def honeywell(tree: SysTree, port: str = "1-1.2", node: str = "ttyACM0", *links: str) -> None:
    strings = {"serial": "S1", "manufacturer": "Honeywell", "product": "Voyager 1450g"}
    tree.node("tty", node, tree.usb(port, "0c2e:0900", **strings), *links)


def epson(tree: SysTree, port: str = "1-1.3", node: str = "ttyUSB0") -> None:
    tree.node("tty", node, tree.usb(port, "04b8:0e03", interface="ff", product="TM-T20"))


def findings(tree: SysTree) -> list[Finding]:
    return identify_all(ports(tree.root))


def test_a_serial_scanner_with_all_its_names(tree: SysTree) -> None:
    honeywell(tree, "1-1.2", "ttyACM0", BY_PATH, "serial/by-id/usb-Honeywell_S1-if00")
    (port,) = ports(tree.root)
    assert port.subsystem is Subsystem.TTY
    assert port.node == str(tree.root / "dev/ttyACM0")
    assert port.path == "platform-soc-usb-0:1.2:1.0"
    assert port.usb is not None
    assert (port.usb.id, port.usb.serial, port.usb.name) == ("0c2e:0900", "S1", "Voyager 1450g")
    assert port.interface_class == 2
    assert port.stable == str(tree.root / "dev" / BY_PATH), "by port, for clones share serial numbers"
    guess = identify(port).guesses[0]
    assert (guess.role, guess.confidence) == (Role.SCANNER, Confidence.CONFIRMED)


def test_an_unsupported_device_is_listed(tree: SysTree) -> None:
    tree.usb("1-1.4", "05e0:1300", interface="ff", product="SNAPI")
    tree.usb("1-1.1", "abcd:0001", interface="08", product="A stick")
    stick, zebra = findings(tree)
    assert (stick.port.subsystem, stick.supported, stick.guesses) == (Subsystem.USB, False, ())
    assert (zebra.guesses[0].role, zebra.supported) == (Role.SCANNER, False)


def test_a_usb_device_with_a_node_is_listed_once(tree: SysTree) -> None:
    honeywell(tree)
    assert len(ports(tree.root)) == 1


def test_printer_class_keyboards_and_buses(tree: SysTree) -> None:
    tree.node("usbmisc", "lp0", tree.usb("1-1.1", "1234:5678", interface="07"))
    tree.node("input", "event3", tree.usb("1-1.2", "4321:8765", interface="03", protocol="01"))
    tree.node("i2c-dev", "i2c-1", tree.root / "sys/devices/platform/i2c-1")
    by_subsystem = {finding.port.subsystem: finding for finding in findings(tree)}
    assert by_subsystem[Subsystem.USBLP].guesses[0].role is Role.PRINTER
    assert by_subsystem[Subsystem.USBLP].supported, "the hub prints on it"
    assert by_subsystem[Subsystem.USBLP].port.node.endswith("dev/usb/lp0")
    keyboard = by_subsystem[Subsystem.INPUT]
    assert keyboard.guesses[0].confidence is Confidence.NONE
    assert keyboard.port.node.endswith("dev/input/event3")
    assert by_subsystem[Subsystem.I2C].guesses[0].role is Role.BATTERY


def test_consoles_and_empty_uarts_are_no_hardware(tree: SysTree) -> None:
    board = tree.root / "sys/devices/platform/uart"
    tree.node("tty", "ttyS0", board)
    (tree.root / "sys/class/tty/ttyS0/type").write_text("0\n")
    virtual = tree.root / "sys/devices/virtual/tty/tty1"
    virtual.mkdir(parents=True)
    (tree.root / "sys/class/tty/tty1").symlink_to(virtual)
    assert ports(tree.root) == []
    (tree.root / "sys/class/tty/ttyS0/type").write_text("4\n")
    assert [port.node for port in ports(tree.root)] == [str(tree.root / "dev/ttyS0")]


def test_a_descriptor_cannot_write_to_a_terminal(tree: SysTree) -> None:
    tree.usb("1-1.1", "abcd:0001", product="\x1b[31mred\x07" + "x" * 10_000)
    usb = ports(tree.root)[0].usb
    assert usb is not None
    assert usb.name.startswith("[31mred")
    assert len(usb.name) <= 256


def test_swapped_plugs_are_found_and_strangers_too(tree: SysTree) -> None:
    honeywell(tree)
    epson(tree)
    scanner, printer = ports(tree.root)
    learnt = {"scanner": fingerprint(scanner), "printer": fingerprint(printer)}
    known = {name: mark for name, mark in learnt.items() if mark is not None}
    assert misplaced("scanner", known, scanner) is None
    assert misplaced("scanner", known, None) is None
    swap = misplaced("scanner", known, printer)
    assert swap is not None
    assert (swap.device, swap.other) == ("scanner", "printer")
    assert "printer is plugged in where scanner belongs" in swap.words
    stranger = misplaced("printer", {"printer": known["printer"]}, scanner)
    assert stranger is not None
    assert stranger.other == ""
    assert identify(scanner, known).device == "scanner"
    learnt_guess = identify(scanner, known, {"scanner": Role.SCANNER}).guesses[0]
    assert (learnt_guess.role, learnt_guess.confidence) == (Role.SCANNER, Confidence.LEARNT)


def test_devices_that_look_alike_are_never_called_swapped(tree: SysTree) -> None:
    for port, node in (("1-1.2", "ttyUSB0"), ("1-1.3", "ttyUSB1")):
        tree.node("tty", node, tree.usb(port, "1a86:7523", interface="ff"))
    left, right = ports(tree.root)
    mark = fingerprint(left)
    assert mark is not None
    learnt = {"scanner": mark, "printer": mark}
    assert misplaced("scanner", learnt, right) is None
    assert identify(left, learnt).device == "", "one of two; nobody can tell which"


def test_fingerprints_last_and_a_broken_file_is_no_fault(tree: SysTree) -> None:
    honeywell(tree)
    path = tree.root / "fingerprints.json"
    mark = fingerprint(ports(tree.root)[0])
    assert mark is not None
    FingerprintFile(path).learn("scanner", mark)
    assert FingerprintFile(path).learnt == {"scanner": mark}
    kept = FingerprintFile(path)
    assert kept.forget("scanner")
    assert not kept.forget("scanner")
    path.write_text("{ torn")
    assert FingerprintFile(path).learnt == {}


ADD = (
    b"add@/devices/platform/soc/usb1/1-1.2\0ACTION=add\0DEVPATH=/devices/platform/soc/usb1/1-1.2\0"
    b"SUBSYSTEM=tty\0DEVNAME=ttyUSB0\0SEQNUM=7\0"
)


@pytest.mark.parametrize("message", [b"", b"libudev\0\xfe\xed\xca\xfe", b"add@/x\0ACTION=dance\0DEVPATH=/x\0", b"@\0"])
def test_what_is_no_announcement_is_passed_over(message: bytes) -> None:
    assert parse(message) is None


async def test_announcements_come_one_by_one() -> None:
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    events = Uevents(ours)
    with kernel:
        for message in (b"noise", ADD, ADD.replace(b"add", b"remove")):
            kernel.send(message)
        path = "/devices/platform/soc/usb1/1-1.2"
        assert await events.next() == Uevent(Action.ADD, path, "tty", "ttyUSB0")
        assert (await events.next()).action is Action.REMOVE
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(events.next(), 0.01)
        kernel.send(ADD)
        assert (await events.next()).action is Action.ADD, "a cancelled wait loses none"
    events.close()


class Overrun(socket.socket):
    """A socket whose kernel had to drop announcements."""

    def recvfrom(self, *_: object) -> tuple[bytes, tuple[int, int]]:  # type: ignore[override]  # one answer for all
        raise OSError(errno.ENOBUFS, "no buffer space available")


async def test_lost_announcements_are_told() -> None:
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    events = Uevents(Overrun(fileno=ours.detach()))
    with kernel:
        kernel.send(b"x")
        assert await events.next() == Uevent(Action.LOST)
    events.close()


async def test_only_the_kernel_is_believed() -> None:
    try:
        real = kernel_socket()
    except OSError:
        pytest.skip("netlink is not allowed here")
    events = Uevents(real)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 15) as forger:
        forger.bind((0, 0))
        try:
            forger.sendto(ADD, (real.getsockname()[0], 0))
        except PermissionError:
            pytest.skip("this kernel forbids forging outright")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(events.next(), 0.05)
    events.close()
