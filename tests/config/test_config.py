"""Configuration: every error with its key path, all of them at once; unknown keys are fatal; nothing unsafe passes."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.config import Config, ConfigError, load, parse

HUB: dict[str, Any] = {"id": "pier-7", "code": "P7", "name": "Pier 7"}


def problems(raw: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as error:
        parse(raw)
    assert str(error.value)
    return dict(error.value.problems)


def test_the_least_there_can_be() -> None:
    config = parse({"hub": HUB})
    assert config.hub.day_cut == "04:00"
    assert config.uplink is None


def test_every_problem_is_named_with_its_path() -> None:
    raw = tomllib.loads(
        """
        bogus = 1
        [hub]
        id = "pier-7"
        code = "P7"
        nme = "x"
        exponent = 9
        [storage]
        low_bytes = 0
        [[stations]]
        name = "t1"
        [[scanners]]
        name = "s"
        station = "t1"
        serial = { port = "/dev/x", baud = 1, parity = "Q" }
        """
    )
    found = problems(raw)
    assert found["bogus"] == "unknown section"
    assert found["hub.nme"] == "unknown key"
    assert "`name`" in found["hub"]
    assert "<= 4" in found["hub.exponent"]
    assert ">= 1" in found["storage.low_bytes"]
    assert found["scanners[0].serial.baud"] == "unknown key"
    assert "Q" in found["scanners[0].serial.parity"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"hub": {**HUB, "id": "Pier/7"}}, "hub.id"),
        ({"hub": {**HUB, "code": "pier"}}, "hub.code"),
        ({"hub": {**HUB, "timezone": "Mars/Olympus"}}, "hub.timezone"),
        ({"stations": [{"name": "t1"}, {"name": "t1"}]}, "stations[1].name"),
        ({"scanners": [{"name": "s", "station": "t9", "serial": {"port": "/dev/x"}}]}, "scanners[0].station"),
        ({"scanners": [{"name": "s", "station": "t1"}]}, "scanners[0]"),
        ({"scanners": [{"name": "s", "station": "t1", "protocol": "ssi", "input": "/dev/x"}]}, "scanners[0]"),
        (
            {"scanners": [{"name": "s", "station": "t1", "protocol": "keyboard", "serial": {"port": "/dev/x"}}]},
            "scanners[0]",
        ),
        (
            {"scanners": [{"name": "s", "station": "t1", "input": "/dev/y", "serial": {"port": "/dev/x"}}]},
            "scanners[0]",
        ),
        ({"scanners": [{"name": "s", "station": "t1", "protocol": "morse"}]}, "scanners[0].protocol"),
        ({"scanners": [{"name": "s", "station": "t1", "layout": "dvorak"}]}, "scanners[0].layout"),
        ({"scanners": [{"name": "s", "station": "t1", "gs_substitute": "~~"}]}, "scanners[0].gs_substitute"),
        (
            {
                "stations": [{"name": "t1"}],
                "scanners": [{"name": "printer", "station": "t1", "serial": {"port": "/dev/x"}}],
                "printer": {"tcp": "h:9100"},
            },
            "printer.name",
        ),
        ({"printer": {}}, "printer"),
        ({"printer": {"tcp": "h:9100", "serial": {"port": "/dev/x"}}}, "printer"),
        ({"printer": {"tcp": "h:9100", "usb": "/dev/holdfast/lp-x"}}, "printer"),
        ({"printer": {"tcp": "h:9100", "language": "zpl"}}, "printer.language"),
        ({"printer": {"tcp": "h:9100", "buffer": 8}}, "printer.buffer"),
        ({"storage": {"low_bytes": 1, "floor_bytes": 2}}, "storage.floor_bytes"),
        ({"uplink": {"host": "broker.example.org", "tls": False}}, "uplink.tls"),
        ({"demo": {"speed": 100}}, "demo"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], path: str) -> None:
    assert path in problems({"hub": HUB, **change})


def scanner_at(**port: Any) -> dict[str, Any]:
    protocol = "keyboard" if "input" in port else "plain"
    return {"scanners": [{"name": "s", "station": "t1", "protocol": protocol, **port}], "stations": [{"name": "t1"}]}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (scanner_at(serial={"port": "/dev/ttyACM0"}), "scanners[0].serial.port"),
        (scanner_at(input="/dev/input/event3"), "scanners[0].input"),
        (scanner_at(input="/dev/hidraw12"), "scanners[0].input"),
        ({"scales": [{"name": "w", "station": "t1", "serial": {"port": "/dev/ttyUSB1"}}]}, "scales[0].serial.port"),
        ({"displays": [{"name": "d", "station": "t1", "serial": {"port": "/dev/ttyUSB0"}}]}, "displays[0].serial.port"),
        ({"printer": {"serial": {"port": "/dev/ttyUSB0"}}}, "printer.serial.port"),
        ({"printer": {"usb": "/dev/usb/lp0"}}, "printer.usb"),
    ],
)
def test_a_name_that_may_be_another_device_tomorrow_is_refused(change: dict[str, Any], path: str) -> None:
    assert "may be another device tomorrow" in problems({"hub": HUB, **change})[path]


@pytest.mark.parametrize(
    "port", ["/dev/serial/by-path/usb-0:1.2:1.0", "/dev/holdfast/scanner", "/dev/ttyAMA0", "/dev/ttyS0", "/dev/pts/3"]
)
def test_a_name_that_stays_is_taken(port: str) -> None:
    assert parse({"hub": HUB, **scanner_at(serial={"port": port})}).scanners


def test_plain_mqtt_is_for_this_machine_alone() -> None:
    assert parse({"hub": HUB, "uplink": {"host": "127.0.0.1", "tls": False}}).uplink is not None


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("[hub\n")
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        load(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["hub", "storage", "stations", "printer", "uplink", "panel", "x"]), values))
def test_any_document_is_accepted_or_refused_but_never_crashes(raw: dict[str, Any]) -> None:
    with suppress(ConfigError):
        assert isinstance(parse(raw), Config)
