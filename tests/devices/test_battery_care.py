"""One battery over restarts, power cuts and tests, with a simulated pack and a real file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from holdfast.config import Power
from holdfast.devices.power import battery as care_module
from holdfast.devices.power.battery import SAVE_EVERY, SAVE_LOW_EVERY, BatteryCare
from holdfast.devices.power.battery_file import write_battery
from holdfast.domain.core import Command, Outcome, Refused
from holdfast.domain.power import NoteRenewed, NoteReplace, NoteTest
from holdfast_contract.record import ClockQuality
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.memory import decode
from holdfast_drivers.ups.selftest import EVERY_MS
from holdfast_drivers.values import DeviceError, Tri

DAY_MS = 24 * 3600 * 1000
POWER = Power(board="ina219", address=0x41, cells=1, shunt_mohm=10, capacity_wh=22.0, load_w=5.0)


@dataclass
class ManualClock:
    seconds: float = 1000.0
    wall: int = 1_700_000_000_000
    trusted: bool = True

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return self.wall

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED if self.trusted else ClockQuality.UNSET

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += round(seconds * 1000)


@dataclass
class Bench:
    """A hub's battery: what is fed to it, what it wrote down."""

    folder: Path
    power: Power = POWER
    battery: Battery = field(default_factory=lambda: Battery(charge=0.99, load_w=6.0))
    clock: ManualClock = field(default_factory=ManualClock)
    executed: list[Command] = field(default_factory=list)
    quiet: bool = True
    ups: list[str] | None = None
    """Commands the UPS was told; None: it cannot be told."""
    ups_error: DeviceError | None = None
    more: dict[str, object] = field(default_factory=dict)
    """Further fields of every view."""

    @property
    def file(self) -> Path:
        return self.folder / "battery.json"

    def start(self) -> BatteryCare:
        async def execute(command: Command, *, actor: str) -> Outcome:
            self.executed.append(command)
            return Outcome()

        async def is_quiet() -> bool:
            return self.quiet

        async def tell() -> str:
            if self.ups_error is not None:
                raise self.ups_error
            assert self.ups is not None
            self.ups.append("test.battery.start.quick")
            return self.ups[-1]

        return BatteryCare(
            self.power,
            clock=self.clock,
            store=self.file,
            execute=execute,
            quiet=is_quiet,
            ups_test=None if self.ups is None else tell,
        )

    def reboot(self) -> None:
        care_module.BOOT_ID.write_text("second")

    def view(self) -> PowerView:
        battery = self.battery
        view = PowerView(
            stale=False,
            age=0.0,
            cell_mv=round(battery.cell_mv),
            charge_permille=round(battery.charge * 1000),
            mains=Tri.YES if battery.mains else Tri.NO,
            power_mw=round(battery.current_a * battery.cell_mv),
        )
        return replace(view, **self.more)  # type: ignore[arg-type]  # any fields of a view

    async def run(self, care: BatteryCare, seconds: float, *, step: float = 10.0) -> None:
        for _ in range(int(seconds / step)):
            await care.step(self.view(), self.clock.seconds)
            if care._saving is not None:
                await care._saving
            self.battery.step(step)
            self.clock.pass_by(step)

    async def drain(self, care: BatteryCare) -> None:
        """Until the cell is empty."""
        self.battery.mains = False
        while self.battery.cell_mv > 3200:
            await self.run(care, 60)

    def of(self, kind: type[Command]) -> list[Command]:
        return [command for command in self.executed if isinstance(command, kind)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(care_module, "BOOT_ID", tmp_path / "boot_id")
    care_module.BOOT_ID.write_text("first")
    return Bench(tmp_path)


async def test_a_discharge_to_the_cut_is_learnt_at_the_next_start(bench: Bench) -> None:
    care = bench.start()
    await bench.run(care, 600)
    await bench.drain(care)
    bench.reboot()
    bench.battery = Battery(charge=0.99, load_w=6.0)
    bench.clock.seconds = 5.0
    again = bench.start()
    assert again._judge.discharge is None
    await bench.run(again, 60)
    assert len(again.memory.known.finished) == 1
    (test,) = bench.of(NoteTest)
    assert isinstance(test, NoteTest)
    assert (test.by, test.result, test.start) == ("outage", "passed", 1000)
    await bench.run(again, 600)
    assert len(bench.start().memory.known.finished) == 1, "and kept"


async def test_a_restart_of_the_daemon_alone_goes_on_with_the_discharge(bench: Bench) -> None:
    care = bench.start()
    bench.battery.mains = False
    await bench.run(care, 3600)
    assert care._judge.discharge is not None
    used = care._judge.discharge.used_mwh
    again = bench.start()
    await bench.run(again, 60)
    assert again._judge.discharge is not None
    assert again._judge.discharge.used_mwh == pytest.approx(used, rel=0.1)
    assert not bench.executed
    assert not again.memory.known.finished


async def test_the_measured_draw_is_remembered(bench: Bench) -> None:
    care = bench.start()
    bench.battery.mains = False
    await bench.run(care, 1800)
    bench.battery.mains = True
    await bench.run(care, 300)
    again = bench.start()
    await bench.run(again, 60)
    assert again.judged.draw_mw == pytest.approx(6000, abs=300), "5 W were planned"


async def test_a_machine_that_restarts_with_much_left_teaches_no_end(bench: Bench) -> None:
    care = bench.start()
    bench.battery.mains = False
    await bench.run(care, 3600)
    bench.reboot()
    assert not bench.start()._judge.known.finished


async def test_a_stop_in_order_is_kept(bench: Bench) -> None:
    care = bench.start()
    bench.battery.mains = False
    while bench.battery.charge > 0.12:
        await bench.run(care, 60)
    await care.stopping()
    written = bench.file.read_bytes()
    await bench.run(care, 600)
    assert bench.file.read_bytes() == written, "nothing is written after the stop"
    bench.reboot()
    assert len(bench.start().memory.known.finished) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 100, b'{"cell": 1}', b" " * 100_000])
async def test_a_damaged_file_is_set_aside_and_costs_what_was_learnt(bench: Bench, damage: bytes) -> None:
    bench.file.write_bytes(damage)
    care = bench.start()
    await bench.run(care, 120)
    assert bench.file.with_name("battery.json.damaged").read_bytes() == damage
    assert decode(bench.file.read_bytes()).cell == care.memory.cell


async def test_what_was_learnt_of_another_battery_is_not_used(bench: Bench) -> None:
    care = bench.start()
    await care.forget()
    bench.power = Power(board="ina226", address=0x41, cells=1, shunt_mohm=10)
    assert bench.start().memory.cell.board == "ina226"
    assert bench.file.with_name("battery.json.other").exists()


async def test_a_pack_with_another_serial_number_is_learnt_anew(bench: Bench) -> None:
    care = bench.start()
    await bench.drain(care)
    await care.stopping()
    care = bench.start()
    await care.identified("0007")
    assert care.memory.known.finished, "the number was not known before"
    await care.identified("0008")
    assert not care.memory.known.finished
    assert care.memory.cell.serial == "0008"


async def test_a_card_that_cannot_be_written_stops_nobody(bench: Bench) -> None:
    bench.folder = bench.folder / "gone"
    care = bench.start()
    await bench.run(care, 600)
    assert care.judged.minutes_left is not None


async def test_writes_at_one_time_do_not_meet(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    care = bench.start()
    await bench.drain(care)
    await asyncio.gather(*(care._save() for _ in range(20)), care.stopping())
    assert not caplog.records
    assert decode(bench.file.read_bytes()).known.finished


async def test_the_card_is_spared(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def counted(path: Path, data: bytes) -> None:
        written.append(len(data))
        write_battery(path, data)

    monkeypatch.setattr(care_module, "write_battery", counted)
    care = bench.start()
    await bench.run(care, 24 * 3600, step=60)
    assert len(written) == 1, "on mains nothing changes"
    began = bench.clock.seconds
    await bench.drain(care)
    hours = (bench.clock.seconds - began) / 3600
    assert len(written) <= 2 + hours * 3600 / SAVE_EVERY + 0.4 * hours * 3600 / SAVE_LOW_EVERY
    assert max(written) < 32_768


async def test_forgetting_begins_anew_and_is_written_down(bench: Bench) -> None:
    care = bench.start()
    await bench.drain(care)
    await care.stopping()
    care = bench.start()
    bench.clock.pass_by(3600)
    assert await care.forget()
    assert bench.of(NoteRenewed) == [NoteRenewed()]
    assert not bench.start().memory.known.finished
    assert bench.start().memory.since == bench.clock.wall
    assert not await bench.start().forget()


# Replace the battery


async def test_a_worn_pack_is_asked_to_be_replaced_once(bench: Bench) -> None:
    care = bench.start()
    for _ in range(3):
        bench.battery = Battery(charge=1.0, load_w=6.0, capacity_mah=3000)
        await bench.drain(care)
        care._judge.end(cut=True)
    await bench.run(care, 60)
    assert bench.of(NoteReplace) == [NoteReplace(why="battery_worn", health=care.judged.health_permille or -1)]
    assert care.judged.health_permille == pytest.approx(500, abs=60)
    assert "battery_worn" in care.findings
    await care.stopping()
    again = bench.start()
    await bench.run(again, 600)
    assert len(bench.of(NoteReplace)) == 1, "also after a restart"


async def test_a_healthy_pack_is_not(bench: Bench) -> None:
    care = bench.start()
    for _ in range(3):
        bench.battery = Battery(charge=1.0, load_w=6.0)
        await bench.drain(care)
        care._judge.end(cut=True)
    await bench.run(care, 60)
    assert care.judged.health_permille == pytest.approx(1000, abs=100)
    assert not bench.of(NoteReplace)


async def test_a_ups_that_wants_a_new_battery_is_heard(bench: Bench) -> None:
    bench.more = {"replace_asked": True}
    await bench.run(bench.start(), 60)
    assert bench.of(NoteReplace) == [NoteReplace(why="battery_ups_says")]


# Tests


async def test_a_test_by_a_person(bench: Bench) -> None:
    care = bench.start()
    await bench.run(care, 60)
    await care.begin_test()
    assert care.report()["self_test"]["phase"] == "waiting"
    bench.battery.mains = False
    await bench.run(care, 300)
    assert care.report()["self_test"]["phase"] == "running"
    await bench.run(care, 360)
    assert care.report()["self_test"]["phase"] == "returning"
    bench.battery.mains = True
    await bench.run(care, 60)
    told = care.report()["self_test"]
    assert (told["phase"], told["verdict"], told["result"]) == ("idle", "passed", "passed")
    (test,) = bench.of(NoteTest)
    assert isinstance(test, NoteTest)
    assert test.by == "person"


async def test_a_weak_battery_fails_and_should_be_replaced(bench: Bench) -> None:
    care = bench.start()
    bench.battery = Battery(charge=1.0, load_w=20.0, capacity_mah=1500)
    bench.power = POWER
    await bench.run(care, 60)
    await care.begin_test()
    await bench.drain(care)
    bench.battery.mains = True
    await bench.run(care, 60)
    assert care.report()["self_test"]["verdict"] == "failed"
    assert bench.of(NoteReplace) == [NoteReplace(why="battery_failed_test")]
    assert care.findings == ["battery_failed_test"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"quiet": False}, "a sale is open"),
        ({"more": {"charge_permille": 850, "estimated": True}}, "the charge is 85 %"),
        ({"more": {"mains": Tri.NO}}, "mains: no"),
        ({"more": {"mains": Tri.UNKNOWN}}, "mains: unknown"),
    ],
)
async def test_a_test_is_refused_when_somebody_could_be_hurt(bench: Bench, change: dict[str, object], why: str) -> None:
    for name, value in change.items():
        setattr(bench, name, value)
    care = bench.start()
    await bench.run(care, 60)
    with pytest.raises(Refused) as refused:
        await care.begin_test()
    assert (refused.value.reason, refused.value.data) == ("test_not_now", {"detail": why})


async def test_a_week_makes_a_test_due_and_an_outage_counts_as_one(bench: Bench) -> None:
    care = bench.start()
    await bench.run(care, 60)
    bench.clock.wall += EVERY_MS
    assert care.due
    assert care.findings == ["self_test_due"]
    bench.battery.mains = False
    await bench.run(care, 900)
    bench.battery.mains = True
    await bench.run(care, 60)
    assert not care.due
    bench.clock.trusted = False
    bench.clock.wall += EVERY_MS
    assert not care.due, "a clock that is not trusted says nothing"


async def test_a_ups_that_can_be_told_tests_itself_when_it_is_due_and_nobody_is_served(bench: Bench) -> None:
    bench.ups = []
    care = bench.start()
    await bench.run(care, 600)
    assert not bench.ups, "not due"
    bench.clock.wall += EVERY_MS
    bench.quiet = False
    await bench.run(care, 600)
    assert not bench.ups, "a sale is open"
    bench.quiet = True
    await bench.run(care, 600)
    assert bench.ups == ["test.battery.start.quick"]
    assert care.report()["self_test"]["verdict"] == "given_up", "it never began"
    await bench.run(care, 3600, step=60)
    assert len(bench.ups) == 1, "not again on the same day"
    bench.more = {"tested": "In progress"}
    bench.clock.pass_by(24 * 3600)
    await bench.run(care, 20)
    bench.more = {"tested": "Done and passed"}
    await bench.run(care, 20)
    assert bench.of(NoteTest) == [NoteTest(result="passed", by="ups")]
    assert not care.due


async def test_a_ups_that_refuses_leaves_it_to_a_person(bench: Bench) -> None:
    bench.ups, bench.ups_error = [], DeviceError("refused", "ACCESS-DENIED")
    care = bench.start()
    await bench.run(care, 60)
    await care.begin_test()
    assert care.report()["self_test"]["by"] == "person"
