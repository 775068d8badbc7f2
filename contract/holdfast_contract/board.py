"""How a hub's board is: what may be wrong with it, what to do, and how headquarters hears of it."""

from __future__ import annotations

import msgspec

FINDINGS: dict[str, tuple[str, str]] = {
    "unknown": (
        "This machine does not tell.",
        "Nothing to do. On a Raspberry Pi, see that its kernel and firmware are current.",
    ),
    "undervoltage": (
        "The board's 5 V supply drops too low: data may be damaged, devices may drop out.",
        "Use the official power supply and a short, thick cable; give USB devices that draw much their own power.",
    ),
    "undervoltage_printing": (
        "The board's 5 V supply drops too low while the printer works: they share a supply.",
        "Give the printer a power supply of its own. Printers draw amperes; never feed one from the board.",
    ),
    "throttled": (
        "The board holds its processor back.",
        "See supply and temperature: cure the one that is not well.",
    ),
    "troubled_since_boot": (
        "The supply was too low, or the processor was held back, at some time since the last start.",
        "If supply and temperature are well now, look when it happens: while printing, in the sun, on battery.",
    ),
    "hot": ("The processor is hot enough to be slowed.", "Give the board air; keep it out of the sun."),
    "overheated": (
        "The processor is so hot that it is slowed down.",
        "Give it air, shade and a heat sink or fan. Beyond 85 °C it may stop.",
    ),
    "clock_holdover": (
        "The time is carried on by the board's own clock; nobody confirms it.",
        "Nothing to do for days. It is confirmed when a time server is reached.",
    ),
    "clock_unset": (
        "Nobody has told the board the time; what is recorded is marked so.",
        "Connect it to a network with a time server, now and then at least.",
    ),
    "rtc_absent": (
        "No clock outlasts a power cut.",
        "Where the network is often away, fit a clock module (or a Raspberry Pi 5's cell).",
    ),
    "rtc_cell": (
        "The clock's backup cell is empty or not fitted.",
        "Fit a cell at the board's RTC connector. Turn charging on only for a cell that can be charged.",
    ),
    "storage_read_only": (
        "The file system has gone read-only: nothing can be recorded.",
        "Close the shop at this hub. Copy /var/lib/holdfast away, change the medium, run holdfast journal verify.",
    ),
    "storage_errors": (
        "The file system has met errors.",
        "Copy /var/lib/holdfast away, then check the file system with fsck from another machine; change the medium.",
    ),
    "storage_worn_out": (
        "The medium's life is used up.",
        "Stop the hub, copy the medium to a new one, start from that. This one may go read-only at any write.",
    ),
    "storage_wearing": ("The medium nears the end of its life.", "Order another and change it within weeks."),
    "storage_mute": (
        "This medium does not tell how worn it is.",
        "Give storage.rated_tb what its maker warrants, if he does; change SD cards every two years.",
    ),
    "space_low": (
        "Little room is left: imports and other bulk work are refused.",
        "Free space: journalctl --vacuum-size=100M, old packages, other people's files.",
    ),
    "space_full": (
        "Almost no room is left: new carts are refused.",
        "Free space now: journalctl --vacuum-size=50M; then look what fills it with du.",
    ),
    "watchdog_absent": (
        "There is no hardware watchdog: a machine that hangs stays so.",
        "On a Raspberry Pi, add dtparam=watchdog=on to config.txt.",
    ),
    "watchdog_idle": (
        "Nobody feeds the hardware watchdog: a machine that hangs stays so.",
        "Put [Manager] and RuntimeWatchdogSec=1min into /etc/systemd/system.conf.d/99-watchdog.conf, and restart.",
    ),
    "watchdog_bitten": (
        "The machine had hung; the watchdog started it again.",
        "Look at the supply, the temperature and the log before it: journalctl -b -1 -e.",
    ),
    "memory_low": (
        "Memory is nearly used up.",
        "See what takes it: ps aux --sort=-rss. Run nothing else on a hub.",
    ),
    "memory_killed": (
        "The kernel had to end a program for want of memory.",
        "See which: journalctl -k -g oom. Run nothing else on a hub.",
    ),
}
"""By key: what it means, and what to do."""

CHANGED = "board.finding"
"""Name of the diagnostic record that carries a Change."""
STATE = "board"
"""The device under which a State is shown."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """On `dg`: a finding is not what it was."""

    topic: str
    well: str
    """`yes`, `no` or `unknown`."""
    key: str = ""
    """Of FINDINGS; empty when it is well."""
    value: str = ""
    """For people."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """On `state/board`, retained: every topic that is not well, with its key; and those nobody knows of."""

    model: str
    not_well: dict[str, str]
    unknown: tuple[str, ...]
