"""`holdfast devices`: what a technician sees of the ports, and does with one device."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_rig import Terminal
from holdfast.api.ports import DeviceReport
from holdfast_drivers.values import DeviceState

PORT = "/dev/serial/by-path/platform-soc-usb-0:1.2:1.0"
FOUND = {
    "where": PORT, "node": "/dev/ttyUSB0", "path": "platform-soc-usb-0:1.2:1.0", "names": [PORT], "subsystem": "tty",
    "usb": "1a86:7523", "serial": "", "manufacturer": "", "product": "USB Serial [x]", "supported": True,
    "configured": "", "learnt": "", "configuration": "[printer]\n",
    "guesses": [{"role": "adapter", "confidence": "confirmed", "why": "WCH CH340"}],
}  # fmt: skip
SNAPI = FOUND | {"where": "usb-0:1.4", "node": "", "path": "usb-0:1.4", "names": [], "supported": False, "guesses": []}


def test_the_list_is_what_one_gets_first(hub: Terminal) -> None:
    hub.rig.others.append(DeviceReport("SNAPI at usb-0:1.4", "unsupported", DeviceState.UNKNOWN, reason="unsupported"))
    swap = {"finding": "printer is plugged in where scanner belongs: swap the plugs"}
    hub.rig.devices[0] = DeviceReport(
        "scanner", "scanner", DeviceState.OFF_OFFLINE, PORT, "port_swap", swap, {"GoodScanCount": 12}
    )
    shown = hub("devices").stdout
    assert "swap the plugs" in shown.replace("\n", " ")
    assert "SNAPI at usb-0:1.4" in shown
    assert "GoodScanCount" not in shown
    assert "GoodScanCount" in hub("devices", "list").stdout
    assert hub.json("devices")["devices"][0]["reason"] == "port_swap"


def test_a_scan_shows_every_port_the_unsupported_too(hub: Terminal) -> None:
    hub.rig.bench.ports = [FOUND, SNAPI]
    shown = hub("devices", "scan").stdout
    for told in ("1a86:7523", "USB Serial [x]", "not configured", "unsupported", "WCH CH340"):
        assert told in shown
    assert len(hub.json("devices", "scan")["found"]) == 2


@pytest.mark.parametrize("path", ["/dev/ttyUSB0", PORT, "platform-soc-usb-0:1.2:1.0"])
def test_one_port_is_identified_by_any_of_its_names(hub: Terminal, path: str) -> None:
    hub.rig.bench.ports = [SNAPI, FOUND]
    shown = hub("devices", "identify", path).stdout
    assert PORT in shown
    assert "none: know it by its port" in shown
    assert "[printer]" in shown
    hub.rig.bench.ports = [FOUND | {"configured": "printer"}]
    assert "[printer]" not in hub("devices", "identify", path).stdout, "it is there already"


def test_an_unknown_port_is_wrong_usage(hub: Terminal) -> None:
    assert "Nothing is known of /dev/nothing" in hub("devices", "identify", "/dev/nothing", code=2).output


@pytest.mark.parametrize(("healthy", "code"), [("yes", 0), ("unknown", 0), ("no", 1)])
def test_a_test_ends_with_its_verdict(hub: Terminal, healthy: str, code: int) -> None:
    hub.rig.bench.healthy = healthy
    shown = hub("devices", "test", "scanner", "--level", "external", code=code).output
    assert "external HCheck: it was looked at" in shown


def test_devices_that_are_not_there_are_refused(hub: Terminal) -> None:
    assert "no device 'nobody' is configured" in hub("devices", "test", "nobody", code=1).output
    assert "it has no wire" in hub("devices", "record", "panel", "--out", "x", code=1).output


def test_a_recording_becomes_a_tape(hub: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "scanner.tape"
    assert "1 reads and writes" in hub("devices", "record", "scanner", "--seconds", "2", "--out", str(out)).stdout
    assert out.read_text().splitlines()[1] == '{"at":2.0,"in":"X"}'
    assert "cannot be written" in hub("devices", "record", "scanner", "--out", str(tmp_path), code=1).output


def test_a_device_is_released_and_claimed(hub: Terminal) -> None:
    assert "usb-1 is free. `holdfast devices claim scanner`" in hub("devices", "release", "scanner").stdout
    assert "it is at work" in hub("devices", "release", "scanner", code=1).output
    assert "the hub's again" in hub("devices", "claim", "scanner").stdout
    assert hub.rig.bench.released == []
    assert "no device 'nobody' is configured" in hub("devices", "claim", "nobody", code=1).output


def test_statistics_are_shown_and_reset(hub: Terminal) -> None:
    hub.rig.devices[0] = DeviceReport(
        "scanner", "scanner", DeviceState.ONLINE, statistics={"GoodScanCount": 12}, equipment={"ModelName": "[x] 1450g"}
    )
    shown = hub("devices", "statistics", "scanner").stdout
    assert "[x] 1450g" in shown
    assert "GoodScanCount" in shown
    assert hub.rig.bench.counts, "looking resets nothing"
    assert hub.json("devices", "statistics", "scanner", "--reset")["statistics"] == {"GoodScanCount": 12}
    assert hub.rig.bench.counts == {}
    assert "No device 'nobody'" in hub("devices", "statistics", "nobody", code=2).output


def test_log_level_and_forgetting(hub: Terminal) -> None:
    hub("devices", "log-level", "scanner", "debug")
    assert hub.rig.bench.levels == [("scanner", "debug")]
    hub("devices", "log-level", "scanner", "loud", code=2)
    assert "learnt anew" in hub("devices", "forget", "scanner").stdout
