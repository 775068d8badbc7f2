"""The socket file: who may open it, whose it is, and what was left by a daemon that died."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from holdfast.api.server import ApiServer
from holdfast.api.sockets import InUseError, listen, remove
from hub_rig import Rig, open_hub


def test_owner_and_group_may_speak_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "run" / "hub.sock"
    with listen(path):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o660
        assert stat.S_IMODE(path.parent.stat().st_mode) & 0o007 == 0


def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    listen(path).close()
    assert path.exists()
    with listen(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_a_daemon_that_answers_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    with listen(path), pytest.raises(InUseError, match="another daemon"):
        listen(path)


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    path.write_text("precious")
    with pytest.raises(InUseError, match="no socket"):
        listen(path)
    link = tmp_path / "link.sock"
    link.symlink_to(path)
    with pytest.raises(InUseError, match="no socket"):
        listen(link)
    assert path.read_text() == "precious"


def test_only_our_own_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    with listen(path):
        inode = path.stat().st_ino
        remove(path, inode + 1)
        assert path.exists()
        remove(path, inode)
        assert not path.exists()
        remove(path, inode)


def test_a_path_too_long_for_a_socket_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        listen(tmp_path / ("x" * 120))


async def test_the_server_takes_its_socket_away(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as rig:
        assert rig.socket.exists()
    assert not rig.socket.exists()


async def test_a_second_daemon_is_refused(hub: Rig) -> None:
    with pytest.raises(InUseError):
        async with ApiServer(hub.hub, hub.socket):
            raise AssertionError
    assert (await hub.get("/v1/health"))["ok"]
