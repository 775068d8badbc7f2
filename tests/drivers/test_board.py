"""What a machine says of itself: read from a tree of files, judged, and never believed blindly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from board_tree import (
    ALARM,
    CARD,
    ERRORS,
    MOUNTS,
    STAT,
    SYNCHRONIZED,
    TEMPERATURE,
    THROTTLED,
    WATCHDOG,
    WATCHDOG_CONFIG,
    BoardTree,
)
from holdfast_contract.board import FINDINGS
from holdfast_drivers.board import supply
from holdfast_drivers.board.board import read_board
from holdfast_drivers.board.judge import Around, Finding, Key, Topic, judge
from holdfast_drivers.board.storage import Kind, parse_life, parse_mounts
from holdfast_drivers.board.supply import Flag, Throttling, parse_kernel, parse_vcgencmd
from holdfast_drivers.board.watchdog import read_configured
from holdfast_drivers.board.wear import Wear, counted, days_left, load_wear, save_wear
from holdfast_drivers.values import Tri

GOOD = Around(clock="synced", free_bytes=9 * 10**9, low_bytes=64 << 20, floor_bytes=16 << 20)
DAY = 86_400


@pytest.fixture
def tree(tmp_path: Path) -> BoardTree:
    return BoardTree(tmp_path / "machine", tmp_path)


def found(tree: BoardTree, around: Around = GOOD) -> dict[Topic, Finding]:
    return {finding.topic: finding for finding in judge(read_board(tree.root, tree.device), around)}


def key(tree: BoardTree, topic: Topic, around: Around = GOOD) -> Key | None:
    return found(tree, around)[topic].key


def test_every_key_has_its_words_and_every_word_its_key() -> None:
    assert set(FINDINGS) == {key.value for key in Key}
    assert all(meaning.endswith(".") and remedy.endswith(".") for meaning, remedy in FINDINGS.values())


def test_a_pi_that_is_well(tree: BoardTree) -> None:
    told = found(tree)
    assert list(told) == list(Topic)
    unknown = {topic for topic, finding in told.items() if finding.well is Tri.UNKNOWN}
    assert unknown == {Topic.SINCE_BOOT, Topic.RTC, Topic.STORAGE}, "the kernel's file, a Pi 4 and an SD card cannot"
    assert not [finding for finding in told.values() if finding.well is Tri.NO]
    assert told[Topic.TEMPERATURE].value == "51 °C"
    assert told[Topic.WATCHDOG].value == "fed by systemd, 60 s"
    assert told[Topic.STORAGE].value == "SD card mmcblk0"
    assert read_board(tree.root, tree.device).model == "Raspberry Pi 4 Model B Rev 1.4"


def test_an_empty_machine_is_unknown_throughout_never_fine(tmp_path: Path) -> None:
    nothing = judge(read_board(tmp_path / "none", (1, 1)), replace(GOOD, free_bytes=None, clock="unset"))
    assert {finding.topic: finding.well for finding in nothing if finding.well is not Tri.UNKNOWN} == {
        Topic.CLOCK: Tri.NO
    }


# Supply


@pytest.mark.parametrize(("alarm", "well"), [("0", Tri.YES), ("1", Tri.NO), ("2", Tri.UNKNOWN), ("", Tri.UNKNOWN)])
def test_the_alarm_is_found_by_its_sensors_name(tree: BoardTree, alarm: str, well: Tri) -> None:
    tree.remove(THROTTLED)
    tree.write(ALARM, alarm)
    assert found(tree)[Topic.SUPPLY].well is well


def test_a_sagging_supply_while_printing_has_its_own_remedy(tree: BoardTree) -> None:
    tree.write(ALARM, "1")
    assert key(tree, Topic.SUPPLY) is Key.UNDERVOLTAGE
    assert key(tree, Topic.SUPPLY, replace(GOOD, printing=True)) is Key.UNDERVOLTAGE_PRINTING
    assert "power supply of its own" in FINDINGS[Key.UNDERVOLTAGE_PRINTING][1]


def test_vcgencmd_tells_now_and_since_boot_apart() -> None:
    assert parse_vcgencmd("throttled=0x50001\n") == Throttling(
        frozenset({Flag.UNDERVOLTAGE}), frozenset({Flag.UNDERVOLTAGE, Flag.THROTTLED})
    )
    assert parse_vcgencmd("throttled=0x0") == Throttling(frozenset(), frozenset())
    for nonsense in ("", 'error=1 error_msg="x"', "throttled=50005", "throttled=0x123456789"):
        assert parse_vcgencmd(nonsense) is None


def test_the_kernels_upper_bits_are_of_the_last_two_seconds_not_since_boot() -> None:
    assert parse_kernel("80008") == Throttling(frozenset({Flag.SOFT_LIMIT}))
    assert parse_kernel("50000") == Throttling(frozenset({Flag.UNDERVOLTAGE, Flag.THROTTLED}))
    assert parse_kernel("5000g") is None


def test_without_the_alarm_the_flags_tell_of_the_supply(tree: BoardTree) -> None:
    tree.remove(ALARM)
    tree.write(THROTTLED, "50005")
    told = found(tree)
    assert told[Topic.SUPPLY].key is Key.UNDERVOLTAGE
    assert (told[Topic.THROTTLING].key, told[Topic.THROTTLING].value) == (Key.THROTTLED, "throttled")


def test_a_deprecated_file_is_never_a_machines_panic(tree: BoardTree) -> None:
    tree.write("proc/sys/kernel/panic_on_warn", "1")
    assert key(tree, Topic.THROTTLING) is Key.UNKNOWN


@pytest.fixture
def vcgencmd(tree: BoardTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that may be used, and says what `says` holds."""
    program = tmp_path / "bin/vcgencmd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = get_throttled ] && exec cat {tmp_path}/says\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    tree.write("dev/vcio_gencmd", "")
    return tmp_path / "says"


def test_vcgencmd_is_asked_where_the_mailbox_is_ours(tree: BoardTree, vcgencmd: Path) -> None:
    vcgencmd.write_text("throttled=0xd0000\n")
    told = found(tree)
    assert told[Topic.SINCE_BOOT].key is Key.TROUBLED_SINCE_BOOT
    assert told[Topic.SINCE_BOOT].value == "undervoltage, throttled, soft limit"
    assert (told[Topic.SUPPLY].well, told[Topic.THROTTLING].well) == (Tri.YES, Tri.YES), "now it is well"


def test_a_vcgencmd_that_fails_or_hangs_is_passed_over(
    tree: BoardTree, vcgencmd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(THROTTLED, "2")
    vcgencmd.write_text("VCHI initialization failed\n")
    assert found(tree)[Topic.THROTTLING].value == "capped"
    vcgencmd.unlink()
    (vcgencmd.parent / "bin/vcgencmd").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(supply, "VCGENCMD_SECONDS", 0.05)
    assert found(tree)[Topic.THROTTLING].value == "capped"


# Temperature


@pytest.mark.parametrize(
    ("milli_c", "wrong"), [("79999", None), ("80000", Key.OVERHEATED), ("-5000", None), ("hot", Key.UNKNOWN)]
)
def test_the_processors_own_zone_counts(tree: BoardTree, milli_c: str, wrong: Key | None) -> None:
    tree.write("sys/class/thermal/thermal_zone0/temp", "none")
    tree.write(TEMPERATURE, milli_c)
    assert key(tree, Topic.TEMPERATURE) is wrong


def test_a_3_b_plus_slows_down_at_60_degrees(tree: BoardTree) -> None:
    tree.write(TEMPERATURE, "60000")
    assert key(tree, Topic.TEMPERATURE) is None
    tree.write("proc/device-tree/model", "Raspberry Pi 3 Model B Plus Rev 1.3\0")
    assert key(tree, Topic.TEMPERATURE) is Key.HOT


# Time


@pytest.mark.parametrize(
    ("clock", "well", "wrong"),
    [
        ("synced", Tri.YES, None),
        ("holdover", Tri.UNKNOWN, Key.CLOCK_HOLDOVER),
        ("unset", Tri.NO, Key.CLOCK_UNSET),
    ],
)
def test_the_clock_is_as_good_as_its_quality(tree: BoardTree, clock: str, well: Tri, wrong: Key | None) -> None:
    finding = found(tree, replace(GOOD, clock=clock))[Topic.CLOCK]
    assert (finding.well, finding.key) == (well, wrong)


def test_synchronised_unsynchronised_and_not_timesyncds_business(tree: BoardTree) -> None:
    assert read_board(tree.root, tree.device).time.synchronized is Tri.YES
    tree.remove(SYNCHRONIZED)
    assert read_board(tree.root, tree.device).time.synchronized is Tri.NO
    (tree.root / SYNCHRONIZED).parent.rmdir()
    assert read_board(tree.root, tree.device).time.synchronized is Tri.UNKNOWN


def test_a_pi_5_tells_of_its_cell(tree: BoardTree) -> None:
    assert key(tree, Topic.RTC) is Key.RTC_ABSENT
    tree.write("sys/class/rtc/rtc0/name", "rpi-rtc")
    assert found(tree)[Topic.RTC].well is Tri.YES
    tree.write("sys/class/rtc/rtc0/battery_voltage", "2964099")
    tree.write("sys/class/rtc/rtc0/charging_voltage", "3000000")
    assert found(tree)[Topic.RTC].value == "cell 2.96 V, charging"
    tree.write("sys/class/rtc/rtc0/battery_voltage", "8000")
    assert key(tree, Topic.RTC) is Key.RTC_CELL


# Storage


def test_an_sd_card_tells_nothing_of_its_life_and_is_never_called_well(tree: BoardTree) -> None:
    medium = read_board(tree.root, tree.device).medium
    assert medium is not None
    assert (medium.kind, medium.written, medium.read_only, medium.errors) == (Kind.SD, 2 << 30, Tri.NO, 0)
    assert key(tree, Topic.STORAGE) is Key.STORAGE_MUTE


@pytest.mark.parametrize("options", ["ro,errors=remount-ro", "rw,emergency_ro,errors=remount-ro", "rw,shutdown"])
def test_a_file_system_gone_read_only_is_seen(tree: BoardTree, options: str) -> None:
    tree.mounted(options)
    assert key(tree, Topic.STORAGE) is Key.STORAGE_READ_ONLY


def test_a_mount_that_is_read_only_for_us_alone_is_not(tree: BoardTree) -> None:
    assert "ro,relatime" in (tree.root / MOUNTS).read_text()
    assert key(tree, Topic.STORAGE) is Key.STORAGE_MUTE
    assert parse_mounts("1 2 8:1 / /x rw - ext4\n1 2\n1 2 8:1 / /x rw shared:1", (8, 1)) is Tri.NO
    assert parse_mounts("nothing of it", (8, 1)) is Tri.UNKNOWN


def test_errors_the_file_system_recorded_are_told(tree: BoardTree) -> None:
    tree.write(ERRORS, "3")
    finding = found(tree)[Topic.STORAGE]
    assert finding.key is Key.STORAGE_ERRORS
    assert "3 errors" in finding.value


@pytest.mark.parametrize(
    ("life", "reserve", "wrong"),
    [
        ("0x01 0x03", "0x01", None),
        ("0x08 0x0a", "0x01", Key.STORAGE_WEARING),
        ("0x02 0x02", "0x02", Key.STORAGE_WEARING),
        ("0x0b 0x02", "0x01", Key.STORAGE_WORN_OUT),
        ("0x02 0x02", "0x03", Key.STORAGE_WORN_OUT),
        ("0x00 0x00", "0x00", Key.STORAGE_MUTE),
        ("garbage", "", Key.STORAGE_MUTE),
    ],
)
def test_an_emmc_tells_of_its_life(tree: BoardTree, life: str, reserve: str, wrong: Key | None) -> None:
    tree.emmc(life, reserve)
    assert key(tree, Topic.STORAGE) is wrong


def test_the_worse_kind_of_cells_counts() -> None:
    assert parse_life("0x02 0x05") == 50
    assert parse_life("0x00 0x0b") == 110
    assert parse_life("0x0c 0x00") is None


def test_under_an_encrypted_volume_the_medium_is_found(tree: BoardTree) -> None:
    number = "sys/dev/block/{}:{}".format(*tree.device)
    tree.remove(number)
    tree.write("sys/devices/virtual/block/dm-0/dm/name", "data")
    tree.link("sys/devices/virtual/block/dm-0/slaves/mmcblk0p2", f"{CARD}/block/mmcblk0/mmcblk0p2")
    tree.link(number, "sys/devices/virtual/block/dm-0")
    medium = read_board(tree.root, tree.device).medium
    assert medium is not None
    assert medium.name == "mmcblk0"
    assert medium.errors is None, "dm-0 has a count of its own, or none"


def test_a_folder_in_memory_has_no_medium(tree: BoardTree) -> None:
    assert read_board(tree.root, (0, 77)).medium is None


def test_what_was_written_outlasts_boots_and_is_not_the_next_cards() -> None:
    first = counted(None, identity="a", boot="1", written=100, ran_s=10)
    later = counted(first, identity="a", boot="1", written=300, ran_s=30)
    assert (later.written, later.running_s) == (300, 30)
    booted = counted(later, identity="a", boot="2", written=50, ran_s=5)
    assert (booted.written, booted.running_s) == (350, 35)
    assert counted(booted, identity="a", boot="2", written=40, ran_s=6).written == 350, "a counter never runs back"
    assert counted(booted, identity="b", boot="2", written=60, ran_s=6).written == 60


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1000)), max_size=30),
)
def test_the_sum_over_boots_is_what_each_boot_ended_with(looks: list[tuple[int, int]]) -> None:
    wear, ends, boot = None, {}, 0
    for step, more in looks:
        boot += step == 0
        ends[boot] = ends.get(boot, 0) + more
        wear = counted(wear, identity="card", boot=str(boot), written=ends[boot], ran_s=1)
    assert wear is None or wear.written == sum(ends.values())


def test_a_pace_needs_a_whole_day_and_a_rating_makes_days_of_it() -> None:
    young = Wear("a", "1", here_bytes=10**9, here_s=DAY - 1)
    assert days_left(young, 10**12) is None
    old = replace(young, here_s=2 * DAY)
    assert old.bytes_a_day == 5 * 10**8
    assert days_left(old, 11 * 10**9) == 20
    assert days_left(old, 1) == 0


def test_a_rated_card_is_judged_by_what_was_written(tree: BoardTree) -> None:
    wear = Wear("a", "1", here_bytes=95 * 10**9, here_s=100 * DAY)
    rated = replace(GOOD, wear=wear, rated_bytes=10**12)
    finding = found(tree, rated)[Topic.STORAGE]
    assert finding.well is Tri.YES
    assert finding.value == (
        "SD card mmcblk0, at least 95.0 GB written, 0.95 GB a day of running, about 952 days of running to its rating"
    )
    assert key(tree, Topic.STORAGE, replace(rated, rated_bytes=100 * 10**9)) is Key.STORAGE_WEARING
    assert key(tree, Topic.STORAGE, replace(rated, rated_bytes=95 * 10**9)) is Key.STORAGE_WORN_OUT


def test_what_was_written_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "medium.json"
    assert load_wear(file) is None
    wear = Wear("a", "1", 1, 2, 3, 4)
    save_wear(file, wear)
    assert load_wear(file) == wear
    file.write_bytes(file.read_bytes()[:-4])
    assert load_wear(file) is None


@pytest.mark.parametrize(
    ("free", "wrong"), [(64 << 20, None), ((64 << 20) - 1, Key.SPACE_LOW), ((16 << 20) - 1, Key.SPACE_FULL)]
)
def test_room_is_judged_by_the_journals_own_marks(tree: BoardTree, free: int, wrong: Key | None) -> None:
    assert key(tree, Topic.SPACE, replace(GOOD, free_bytes=free)) is wrong


# Watchdog and memory


def test_a_watchdog_nobody_feeds_and_one_another_program_feeds(tree: BoardTree) -> None:
    tree.remove(WATCHDOG_CONFIG)
    assert found(tree)[Topic.WATCHDOG].value == "fed by another program, 60 s"
    tree.write(f"{WATCHDOG}/state", "inactive")
    assert key(tree, Topic.WATCHDOG) is Key.WATCHDOG_IDLE
    tree.remove(f"{WATCHDOG}/state")
    assert key(tree, Topic.WATCHDOG) is Key.UNKNOWN, "a kernel without WATCHDOG_SYSFS"


def test_only_a_driver_that_can_say_it_says_that_the_watchdog_bit(tree: BoardTree) -> None:
    tree.write(f"{WATCHDOG}/bootstatus", "32")
    assert key(tree, Topic.WATCHDOG) is None, "the Pi's own never means it"
    tree.write(f"{WATCHDOG}/identity", "iTCO_wdt")
    assert key(tree, Topic.WATCHDOG) is Key.WATCHDOG_BITTEN


def test_the_last_drop_in_by_name_wins_wherever_it_lies(tree: BoardTree) -> None:
    assert read_configured(tree.root) == "1m"
    tree.write("etc/systemd/system.conf", "[Manager]\nRuntimeWatchdogSec=9\n")
    tree.write("etc/systemd/system.conf.d/10-mine.conf", "[Manager]\nRuntimeWatchdogSec=15\n")
    assert read_configured(tree.root) == "1m", "the vendor's 40- comes after 10-"
    tree.write("etc/systemd/system.conf.d/40-rpi-enable-watchdog.conf", "[Manager]\nRuntimeWatchdogSec=off\n")
    assert read_configured(tree.root) == ""
    tree.write("etc/systemd/system.conf.d/99-x.conf", "#RuntimeWatchdogSec=1\nRuntimeWatchdogSec = 20s\n")
    assert read_configured(tree.root) == "20s"


def test_memory_that_runs_out_and_a_program_the_kernel_ended(tree: BoardTree) -> None:
    tree.write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 79 kB\n")
    assert key(tree, Topic.MEMORY) is Key.MEMORY_LOW
    tree.write("proc/vmstat", "oom_kill 2\n")
    assert key(tree, Topic.MEMORY) is Key.MEMORY_KILLED
    assert key(tree, Topic.MEMORY, replace(GOOD, killed_before=2)) is Key.MEMORY_LOW


# Whatever the files hold

FILES = [
    ALARM, THROTTLED, TEMPERATURE, STAT, ERRORS, MOUNTS, f"{WATCHDOG}/state", f"{WATCHDOG}/timeout",
    f"{WATCHDOG}/bootstatus", WATCHDOG_CONFIG, f"{CARD}/life_time", f"{CARD}/pre_eol_info", f"{CARD}/cid",
    "proc/meminfo", "proc/vmstat", "proc/device-tree/model", "sys/class/rtc/rtc0/battery_voltage",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.sampled_from(FILES),
    st.binary(max_size=60) | st.from_regex(rb"[0-9a-fx :\-]{0,40}") | st.integers().map(lambda n: str(n).encode()),
)
def test_no_content_of_any_file_stops_the_report(tree: BoardTree, path: str, content: bytes) -> None:
    file = tree.root / path
    kept = file.read_bytes() if file.exists() else None
    tree.write(path, content)
    try:
        assert list(found(tree)) == list(Topic)
    finally:
        tree.remove(path) if kept is None else tree.write(path, kept)


def test_the_page_tells_every_finding() -> None:
    page = (Path(__file__).parents[2] / "docs/board.md").read_text()
    rows = [f"| `{key}` | {meaning} | {remedy} |" for key, (meaning, remedy) in sorted(FINDINGS.items())]
    assert "| key | means | what to do |\n|---|---|---|\n" + "\n".join(rows) + "\n" in page
