"""How the hub is: status, devices, outbox, paper, power, live, and the tests a technician runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import RenderableType

PANEL = "How the hub is"


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    command(app, panel=PANEL, examples=("holdfast status", "watch -n 5 holdfast status"))(status)
    command(app, panel=PANEL)(outbox)
    command(app, panel=PANEL, examples=("holdfast spool", "holdfast receipt BER-1-R000042 --copy"))(spool)
    command(app, panel=PANEL, examples=("holdfast live", "holdfast live --json | jq .kind"))(live)
    command(app, "print-test", panel=PANEL)(print_test)
    command(
        app, "scan-test", panel=PANEL, examples=("holdfast scan-test 4006381333931", "holdfast scan-test HFCPARKN")
    )(scan_test)
    command(app, panel=PANEL)(reasons)


def status(session: Session) -> None:
    """Everything on one screen: record, link, devices, power, shop, paper."""
    session.show(session.client.get("/v1/status"), _status)


def outbox(session: Session) -> None:
    """What headquarters has not committed yet."""
    session.show(session.client.get("/v1/outbox"), _outbox)


def spool(session: Session) -> None:
    """Paper that waits, and paper nobody can vouch for: look at the printer, then print a copy or leave it."""
    session.show(session.client.get("/v1/spool"), _spool)


def live(session: Session) -> None:
    """What happens at the hub, as it happens. Ends with Ctrl-C."""
    for line in session.client.lines("/v1/live"):
        item = json.loads(line)
        if item.get("kind") == "beat":
            continue
        typer.echo(line if session.json else _item(item))


def print_test(session: Session) -> None:
    """Print a test page and say whether the printer proved it."""
    answer = session.client.post("/v1/print-test", b"")
    session.show(answer, _print_test)
    if not answer["ok"]:
        raise typer.Exit(1)


def scan_test(
    session: Session,
    text: Annotated[
        str, typer.Argument(help="What the barcode says; it may begin with its AIM identifier.", show_default=False)
    ],
    aim: Annotated[str, typer.Option(help="AIM symbology identifier the scanner would send, e.g. ]C1.")] = "",
) -> None:
    """Say what a barcode is and what the hub would make of it. Does nothing."""
    if text.startswith("]") and not aim:
        aim, text = text[:3], text[3:]
    session.show(session.client.post_json("/v1/scan-test", data=text, aim=aim), _scan_test)


def reasons(session: Session) -> None:
    """Every reason the hub refuses with, every fault of a device, and what to do. Needs no daemon."""
    from holdfast_contract.reasons import FAULTS, REASONS

    def listed(table: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
        return [{"reason": code, "meaning": m, "remedy": r} for code, (m, r) in sorted(table.items())]

    session.show({"reasons": listed(REASONS), "faults": listed(FAULTS)}, _reasons)


def _status(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.board import board_line
    from holdfast.cli.power import in_words
    from holdfast.cli.show import facts, size, stack

    own, journal = answer["hub"], answer["journal"]
    record = [
        ("hub", f"[bold]{escape(own['name'])}[/] ({own['id']}, {own['code']}), holdfast {answer['version']}"),
        ("record", f"seq {journal['seq']} of incarnation {journal['inc']}, hash {journal['hash'][:16]}…"),
        ("storage", f"{size(journal['free_bytes'])} free, {journal['waiting']} commands waiting"),
        ("clock", answer["clock"]["quality"]),
    ]
    if journal["moved_aside"]:
        record.append(("damage", f"[red]a damaged journal was moved aside: {escape(journal['moved_aside'])}[/]"))
    rest = [
        ("link", _link(answer["outbox"])),
        ("power", in_words(answer["power"])),
        *_findings(answer["power"]),
        ("board", board_line(answer["board"])),
        *_shop(answer["shop"]),
    ]
    return stack(facts(record + rest), device_table(answer["devices"]), _paper(answer["spool"]))


def _findings(power: dict[str, Any]) -> list[tuple[str, str]]:
    from rich.markup import escape

    return [("battery", f"[yellow]{escape(finding['words'])}[/]") for finding in power.get("findings", ())]


def _shop(shop: dict[str, Any]) -> list[tuple[str, str]]:
    from rich.markup import escape

    catalogue = shop["catalogue"]
    told = [
        ("shift", f"{shop['shift']} is open" if shop["shift"] else "none is open"),
        ("catalogue", f"version {catalogue['version']}, {catalogue['rows']} products" if catalogue else "[red]none[/]"),
        ("carts", f"{shop['carts']}, {shop['parked']} of them parked" if shop["carts"] else "none"),
    ]
    if shop["discrepancies"]:
        told.append(("stock", f"[yellow]products below zero: {shop['discrepancies']}, count them[/]"))
    for station in shop["stations"]:
        who = f"{escape(station['name'])} ({station['role']})" if station["name"] else "nobody"
        told.append((station["station"], who + (", [yellow]training[/]" if station["training"] else "")))
    return told


def _link(outbox: dict[str, Any]) -> str:
    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, duration

    if outbox["state"] == "off":
        return "no headquarters is configured"
    mark = {"online": GOOD, "catching_up": DOUBTFUL, "degraded": DOUBTFUL}.get(outbox["state"], BAD)
    told = f"{mark} {outbox['state'].replace('_', ' ')}"
    if outbox["waiting"]:
        return f"{told}, {outbox['waiting']} records waiting, the oldest for {duration(outbox['oldest_age_s'])}"
    return f"{told}, nothing waiting"


def device_table(devices: list[dict[str, Any]]) -> RenderableType:
    """Devices, a line each."""
    from rich.markup import escape

    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, table

    marks = {"online": GOOD, "unknown": DOUBTFUL}
    return table(
        "Devices",
        ("", "device", "class", "state", "where", "facts", "what to do"),
        (
            (
                marks.get(device["state"], BAD),
                escape(device["name"]),
                device["category"],
                escape(_state(device)),
                escape(device["where"]),
                escape(", ".join(f"{name} {value}" for name, value in device["facts"].items() if name != "finding")),
                escape(device["facts"].get("finding") or device["words"] or device["reason"]),
            )
            for device in devices
        ),
        empty="none is configured",
    )


def _state(device: dict[str, Any]) -> str:
    state = str(device["state"]).replace("_", " ")
    return f"{state}: {device['reason'].replace('_', ' ')}" if device["reason"] else state


def _outbox(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import facts, local_time, size

    pairs = [
        ("link", _link(answer)),
        ("committed", f"up to seq {answer['acked']} of {answer['head']}"),
        ("oldest waiting", local_time(answer["oldest_at"]) if answer["oldest_at"] else "none"),
        ("sent", f"{size(answer['sent_bytes'])} since the start"),
    ]
    return facts([*pairs, ("error", f"[red]{escape(answer['error'])}[/]")] if answer["error"] else pairs)


def _paper(counts: dict[str, int]) -> RenderableType:
    from holdfast.cli.show import plain

    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items())
    return plain(f"Paper: {told or 'nothing was printed yet'}")


def _spool(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import local_time, stack, table

    rows = (
        (
            job["job"],
            job["kind"].replace("_", " "),
            job["number"] or "",
            job["state"].replace("_", " "),
            local_time(job["at"]),
            escape(job["why"]),
            f"holdfast receipt {job['number']} --copy" if job["offered"] and job["number"] else "",
        )
        for job in answer["jobs"]
    )
    columns = ("job", "paper", "number", "state", "since", "why", "if it is not there")
    return stack(_paper(answer["counts"]), table("Not proved", columns, rows))


def _print_test(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, marked
    from holdfast_contract.reasons import FAULTS

    told = answer["data"]
    why = f" ({told['reason']})" if told["reason"] else ""
    if told["outcome"] == "not_printed":
        cure = " ".join(FAULTS.get(told["reason"], ()))
        return marked(f"{BAD} not printed{why}: not a byte reached a printer. {cure}".rstrip())
    mark = GOOD if told["outcome"] == "printed" else DOUBTFUL
    proofs = {"process_id": "proved by its process id", "in_order": "proved by an answer in order"}
    return marked(f"{mark} {told['outcome']}{why}, {proofs.get(told['proof'], 'without proof: look at the paper')}")


def _scan_test(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import BAD, GOOD, facts

    pairs = [("kind", answer["kind"]), ("shown as", escape(answer["shown"]))]
    if answer["reason"]:
        pairs.append(("the hub", f"{BAD} refuses: {answer['reason']}. {answer['words']}"))
    else:
        pairs.append(("the hub", f"{GOOD} {escape(answer['means'])}"))
    pairs += [("could be", escape(f"{one['sku']}: {one['name']}")) for one in answer.get("products", ())]
    return facts(pairs)


def _reasons(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import stack, table

    def listed(title: str, rows: list[dict[str, str]]) -> RenderableType:
        cells = ((row["reason"], row["meaning"], row["remedy"]) for row in rows)
        return table(title, ("reason", "meaning", "what to do"), cells)

    return stack(listed("Refusals", answer["reasons"]), listed("Faults of a device", answer["faults"]))


def _item(item: dict[str, Any]) -> str:
    told = " ".join(f"{key}={_short(value)}" for key, value in item.items() if key != "kind" and value not in ("", {}))
    return f"{item.get('kind', '?'):10} {told}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
