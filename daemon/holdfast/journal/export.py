"""Taking the record elsewhere: JSON Lines, a manifest and its signature, provable with the public key alone (INV-12.5).

An export is a folder of three files. `journal.jsonl` has one line a record, in order: the stored bytes in base64 beside
what they say, the body with the one-letter keys of the contract, so that every later release reads and proves it alike.
`manifest.json` names every chain by its genesis and head, the SHA-256 of the lines, and the totals of moves and posts.
`manifest.sig` is the device key's signature over the manifest, in hexadecimal.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.journal.keys import KEY_FILE, device_key, public_bytes, signed_by
from holdfast.journal.schema import connect_read
from holdfast.journal.store import FILE
from holdfast.journal.verify import read_genesis
from holdfast_contract.body import effects
from holdfast_contract.events import decode_body
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import BadRecordError, Genesis, Record, chain, decode_record, genesis_hash

FORMAT = "holdfast export 1"
LINES, MANIFEST, SIGNATURE = "journal.jsonl", "manifest.json", "manifest.sig"
MAX_LINE = 2 * 1024 * 1024
"""Bytes of one line: a record of 256 KiB, twice over."""

Progress = Callable[[int], None]
"""Told the number of records done so far."""


class Row(NamedTuple):
    """A record as it lies on disk."""

    inc: int
    seq: int
    record: bytes
    hash: bytes


class Chain(msgspec.Struct, frozen=True):
    """One incarnation: what its chain stands on and where it ends."""

    inc: int
    genesis: str
    """Base64 of the encoded Genesis."""
    first: int
    last: int
    head: str


class Manifest(msgspec.Struct, frozen=True):
    """What an export holds. Integers throughout: minor units and pieces."""

    format: str
    hub: str
    public_key: str
    """Hexadecimal; compare it with the one you were given."""
    records: int
    sha256: str
    chains: tuple[Chain, ...]
    accounts: dict[str, int]
    stock: dict[str, dict[str, int]]
    """Balance by sku and place."""


class ExportError(ValueError):
    """The export, or the journal it should come from, does not hold together. The message says where."""


@dataclass(slots=True)
class Totals:
    """Folds of every move and post, of known types and others."""

    accounts: dict[str, int] = field(default_factory=dict)
    stock: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        moves, posts = effects(bytes(record.body))
        for post in posts:
            self.accounts[post.account] = self.accounts.get(post.account, 0) + post.amount
        for move in moves:
            places = self.stock.setdefault(move.sku, {})
            for place, delta in ((move.src.name.lower(), -move.qty), (move.dst.name.lower(), move.qty)):
                places[place] = places.get(place, 0) + delta


@dataclass(slots=True)
class Walk:
    """Follows the chains record by record; the same on the hub and at the auditor's."""

    totals: Totals = field(default_factory=Totals)
    chains: list[Chain] = field(default_factory=list)
    records: int = 0
    _head: bytes = b""

    def step(self, row: Row) -> Record:
        """Raises ExportError for a record that does not follow."""
        try:
            record = decode_record(row.record)
        except BadRecordError as error:
            raise ExportError(f"incarnation {row.inc}, seq {row.seq}: not a record: {error}") from error
        if not self.chains or self.chains[-1].inc != row.inc:
            self._begin(row, record)
        here = self.chains[-1]
        self._head = chain(self._head, row.record)
        if row.seq != here.last + 1 or record.seq != row.seq or self._head != row.hash:
            raise ExportError(f"incarnation {row.inc}, seq {row.seq}: does not follow from the record before it")
        self.chains[-1] = msgspec.structs.replace(here, last=row.seq, head=row.hash.hex())
        self.totals.add(record)
        self.records += 1
        return record

    def _begin(self, row: Row, record: Record) -> None:
        """The first record of an incarnation carries its genesis."""
        body = decode_body(record)
        if row.seq != 1 or not isinstance(body, HubCreated):
            raise ExportError(f"incarnation {row.inc} does not begin with its genesis")
        genesis = msgspec.msgpack.decode(body.genesis, type=Genesis)
        if genesis.inc != row.inc:
            raise ExportError(f"incarnation {row.inc} begins with the genesis of {genesis.inc}")
        self._head = genesis_hash(genesis)
        self.chains.append(Chain(row.inc, base64.b64encode(body.genesis).decode(), 1, 0, self._head.hex()))


def readable(record: Record) -> dict[str, Any]:
    """A record for people: the fields of its body spelled out where this release knows the type."""
    try:
        body = decode_body(record)
    except msgspec.ValidationError:
        body = None
    return _header(record) | {"body": _plain(body) if body is not None else _wire_body(record)}


def export(directory: Path, target: Path, *, progress: Progress = lambda _: None) -> Manifest:
    """Write the whole record of the journal in `directory` to the new folder `target`.

    Reads one snapshot of a journal that may be in use. Raises ExportError, FileExistsError, sqlite3.Error, OSError.
    """
    key = _existing_key(directory)
    target.mkdir(parents=True)
    with closing(connect_read(directory / FILE)) as db:
        db.execute("BEGIN")
        genesis = read_genesis(db)
        walk = Walk()
        digest = hashlib.sha256()
        with (target / LINES).open("xb") as file:
            for row in _rows(db, genesis.inc):
                line = _line(row, walk.step(row))
                file.write(line)
                digest.update(line)
                progress(walk.records)
    manifest = _manifest(genesis.hub, public_bytes(key), walk, digest.hexdigest())
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    (target / MANIFEST).write_bytes(encoded)
    (target / SIGNATURE).write_text(key.sign(_statement(encoded)).hex() + "\n", encoding="ascii")
    return manifest


def verify_export(folder: Path, *, key: bytes | None = None, progress: Progress = lambda _: None) -> Manifest:
    """Prove an export with nothing but a public key (default: the one it names). Raises ExportError, OSError."""
    encoded = (folder / MANIFEST).read_bytes()
    try:
        manifest = msgspec.json.decode(encoded, type=Manifest)
        public = key or bytes.fromhex(manifest.public_key)
        signature = bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii"))
    except (msgspec.DecodeError, ValueError) as error:
        raise ExportError(f"the manifest or its signature cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise ExportError(f"this is {manifest.format!r}, not {FORMAT!r}")
    if not signed_by(public, signature, _statement(encoded)):
        raise ExportError("the manifest is not signed by this key")
    walk = Walk()
    digest = hashlib.sha256()
    for line in _lines(folder / LINES):
        digest.update(line)
        row = _parse(line)
        if _line(row, walk.step(row)) != line:
            raise ExportError(f"incarnation {row.inc}, seq {row.seq}: the line says other things than its record")
        progress(walk.records)
    if _manifest(manifest.hub, public, walk, digest.hexdigest()) != manifest:
        raise ExportError("the lines are not the ones the manifest speaks of")
    return manifest


def count_records(db: sqlite3.Connection) -> int:
    """Records of all incarnations, for a progress bar."""
    return sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("prior", "journal"))


def _existing_key(directory: Path) -> Ed25519PrivateKey:
    if not (directory / KEY_FILE).exists():
        raise FileNotFoundError(directory / KEY_FILE)
    return device_key(directory)


def _rows(db: sqlite3.Connection, inc: int) -> Iterator[Row]:
    for row in db.execute("SELECT inc, seq, record, hash FROM prior ORDER BY inc, seq"):
        yield Row(*row)
    for row in db.execute("SELECT ?, seq, record, hash FROM journal ORDER BY seq", (inc,)):
        yield Row(*row)


def _line(row: Row, record: Record) -> bytes:
    said = {"inc": row.inc} | _header(record) | {"body": _wire_body(record)}
    proof = {"hash": row.hash.hex(), "record": base64.b64encode(row.record).decode()}
    return msgspec.json.encode(said | proof) + b"\n"


def _header(record: Record) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "at": record.at,
        "clock": record.clk.name.lower(),
        "boot": record.boot,
        "mono": record.mono,
        "type": record.type,
        "subject": record.subject,
        "cause": record.cause.hex(),
        "actor": record.actor,
    }


def _wire_body(record: Record) -> Any:
    return _plain(msgspec.msgpack.decode(record.body))


class _Line(msgspec.Struct):
    inc: int
    seq: int
    hash: str
    record: bytes


def _parse(line: bytes) -> Row:
    try:
        parsed = msgspec.json.decode(line, type=_Line)
        return Row(parsed.inc, parsed.seq, parsed.record, bytes.fromhex(parsed.hash))
    except (msgspec.DecodeError, ValueError) as error:
        raise ExportError(f"a line cannot be read: {error}") from error


def _lines(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            if not line.endswith(b"\n"):
                raise ExportError("the last line is cut off, or a line is too long")
            yield line


def _manifest(hub: str, key: bytes, walk: Walk, sha256: str) -> Manifest:
    return Manifest(
        format=FORMAT, hub=hub, public_key=key.hex(), records=walk.records, sha256=sha256,
        chains=tuple(walk.chains), accounts=dict(sorted(walk.totals.accounts.items())),
        stock=dict(sorted(walk.totals.stock.items())),
    )  # fmt: skip


def _statement(manifest: bytes) -> bytes:
    """What the device key signs."""
    return FORMAT.encode() + b"\n" + hashlib.sha256(manifest).digest()


def _plain(value: Any) -> Any:
    """Structs as maps of their spelled-out fields, enums by name, bytes as hexadecimal."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
