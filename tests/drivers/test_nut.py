"""The NUT protocol: quoting, both ends over a socket, and the real `upsc` and `upsmon` as judges."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.nut import server as server_module
from holdfast_drivers.nut.client import NutClient, NutGauge
from holdfast_drivers.nut.protocol import NutError, answer, quoted, reading_of, tokens
from holdfast_drivers.nut.server import MOST_CLIENTS, NutServer, Published, Session, User
from holdfast_drivers.values import DeviceError, PowerReading, Tri
from support.nut_rig import UPSMON, monitoring
from support.waiting import until

USERS = {"till": User("s3cret-word"), "boss": User("b", role="primary")}


class Shelf:
    """The variables a test changes."""

    def __init__(self) -> None:
        self.values: dict[str, str] | None = {
            "ups.status": "OL CHRG",
            "battery.charge": "83",
            "battery.voltage": "7.740",
            "battery.runtime": "5400",
            "ups.mfr": 'Geekworm "X1202"',
        }

    def status(self, status: str) -> None:
        assert self.values is not None
        self.values["ups.status"] = status


@asynccontextmanager
async def served(shelf: Shelf) -> AsyncIterator[NutServer]:
    published = Published("hub", 'Geekworm "X1202"', lambda: shelf.values)
    async with NutServer(published, version="2.8.0", port=0, users=USERS) as server:
        yield server


def talk(server: NutServer, *lines: str) -> list[str]:
    session = Session("here")
    return [line for each in lines for line in server.answer(session, each)]


# The codec


def test_quotes_and_escapes() -> None:
    line = 'UPS hub "Geekworm \\"X1202\\""\r\n'
    assert tokens(line) == ["UPS", "hub", 'Geekworm "X1202"']
    assert quoted('a\\b"c\n') == '"a\\\\b\\"c "'
    assert tokens('x "" y') == ["x", "", "y"]


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" ")))
def test_what_is_quoted_comes_back(value: str) -> None:
    assert tokens(f"VAR hub x {quoted(value)}") == ["VAR", "hub", "x", value]


@given(st.text(max_size=80))
def test_any_line_is_words_or_garbled(line: str) -> None:
    try:
        words = tokens(line)
    except DeviceError:
        return
    assert " ".join(words).count("\n") <= line.count("\n")


def test_errors_carry_their_code() -> None:
    with pytest.raises(NutError) as error:
        answer("ERR ACCESS-DENIED")
    assert (error.value.code, error.value.kind) == ("ACCESS-DENIED", "refused")


@pytest.mark.parametrize(
    ("status", "mains", "stop"),
    [
        ("OL CHRG", Tri.YES, False),
        ("OB DISCHRG", Tri.NO, False),
        ("OB LB", Tri.NO, True),
        ("LB", Tri.UNKNOWN, False),
        ("OL LB RB", Tri.YES, False),
        ("FSD OB", Tri.NO, True),
        ("FSD OL", Tri.UNKNOWN, True),
        ("WAIT", Tri.UNKNOWN, False),
        ("OL SPARKLING", Tri.YES, False),
        ("", Tri.UNKNOWN, False),
    ],
)
def test_what_a_status_means(status: str, mains: Tri, stop: bool) -> None:
    reading = reading_of({"ups.status": status}, 1.0)
    assert (reading.mains, reading.stop_asked) == (mains, stop)


def test_variables_become_a_reading_and_nonsense_is_unknown() -> None:
    reading = reading_of({"ups.status": "OB", "battery.charge": "104", "battery.current": "1.5"}, 2.0, cells=2)
    assert (reading.charge_permille, reading.current_ma, reading.pack_mv, reading.cell_mv) == (1000, -1500, None, None)
    nonsense = dict.fromkeys(("battery.charge", "battery.runtime", "battery.voltage", "battery.temperature"), "1e9")
    assert reading_of(nonsense, 3.0) == PowerReading(3.0)


# The server, by its answers


async def test_lists_and_gets() -> None:
    async with served(Shelf()) as server:
        assert talk(server, "LIST UPS") == ["BEGIN LIST UPS", 'UPS hub "Geekworm \\"X1202\\""', "END LIST UPS"]
        assert talk(server, "list cmd hub") == ["BEGIN LIST CMD hub", "END LIST CMD hub"]
        assert talk(server, "GET VAR hub battery.charge") == ['VAR hub battery.charge "83"']
        assert talk(server, "GET TYPE hub battery.voltage") == ["TYPE hub battery.voltage NUMBER"]
        assert talk(server, "GET DESC hub ups.status") == ['DESC hub ups.status "UPS status"']
        assert talk(server, "NETVER") == ["1.3"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "UNKNOWN-COMMAND"),
        ("DANCE", "UNKNOWN-COMMAND"),
        ("LIST", "INVALID-ARGUMENT"),
        ("LIST VAR", "INVALID-ARGUMENT"),
        ("LIST VAR other", "UNKNOWN-UPS"),
        ("GET VAR hub", "INVALID-ARGUMENT"),
        ("GET VAR hub ups.beeps", "VAR-NOT-SUPPORTED"),
        ("SET VAR hub ups.id x", "ACCESS-DENIED"),
        ("INSTCMD hub load.off", "ACCESS-DENIED"),
        ("STARTTLS", "FEATURE-NOT-SUPPORTED"),
        ("LOGIN hub", "USERNAME-REQUIRED"),
        ('USERNAME "x', "INVALID-ARGUMENT"),
    ],
)
async def test_refusals(line: str, code: str) -> None:
    async with served(Shelf()) as server:
        assert talk(server, line) == [f"ERR {code}"]


async def test_only_a_user_is_counted_and_only_a_primary_forces() -> None:
    async with served(Shelf()) as server:
        wrong = talk(server, "USERNAME till", "PASSWORD wrong", "LOGIN hub")
        assert wrong == ["OK", "OK", "ERR ACCESS-DENIED"], "checked only when a command needs it"
        till = talk(server, "USERNAME till", "PASSWORD s3cret-word", "LOGIN hub", "LOGIN hub", "MASTER hub", "FSD hub")
        assert till[2:] == ["OK", "ERR ALREADY-LOGGED-IN", "ERR ACCESS-DENIED", "ERR ACCESS-DENIED"]
        boss = talk(server, "USERNAME boss", "PASSWORD b", "PRIMARY hub", "FSD hub", "GET VAR hub ups.status")
        assert boss[2:] == ["OK PRIMARY-GRANTED", "OK FSD-SET", 'VAR hub ups.status "FSD OL CHRG"']


async def test_what_is_not_known_is_stale() -> None:
    shelf = Shelf()
    shelf.values = None
    async with served(shelf) as server:
        assert talk(server, "LIST VAR hub", "GET VAR hub ups.status") == ["ERR DATA-STALE"] * 2
        assert talk(server, "LIST UPS")[0] == "BEGIN LIST UPS"


@given(st.text(max_size=120))
def test_any_line_gets_an_answer(line: str) -> None:
    server = NutServer(Published("hub", "", dict), version="0")
    assert all(server.answer(Session("here"), line))


# Over a socket


async def test_a_long_line_and_too_many_clients_are_shown_the_door() -> None:
    async with served(Shelf()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"x" * 2000 + b"\n")
        assert await reader.read() == b"ERR TOO-LONG\n"
        writer.close()
        clients = [NutClient("127.0.0.1", server.port) for _ in range(MOST_CLIENTS)]
        for client in clients:
            await client.open()
            await client.ask("VER")
        with pytest.raises(DeviceError, match="unplugged"):
            async with NutClient("127.0.0.1", server.port) as late:
                await late.ask("VER")
        for client in clients:
            await client.close()


async def test_a_silent_client_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE", 0.05)
    async with served(Shelf()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_the_client_speaks_with_the_server() -> None:
    async with served(Shelf()) as server, NutClient("127.0.0.1", server.port) as client:
        assert await client.upses() == {"hub": 'Geekworm "X1202"'}
        assert (await client.variables("hub"))["battery.runtime"] == "5400"
        assert await client.commands("hub") == []
        assert await client.variable("hub", "ups.mfr") == 'Geekworm "X1202"'
        assert await client.type_of("hub", "battery.charge") == ["NUMBER"]
        assert await client.description("hub", "battery.charge") == "Battery charge (percent of full)"
        with pytest.raises(NutError, match="VAR-NOT-SUPPORTED"):
            await client.variable("hub", "nothing")
        await client.authenticate("boss", "b")
        await client.login("hub")
        assert (await client.ask("GET", "NUMLOGINS", "hub"))[-1] == "1"
        await client.primary("hub")
        await client.force_shutdown("hub")
        assert await client.variable("hub", "ups.status") == "FSD OL CHRG"


async def test_a_ups_known_to_nut_is_a_gauge_that_comes_back() -> None:
    shelf = Shelf()
    async with served(shelf) as server:
        client = NutClient("127.0.0.1", server.port)
        gauge = NutGauge(client, "hub", cells=2, clock=lambda: 4.0)
        reading = await gauge.read()
        assert (reading.cell_mv, reading.charge_permille, reading.minutes_left) == (3870, 830, 90)
        assert (reading.mains, reading.stop_asked, reading.at) == (Tri.YES, False, 4.0)
        shelf.values = None
        assert await gauge.read() == PowerReading(4.0)
        port = server.port
    with pytest.raises(DeviceError, match=r"absent|refused"):
        await gauge.read()
    shelf = Shelf()
    shelf.status("OB LB")
    published = Published("hub", "", lambda: shelf.values)
    async with NutServer(published, version="0", port=port):
        assert (await gauge.read()).stop_asked
        await client.close()


async def test_a_server_that_floods_is_cut_off() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"BEGIN LIST VAR hub\n" + b'VAR hub x "y"\n' * 3000)
        await reader.read()
        writer.close()

    flooding = await asyncio.start_server(flood, "127.0.0.1", 0)
    async with NutClient("127.0.0.1", flooding.sockets[0].getsockname()[1]) as client:
        with pytest.raises(DeviceError, match="garbled"):
            await client.variables("hub")
        assert not client.connected
    flooding.close()


# NUT's own clients

upsc = pytest.mark.skipif(shutil.which("upsc") is None, reason="nut-client is not installed: no upsc")
upsmon = pytest.mark.skipif(UPSMON is None, reason="nut-client is not installed: no upsmon")


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode() + err.decode()


@upsc
async def test_upsc_reads_the_hub() -> None:
    shelf = Shelf()
    async with served(shelf) as server:
        status, out = await run("upsc", f"hub@127.0.0.1:{server.port}")
        assert status == 0
        assert 'ups.mfr: Geekworm "X1202"' in out
        assert "battery.charge: 83" in out
        assert "hub" in (await run("upsc", "-l", f"127.0.0.1:{server.port}"))[1]
        shelf.values = None
        status, out = await run("upsc", f"hub@127.0.0.1:{server.port}", "ups.status")
        assert status != 0
        assert "stale" in out.lower()


@upsmon
async def test_upsmon_shuts_its_machine_down_when_the_hub_forces_it(tmp_path: Path) -> None:
    shelf = Shelf()
    async with served(shelf) as server, monitoring(tmp_path, server.port, password="s3cret-word") as monitor:
        await until(lambda: "NUMLOGINS hub 1" in talk(server, "GET NUMLOGINS hub"))
        shelf.status("OB DISCHRG")
        await until(lambda: monitor.noticed("ONBATT"))
        assert not monitor.down.exists()
        shelf.status("FSD OB LB")
        await until(monitor.down.exists)
