"""The devices of the hub: list, look for more, test one, record it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from holdfast.cli.client import TIMEOUT_S, Client, HubError, UsageError
from holdfast.cli.session import Session, command, landing

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer()

DEEDS = (
    "Half a minute for each: scan a code with the scanner; open and close the printer's cover or the drawer;"
    " pull the mains plug and put it back."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The device's name.", show_default=False)]


@landing(app, examples=("holdfast devices", "holdfast devices scan", "holdfast devices test scanner"))
def overview(session: Session) -> None:
    """Every device, and what to do about those that are not well; then what is plugged in and not configured."""
    _list(session)


@command(app, "list")
def list_(session: Session) -> None:
    """Every device, with what it has done in its life."""
    _list(session, statistics=True)


@command(app, examples=("holdfast devices scan", "holdfast devices scan --json | jq '.found[].where'"))
def scan(session: Session) -> None:
    """Every port and what may be on it. Reads descriptors alone: no port is opened, no byte is sent."""
    session.show(session.client.get("/v1/devices/found"), _found)


@command(app, examples=("holdfast devices identify /dev/ttyUSB0",))
def identify(
    session: Session,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A node, a link to it, or a port.", show_default=False)],
) -> None:
    """What may be at one port, why, and what to write into the configuration."""
    answer = session.client.get("/v1/devices/found")
    node = str(Path(path).resolve())
    found = [one for one in answer["found"] if path in (one["node"], one["path"], *one["names"]) or one["node"] == node]
    if not found:
        raise UsageError(f"Nothing is known of {path}.", "`holdfast devices scan` lists every port.")
    session.show(found[0], _identified)


@command(
    app,
    "test",
    examples=("holdfast devices test printer", "holdfast devices test scanner --level interactive"),
)
def check(
    session: Session,
    name: Name,
    level: Annotated[
        Literal["internal", "external", "interactive"],
        typer.Option(help="internal: changes nothing; external: prints or sounds; interactive: asks you to act."),
    ] = "internal",
) -> None:
    """Check that a device works."""
    if level == "interactive" and not session.json:
        typer.echo(DEEDS, err=True)
    client = Client(session.client.path, timeout=2 * TIMEOUT_S)
    answer = client.post_json(f"/v1/devices/{_part(name)}/test", level=level)
    session.show(answer, _tested)
    if not answer["ok"]:
        raise typer.Exit(1)


@command(app, examples=("holdfast devices record scanner --seconds 60 --out scanner.tape",))
def record(
    session: Session,
    name: Name,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the tape goes.", show_default=False)],
    seconds: Annotated[float, typer.Option(min=0.1, max=3600)] = 30.0,
) -> None:
    """Record what goes over a device's wire. Letters and digits are masked: a tape may be sent to anyone."""
    client = Client(session.client.path, timeout=seconds + TIMEOUT_S)
    tape = client.post_json(f"/v1/devices/{_part(name)}/record", seconds=seconds)["data"]["tape"]
    try:
        out.write_text(tape)
    except OSError as error:
        raise HubError(f"{out} cannot be written: {error.strerror}") from error
    session.show({"file": str(out), "entries": max(0, tape.count("\n") - 1)}, _recorded)


@command(app, "log-level", examples=("holdfast devices log-level printer debug", "journalctl -fu holdfast"))
def log_level(
    session: Session,
    name: Name,
    level: Annotated[Literal["debug", "info", "warning", "error"], typer.Argument(show_default=False)],
) -> None:
    """How much a device says in the log, until the next start. debug shows its traffic, masked."""
    from holdfast.cli.show import plain

    answer = session.client.post_json(f"/v1/devices/{_part(name)}/log-level", level=level)
    session.show(answer, lambda _: plain(f"{name} logs at {level}; read it with journalctl -fu holdfast."))


@command(app, examples=("holdfast devices release printer", "holdfast devices claim printer"))
def release(session: Session, name: Name) -> None:
    """Let go of a device, so that another program may use its port: until it is claimed, or the hub starts anew."""
    from holdfast.cli.show import plain

    answer = session.client.post(f"/v1/devices/{_part(name)}/release", b"")
    where = answer["data"]["where"]
    session.show(answer, lambda _: plain(f"{where} is free. `holdfast devices claim {name}` takes it back."))


@command(app)
def claim(session: Session, name: Name) -> None:
    """Take back a device that was released."""
    from holdfast.cli.show import plain

    answer = session.client.post(f"/v1/devices/{_part(name)}/claim", b"")
    session.show(answer, lambda _: plain(f"{name} is the hub's again; `holdfast devices` shows how it is."))


@command(app, examples=("holdfast devices statistics printer", "holdfast devices statistics printer --reset"))
def statistics(
    session: Session,
    name: Name,
    reset: Annotated[bool, typer.Option("--reset", help="Begin the counts anew, after they were shown.")] = False,
) -> None:
    """Which device it is and what it has done in its life, in UnifiedPOS's words."""
    known = {device["name"]: device for device in session.client.get("/v1/devices")["devices"]}
    if name not in known:
        raise UsageError(f"No device {name!r} is configured.", "`holdfast devices` lists them.")
    told = {"equipment": known[name]["equipment"], "statistics": known[name]["statistics"], "reset": reset}
    if reset:
        answer = session.client.post(f"/v1/devices/{_part(name)}/reset-statistics", b"")
        told["statistics"] = answer["data"]["statistics"]
    session.show(told, _statistics)


@command(app)
def forget(session: Session, name: Name) -> None:
    """A device was replaced: learn the new one at its port."""
    from holdfast.cli.show import plain

    answer = session.client.post(f"/v1/devices/{_part(name)}/forget", b"")
    known = answer["data"]["known"]
    session.show(answer, lambda _: plain(f"{name} is learnt anew." if known else f"Nothing was known of {name}."))


def _part(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _list(session: Session, *, statistics: bool = False) -> None:
    session.show(session.client.get("/v1/devices"), lambda answer: _devices(answer, statistics=statistics))


def _devices(answer: dict[str, Any], *, statistics: bool) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.hub import device_table
    from holdfast.cli.show import stack, table

    parts = [device_table(answer["devices"])]
    if statistics:
        rows = [
            (escape(device["name"]), name, count)
            for device in answer["devices"]
            for name, count in sorted(device["statistics"].items())
        ]
        parts.append(table("In its life", ("device", "statistic", "count"), rows))
    if answer["others"]:
        rows = [
            (escape(one["name"]), one["reason"].replace("_", " "), escape(one["facts"].get("may_be", "unknown")))
            for one in answer["others"]
        ]
        parts.append(table("Plugged in, not configured", ("device", "why", "may be"), rows))
    return stack(*parts)


def _statistics(told: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import facts, plain, stack, table

    parts = [
        facts((name, escape(value)) for name, value in told["equipment"].items()),
        table("In its life", ("statistic", "count"), sorted(told["statistics"].items())),
    ]
    return stack(*parts, plain("These counts were reset.")) if told["reset"] else stack(*parts)


def _found(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, table

    rows = (
        (
            GOOD if one["configured"] else DOUBTFUL if one["supported"] else BAD,
            escape(one["where"]),
            one["usb"] or "",
            escape(one["product"]),
            escape(one["configured"] or ("not configured" if one["supported"] else "unsupported")),
            escape(one["guesses"][0]["why"] if one["guesses"] else "unknown"),
        )
        for one in answer["found"]
    )
    return table("Ports", ("", "where", "usb", "product", "device", "may be"), rows, empty="nothing is plugged in")


def _identified(one: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import facts, plain, stack, table

    pairs = [
        ("name", escape(one["where"])),
        ("plugged in at", escape(one["path"])),
        ("usb", f"{one['usb'] or 'no'} {escape(one['manufacturer'])} {escape(one['product'])}".rstrip()),
        ("serial number", escape(one["serial"] or "none: know it by its port")),
        ("device", escape(one["configured"] or one["learnt"] or "not configured")),
        ("driver", "there is one" if one["supported"] else "[red]unsupported[/]"),
    ]
    rows = ((guess["role"], guess["confidence"].replace("_", " "), escape(guess["why"])) for guess in one["guesses"])
    parts = [facts(pairs), table("May be", ("role", "confidence", "why"), rows, empty="unknown")]
    if one["configuration"] and not one["configured"]:
        parts.append(plain(f"For the configuration, if it is that:\n\n{one['configuration']}"))
    return stack(*parts)


def _tested(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, marked

    told = answer["data"]
    mark = {"yes": GOOD, "no": BAD}.get(told["healthy"], DOUBTFUL)
    return marked(f"{mark} {told['text']}: {escape(told['words'])}")


def _recorded(told: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain(f"{told['entries']} reads and writes in {told['file']}.")
