"""Opening the journal file: make it, check it, bring projections up to date, or move a damaged one aside."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.journal.keys import device_key, public_bytes, sync_directory
from holdfast.journal.projector import Projector, stored_records
from holdfast.journal.salvage import Salvaged, move_aside, salvage
from holdfast.journal.schema import DESK, RECORD, Connect, connect, meta, set_meta
from holdfast.journal.verify import Verdict, read_genesis, verify_chain, verify_recent
from holdfast_contract.body import Body
from holdfast_contract.events import NAME_OF
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import ClockQuality, Genesis, Record, chain, encode_record, genesis_hash

log = logging.getLogger(__name__)

FILE = "journal.db"
INCARNATION = "incarnation"
"""The number of the incarnation, beside the journal: a hub that loses all of it must not begin again as the first."""
SUSPECT = "journal.suspect"
"""Left behind by a run that met a damaged page: the next start checks everything."""


class InUseError(RuntimeError):
    """Another process holds this journal."""


@dataclass(slots=True)
class Opened:
    """An open journal file, locked by this process."""

    db: sqlite3.Connection
    path: Path
    genesis: Genesis
    key: Ed25519PrivateKey
    boot: int
    lock: IO[bytes]
    verdict: Verdict
    moved_aside: Path | None


def open_store(
    directory: Path, *, hub: str, at: int, projector: Projector, factory: Connect = sqlite3.connect
) -> Opened:
    """Open or make the journal of `hub`. Raises InUseError, sqlite3.Error when the medium fails."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = lock_directory(directory)
    path = directory / FILE
    key = device_key(directory)
    moved: Path | None = None
    try:
        if path.exists() and (why := _damage(path, directory / SUSPECT, factory)):
            moved = _replace_damaged(path, key=key, at=at, why=why, factory=factory)
            (directory / SUSPECT).unlink(missing_ok=True)
        db = connect(path, factory=factory)
        known = _last_incarnation(directory)
        genesis, boot = _prepare(db, hub=hub, key=key, at=at, projector=projector, last_inc=known)
        _keep_incarnation(directory, genesis.inc, known)
    except BaseException:
        lock.close()
        raise
    sync_directory(directory)
    return Opened(db, path, genesis, key, boot, lock, verify_recent(db), moved)


def lock_directory(directory: Path) -> IO[bytes]:
    """Hold a journal for this process until the file is closed. Raises InUseError."""
    lock = (directory / "journal.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise InUseError(f"{directory} is in use by another holdfast") from error
    return lock


def _damage(path: Path, suspect: Path, factory: Connect) -> str:
    """Why the file cannot be used, empty when it can. A suspect file is read from end to end."""
    try:
        with closing(connect(path, factory=factory)) as db:
            if meta(db, "genesis") is None:
                return ""
            return "" if verify_recent(db).ok and not suspect.exists() else _full_damage(db)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return ""
        if "decode" in str(error):  # a row whose header was damaged claims to be text
            return str(error)
        raise
    except sqlite3.DatabaseError as error:
        return str(error)


def _full_damage(db: sqlite3.Connection) -> str:
    """The same, from reading every page and every record."""
    (result,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        return str(result)
    verdict = verify_chain(db)
    return "" if verdict.ok else f"seq {verdict.first_bad}: {verdict.why}"


def _replace_damaged(path: Path, *, key: Ed25519PrivateKey, at: int, why: str, factory: Connect) -> Path:
    """Move the damaged file aside and begin a new one with all that can still be proved. Deletes nothing."""
    log.critical("the journal is damaged (%s); moving it aside", why)
    aside = move_aside(path, at)
    draft = path.with_suffix(".salvage")
    draft.unlink(missing_ok=True)
    with closing(connect(draft, factory=factory)) as db:
        db.executescript(RECORD + DESK)
        db.execute("BEGIN IMMEDIATE")
        rescued = salvage(aside, db)
        if not rescued.whole and rescued.genesis is not None:
            _begin_incarnation(db, rescued, key=key, at=at, why=why)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    draft.rename(path)
    sync_directory(path.parent)
    log.critical("%d records rescued, whole: %s; the old file is kept as %s", rescued.last, rescued.whole, aside.name)
    return aside


def _begin_incarnation(db: sqlite3.Connection, rescued: Salvaged, *, key: Ed25519PrivateKey, at: int, why: str) -> None:
    """What was rescued becomes prior; a new chain begins beside it."""
    old = rescued.genesis
    assert old is not None
    db.execute("INSERT INTO prior SELECT ?, seq, record, hash FROM journal", (old.inc,))
    db.execute("DELETE FROM journal")
    db.execute("DELETE FROM checkpoint")
    db.execute("UPDATE OR REPLACE cursor SET name = name || '@' || ? WHERE name NOT LIKE '%@%'", (old.inc,))
    db.execute("UPDATE spool SET state = 'unknown', ref = 0, why = 'incarnation' WHERE state IN ('queued', 'sending')")
    _write_genesis(
        db, _new_genesis(old.hub, old.inc + 1, key, at), at,
        prior_inc=old.inc, prior_seq=rescued.last, prior_hash=rescued.head, why=why[:200],
    )  # fmt: skip


def _new_genesis(hub: str, inc: int, key: Ed25519PrivateKey, at: int) -> Genesis:
    return Genesis(v=1, hub=hub, inc=inc, jid=secrets.randbits(63), key=public_bytes(key), at=at)


def _write_genesis(db: sqlite3.Connection, genesis: Genesis, at: int, **prior: int | bytes | str) -> None:
    """Genesis and the first record, `hub.created`."""
    encoded = msgspec.msgpack.encode(genesis)
    set_meta(db, "genesis", encoded)
    body: Body = HubCreated(genesis=encoded, **prior)  # type: ignore[arg-type]  # keywords of one struct, passed through
    record = encode_record(
        Record(
            1, at, ClockQuality.UNSET, 0, 0, NAME_OF[HubCreated], genesis.hub, b"genesis", "hub",
            msgspec.Raw(msgspec.msgpack.encode(body)),
        )
    )  # fmt: skip
    db.execute("INSERT INTO journal VALUES (1, ?, ?)", (record, chain(genesis_hash(genesis), record)))


def _prepare(
    db: sqlite3.Connection, *, hub: str, key: Ed25519PrivateKey, at: int, projector: Projector, last_inc: int
) -> tuple[Genesis, int]:
    """Tables, genesis, projections of this version, boot count: one transaction."""
    db.executescript(RECORD + DESK)
    db.execute("BEGIN IMMEDIATE")
    if meta(db, "genesis") is None:
        _write_genesis(db, _new_genesis(hub, last_inc + 1, key, at), at)
    genesis = read_genesis(db)
    if genesis.hub != hub:
        raise ValueError(f"this journal belongs to hub {genesis.hub!r}, not {hub!r}")
    if meta(db, "projections") != projector.version:
        count = projector.replay(db, stored_records(db))
        log.info("projections rebuilt from %d records", count)
        set_meta(db, "projections", projector.version)
    boot = int.from_bytes(meta(db, "boot") or b"", "big") + 1
    set_meta(db, "boot", boot.to_bytes(4, "big"))
    db.execute("COMMIT")
    return genesis, boot


def _last_incarnation(directory: Path) -> int:
    """0 when none was ever begun here."""
    try:
        return int((directory / INCARNATION).read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _keep_incarnation(directory: Path, inc: int, known: int) -> None:
    if inc == known:
        return
    draft = directory / f"{INCARNATION}.new"
    with draft.open("w") as file:
        file.write(str(inc))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(directory / INCARNATION)
    sync_directory(directory)


def mark_suspect(directory: Path) -> None:
    """Ask the next start to read the whole file."""
    descriptor = os.open(directory / SUSPECT, os.O_WRONLY | os.O_CREAT, 0o600)
    os.close(descriptor)
    sync_directory(directory)
