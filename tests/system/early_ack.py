"""Negative control: a daemon that answers before it has committed, and takes its time to commit."""

from __future__ import annotations

import time

from holdfast.journal import writer
from holdfast.main import main

run_one = writer.Writer._run_one


def answer_early(self: writer.Writer, ask: writer.Ask) -> None:
    run_one(self, ask)
    self._committed(self._unit.seq, self._unit.head, [(ask.done, ask.result)])


def commit_late(self: writer.Writer) -> None:
    time.sleep(0.02)
    self._before_commit(self._db, self._unit.seq, self._unit.head)
    self._db.execute("COMMIT")


writer.Writer._run_one = answer_early  # type: ignore[method-assign]  # that is the defect
writer.Writer._commit = commit_late  # type: ignore[method-assign]  # that is the defect

if __name__ == "__main__":
    main()
