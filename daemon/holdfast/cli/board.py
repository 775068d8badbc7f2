"""The machine the hub runs on: every finding with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from holdfast.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import RenderableType


def add_to(app: typer.Typer, *, panel: str) -> None:
    """Register the command."""
    command(
        app, panel=panel, examples=("holdfast board", "holdfast board --json | jq '.findings[]|select(.key!=\"\")'")
    )(board)


def board(session: Session) -> None:
    """The machine itself: supply, temperature, clock, storage, watchdog, memory; and what to do. Exit status 1 when
    something is not well.
    """
    answer = session.client.get("/v1/board")
    session.show(answer, _board)
    if any(finding["well"] == "no" for finding in answer["findings"]):
        raise typer.Exit(1)


def _board(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import stack, table

    rows = [
        (
            _mark(finding),
            finding["topic"].replace("_", " "),
            escape(finding["value"]) or "[dim]unknown[/]",
            _times(finding),
            escape(" ".join((finding["meaning"], finding["remedy"])).strip()) if finding["key"] != "unknown" else "",
        )
        for finding in answer["findings"]
    ]
    columns = ("", "about", "is", "seen", "what to do")
    model = escape(answer["model"]) or "This machine does not say what it is"
    return stack(table(model, columns, rows, empty="it was not looked at yet"), _unknown(answer))


def _unknown(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    topics = [finding["topic"].replace("_", " ") for finding in answer["findings"] if finding["key"] == "unknown"]
    return plain(f"What this machine does not tell: {', '.join(topics)}." if topics else "It tells everything.")


def board_line(answer: dict[str, Any]) -> str:
    """The machine in a line of the status screen."""
    from rich.markup import escape

    from holdfast.cli.show import BAD, DOUBTFUL, GOOD

    findings = answer["findings"]
    bad = [finding for finding in findings if finding["well"] == "no"]
    if bad:
        told = "; ".join(f"{finding['topic'].replace('_', ' ')}: {finding['meaning']}" for finding in bad)
        return f"{BAD} {escape(told)} See holdfast board."
    if not findings:
        return f"{DOUBTFUL} not looked at yet"
    known = sum(finding["well"] == "yes" for finding in findings)
    return f"{GOOD if known else DOUBTFUL} {known} of {len(findings)} things known and well"


def _mark(finding: dict[str, Any]) -> str:
    from holdfast.cli.show import BAD, DOUBTFUL, GOOD

    return {"yes": GOOD, "no": BAD}.get(finding["well"], DOUBTFUL)


def _times(finding: dict[str, Any]) -> str:
    from holdfast.cli.show import duration

    return f"{duration(finding['age_s'])} ago"
