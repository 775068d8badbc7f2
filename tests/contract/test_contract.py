"""What both sides say: bytes round trip, growth is tolerated, the wire is not trusted, the document is true."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, get_args, get_origin

import jsonschema
import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_contract import asyncapi, topics, wire
from holdfast_contract.body import Body, effects
from holdfast_contract.events import TYPES, decode_body
from holdfast_contract.ledger import Move, Place, Post
from holdfast_contract.reasons import FAULTS, REASONS, words
from holdfast_contract.record import (
    MAX_RECORD,
    BadRecordError,
    ClockQuality,
    Record,
    chain,
    decode_record,
    encode_record,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def record_of(body: Any, kind: str = "stock.received") -> Record:
    raw = msgspec.Raw(msgspec.msgpack.encode(body))
    return Record(7, 1_790_000_000_000, ClockQuality.SYNCED, 1, 42, kind, "d1", b"012345678", "b1", raw)


def sample(kind: Any) -> Any:
    """A value of a field's type that is not its default."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        return (sample(args[0]),)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{f.name: sample(f.type) for f in msgspec.structs.fields(kind)})
    if kind is Place:
        return Place.CUSTOMER
    return {int: 17, str: "word", bytes: b"\x01\x02", bool: True}[kind]


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_body_round_trips_and_fits_its_schema(name: str) -> None:
    body = sample(TYPES[name])
    record = record_of(body, name)
    stored = encode_record(record)
    assert decode_body(decode_record(stored)) == body
    assert encode_record(decode_record(stored)) == stored
    plain = msgpack.unpackb(stored)
    assert plain[0] == 7
    assert plain[5] == name
    schema = {"$ref": f"#/components/schemas/{TYPES[name].__name__}", "components": asyncapi.document()["components"]}
    jsonschema.validate(json.loads(msgspec.json.encode(body)), schema)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_moves_and_posts_have_the_same_keys_in_every_body(name: str) -> None:
    for field in msgspec.structs.fields(TYPES[name]):
        assert (field.encode_name == "m") == (field.name == "moves")
        assert (field.encode_name == "p") == (field.name == "posts")


def test_moves_and_posts_of_a_type_nobody_knows_are_read() -> None:
    body = {"m": [["sku", 1, 23, 4]], "p": [["tender:cash", 5]], "zz": {"new": True}}
    record = record_of(body, "gift.given")
    assert decode_body(record) is None
    assert effects(record.body) == ((Move("sku", Place.SELLABLE, Place.CUSTOMER, 4),), (Post("tender:cash", 5),))


def test_a_newer_body_with_more_keys_is_read_and_kept() -> None:
    body = {"s": "t1", "new_key": [1, 2, 3]}
    record = record_of(body, "cart.opened")
    decoded = decode_body(record)
    assert isinstance(decoded, Body)
    assert msgpack.unpackb(decode_record(encode_record(record)).body) == body


def test_a_record_that_is_none_is_refused() -> None:
    for data in (b"", b"\x90", b"\xc0", bytes(MAX_RECORD + 1), msgspec.msgpack.encode([1, 2, 3])):
        with pytest.raises(BadRecordError):
            decode_record(data)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.binary(max_size=300))
def test_inv_12_2_the_chain_tells_records_apart(head: bytes, one: bytes, other: bytes) -> None:
    assert (chain(head, one) == chain(head, other)) == (one == other)


batches = st.builds(
    wire.Batch,
    hub=st.from_regex(topics.HUB_ID, fullmatch=True),
    inc=st.integers(1, 9),
    jid=st.integers(0, 2**63 - 1),
    st=st.sampled_from(wire.Stream),
    first=st.integers(1, 10**9),
    n=st.integers(0, 3),
    prev=st.binary(max_size=32),
    sent=st.integers(0, 2**42),
    recs=st.lists(st.binary(max_size=50), max_size=5).map(tuple),
)


@given(batches, st.booleans())
def test_a_batch_round_trips_plain_and_compressed(batch: wire.Batch, compress: bool) -> None:
    payload = wire.pack(batch, compress=compress)
    assert payload[0] == (wire.Lead.ZLIB if compress else wire.Lead.PLAIN)
    assert wire.unpack(payload, wire.Batch) == batch


@given(st.binary(max_size=200))
def test_noise_is_refused_with_a_reason(noise: bytes) -> None:
    with pytest.raises(wire.BadPayloadError) as refusal:
        wire.unpack(noise, wire.Batch)
    assert refusal.value.reason in ("too_large", "bad_lead", "bad_zlib", "bad_msgpack")


def test_a_bomb_is_not_unpacked() -> None:
    bomb = bytes([wire.Lead.ZLIB]) + zlib.compress(bytes(wire.MAX_UNPACKED + 1), 9)
    assert len(bomb) < wire.MAX_PAYLOAD
    with pytest.raises(wire.BadPayloadError, match="too_large"):
        wire.unpack(bomb, wire.Batch)
    with pytest.raises(wire.BadPayloadError, match="too_large"):
        wire.unpack(bytes(wire.MAX_PAYLOAD + 1), wire.Batch)
    with pytest.raises(wire.BadPayloadError, match="bad_zlib"):
        wire.unpack(bytes([wire.Lead.ZLIB]) + zlib.compress(b"x" * 100)[:-3], wire.Batch)


rows = st.lists(
    st.tuples(st.text(max_size=5), st.integers(1, 27), st.integers(-9, 9)), max_size=9, unique_by=lambda r: r[:2]
)


@given(rows, st.randoms(use_true_random=False))
def test_g_10_equal_folds_have_equal_hashes_in_any_order(table: list[tuple[str, int, int]], dice: Any) -> None:
    shuffled = list(table)
    dice.shuffle(shuffled)
    zero = [("never moved", 1, 0)]
    assert wire.fold_hash(table) == wire.fold_hash(shuffled + zero)
    assert wire.fold_hash(table) != wire.fold_hash([*table, ("moved", 1, 1)])


def test_topics_name_their_hub() -> None:
    assert topics.hub_of(topics.up("pier-7", "ev")) == "pier-7"
    for foreign in ("hf/v1/PIER/status", "hf/v2/pier-7/status", "hf/v1/pier-7", "other", topics.CORE_STATUS[:8]):
        assert topics.hub_of(foreign) is None


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert REASONS.keys().isdisjoint(FAULTS)
    every = [*REASONS.values(), *FAULTS.values()]
    assert all(meaning.endswith(".") and remedy.endswith(".") for meaning, remedy in every)
    assert words("paper_end") == "It has no paper. Put in a new roll."
    assert words("no_price").startswith(REASONS["no_price"][0])


def test_the_published_document_is_the_one_the_types_make() -> None:
    assert json.loads(DOCUMENT.read_text()) == json.loads(json.dumps(asyncapi.document())), (
        "run: python -m holdfast_contract.asyncapi"
    )
