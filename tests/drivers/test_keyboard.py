"""A scanner that types: keys into scans, layouts against the system's own, and no key lost."""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.counter.commands import BY_CODE
from holdfast_drivers.barcodes import commands, receipts
from holdfast_drivers.barcodes.classify import CommandCode, classify
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import MAX_FRAME
from holdfast_drivers.scanners.keyboard import (
    CAPS_LOCK,
    INPUT_EVENT,
    LEFT_ALT,
    LEFT_SHIFT,
    PRESSED,
    RELEASED,
    KeyboardDecoder,
    Stroke,
    spell,
)
from holdfast_drivers.scanners.keyboard_sim import Key, dropped, events, keys
from holdfast_drivers.scanners.layouts import DE, FR, KEYPAD, LAYOUTS, UK, US, Layout
from holdfast_drivers.values import Scan

EVENT_32 = struct.Struct("<iiHHi")
"""struct input_event for a 32-bit process."""
TYPEABLE = "".join(map(chr, range(32, 127)))
layout_pairs = pytest.mark.parametrize(
    ("scanner", "hub"), list(product(LAYOUTS.values(), repeat=2)), ids=lambda layout: layout.name
)
layouts = pytest.mark.parametrize("layout", list(LAYOUTS.values()), ids=lambda layout: layout.name)


def typed(text: str, *, scanner: Layout = US, hub: Layout = US, gs_substitute: str = "") -> list[Scan | Garbled]:
    decoder = KeyboardDecoder(layout=hub, gs_substitute=gs_substitute)
    return decoder.feed(events(keys(text, scanner), 1.0), 0.0)


@layouts
def test_a_scanner_set_as_the_hub_is_read_right_character_by_character(layout: Layout) -> None:
    assert typed(TYPEABLE + "\r", scanner=layout, hub=layout) == [Scan(TYPEABLE.encode())]


@layouts
def test_every_key_of_the_tables_says_what_it_says_there(layout: Layout) -> None:
    for level, table in enumerate((layout.plain, layout.shift, layout.altgr)):
        for code, char in table.items():
            stroke = Stroke(code, shift=level == 1, altgr=level == 2)
            after = [Stroke(57)] if (code, level) in layout.dead else []
            assert spell([stroke, *after], layout) == char


def test_the_tables_are_those_of_the_system() -> None:
    """Against libxkbcommon and xkeyboard-config, key by key."""
    library = ctypes.util.find_library("xkbcommon")
    if library is None or not Path("/usr/share/X11/xkb").exists():
        pytest.skip("needs libxkbcommon and /usr/share/X11/xkb to compare with")
    not_on_a_us_keyboard = (US, 86)  # Windows and xkeyboard-config differ; scanners follow Windows
    for layout, name in ((US, "us"), (UK, "gb"), (DE, "de"), (FR, "fr")):
        system = dict(_system_layout(library, name))
        ours = [(layout.plain, 0), (layout.shift, 1), (layout.altgr, 2)]
        wrong = [
            (layout.name, code, level, char, system.get((code, level)))
            for table, level in ours
            for code, char in table.items()
            if char != " " and (layout, code) != not_on_a_us_keyboard and system.get((code, level)) != char
        ]
        assert wrong == []


_DEAD_KEYSYMS = {0xFE50: "`", 0xFE51: "\N{ACUTE ACCENT}", 0xFE52: "^", 0xFE53: "~", 0xFE57: "¨"}


def _system_layout(library: str, name: str) -> Iterator[tuple[Key, str]]:
    xkb = ctypes.CDLL(library)
    for function in ("xkb_context_new", "xkb_keymap_new_from_names"):
        getattr(xkb, function).restype = ctypes.c_void_p
    names = (ctypes.c_char_p * 5)(b"evdev", b"pc105", name.encode(), None, None)
    context = ctypes.c_void_p(xkb.xkb_context_new(0))
    keymap = ctypes.c_void_p(xkb.xkb_keymap_new_from_names(context, names, 0))
    for code, level in product(range(128), range(3)):
        keysyms = ctypes.POINTER(ctypes.c_uint32)()
        count = xkb.xkb_keymap_key_get_syms_by_level(keymap, code + 8, 0, level, ctypes.byref(keysyms))
        if count == 1:
            yield (code, level), _DEAD_KEYSYMS.get(keysyms[0]) or chr(xkb.xkb_keysym_to_utf32(keysyms[0]))
    xkb.xkb_keymap_unref(keymap)
    xkb.xkb_context_unref(context)


def test_gs_comes_as_control_and_bracket_or_as_a_substitute() -> None:
    assert typed("]C10104006381333931\x1d10AB\r") == [Scan(b"0104006381333931\x1d10AB", aim="]C1")]
    assert typed("]C10104006381333931~10AB\r", gs_substitute="~") == [Scan(b"0104006381333931\x1d10AB", aim="]C1")]


@layouts
def test_gs_by_the_place_of_the_bracket_key_is_gs_in_every_layout(layout: Layout) -> None:
    assert typed("]C10104006381333931\x1d10AB\r", scanner=layout, hub=layout) == [
        Scan(b"0104006381333931\x1d10AB", aim="]C1")
    ]


@layouts
@given(data=st.data())
def test_every_text_a_layout_has_survives_the_keys(layout: Layout, data: st.DataObject) -> None:
    chars = {char for table in (layout.plain, layout.shift, layout.altgr) for char in table.values()} | {"\x1d"}
    text = data.draw(st.text(st.sampled_from(sorted(chars - {"]"})), min_size=1, max_size=40))
    assert typed(text + "\r", scanner=layout, hub=layout) == [Scan(text.encode())]


def test_a_dead_key_waits_for_a_space_or_a_letter() -> None:
    assert typed("a^b\r", scanner=FR, hub=FR) == [Scan(b"a^b")]
    assert spell([Stroke(26), Stroke(18)], FR) == "ê"
    assert spell([Stroke(26), Stroke(16)], FR) == "â"
    assert spell([Stroke(26), Stroke(50)], FR) == "^,"
    assert spell([Stroke(26)], FR) == "^"


def test_alt_with_a_number_on_the_keypad_is_the_character_of_that_number() -> None:
    kp = {char: code for code, char in KEYPAD.items()}
    alt = [(LEFT_ALT, PRESSED), *((kp[digit], PRESSED) for digit in "0029"), (LEFT_ALT, RELEASED)]
    euro = [(LEFT_ALT, PRESSED), *((kp[digit], PRESSED) for digit in "0128"), (LEFT_ALT, RELEASED)]
    pressed = [*keys("10AB"), *alt, *keys("21"), *euro, *keys("\r")]
    assert KeyboardDecoder().feed(events(iter(pressed), 1.0), 0.0) == [Scan(b"10AB\x1d21" + "€".encode())]


def test_the_keypad_means_digits_whatever_shift_and_locks_say() -> None:
    kp = {char: code for code, char in KEYPAD.items()}
    pressed: list[Key] = [(CAPS_LOCK, PRESSED), (CAPS_LOCK, RELEASED), (LEFT_SHIFT, PRESSED)]
    pressed += [(kp[digit], PRESSED) for digit in "4006"]
    pressed += [(LEFT_SHIFT, RELEASED), *keys("a"), (96, PRESSED)]
    assert KeyboardDecoder(layout=FR).feed(events(iter(pressed), 1.0), 0.0) == [Scan(b"4006q")]


def test_a_key_held_too_long_does_not_repeat() -> None:
    held = [(30, PRESSED), (30, 2), (30, 2), (30, RELEASED), *keys("\r")]
    assert KeyboardDecoder().feed(events(iter(held), 1.0), 0.0) == [Scan(b"a")]


def test_a_key_without_a_meaning_spoils_the_code_instead_of_shortening_it() -> None:
    with_f1 = [*keys("4006"), (59, PRESSED), *keys("381333931\r")]
    (scan,) = KeyboardDecoder().feed(events(iter(with_f1), 1.0), 0.0)
    assert scan == Scan("4006\ufffd381333931".encode())


def test_a_pause_between_two_keys_ends_a_read_by_the_kernels_clock() -> None:
    """Both reads lay in the kernel: the hub was late, the scanner was not."""
    decoder = KeyboardDecoder(gap=0.05)
    wire = events(keys("MUG"), 1.0) + events(keys("CUP"), 1.2) + events(keys("\r"), 1.24)
    assert decoder.feed(wire, 9.0) == [Scan(b"MUG", terminated=False, at=9.0), Scan(b"CUP", at=9.0)]


def test_silence_ends_a_read() -> None:
    decoder = KeyboardDecoder(gap=0.05)
    assert decoder.feed(events(keys("MUG"), 1.0), 5.0) == []
    assert decoder.idle(5.04) == []
    assert decoder.idle(5.06) == [Scan(b"MUG", terminated=False, at=5.0)]


def test_a_read_of_which_the_kernel_lost_keys_never_becomes_a_scan() -> None:
    decoder = KeyboardDecoder()
    wire = events(keys("4006"), 1.0) + dropped(1.0) + events(keys("333931\rMUG\r"), 1.0)
    assert decoder.feed(wire, 0.0) == [Garbled(), Scan(b"MUG")]
    held = events(iter([(LEFT_SHIFT, PRESSED)]), 1.0) + dropped(1.0) + events(keys("x\rmug\r"), 1.0)
    assert decoder.feed(held, 0.0) == [Garbled(), Scan(b"mug")]


def test_a_read_without_end_is_dropped_and_counted() -> None:
    decoder = KeyboardDecoder()
    assert decoder.feed(events(keys("7" * (MAX_FRAME + 5) + "\rMUG\r"), 1.0), 0.0) == [Scan(b"MUG")]
    assert decoder.oversize == 1


def test_a_32_bit_process_reads_shorter_structs() -> None:
    assert INPUT_EVENT.size in {16, 24}
    decoder = KeyboardDecoder(event=EVENT_32)
    assert decoder.feed(events(keys("MUG\r"), 1.0, event=EVENT_32), 0.0) == [Scan(b"MUG")]


def test_recorded_structs_of_a_real_keyboard_driver() -> None:
    """`a`, Enter as Linux 6 on x86-64 hands them out: MSC_SCAN, EV_KEY, SYN_REPORT, press and release."""
    press = "0100000000000000a086010000000000 04000400 {scan} 0100000000000000a086010000000000 0100{code} 01000000"
    report = "0100000000000000a086010000000000 0000000000000000"
    release = press.replace("01000000", "00000000")
    keys_down_and_up = [(scan, code) for scan, code in (("04000700", "1e00"), ("28000700", "1c00"))]
    wire = "".join(
        part.format(scan=scan, code=code)
        for scan, code in keys_down_and_up
        for part in (press, report, release, report)
    )
    if INPUT_EVENT.size != 24:
        pytest.skip("recorded by a 64-bit process")
    assert KeyboardDecoder().feed(bytes.fromhex(wire.replace(" ", "")), 0.0) == [Scan(b"a")]


@layout_pairs
def test_a_command_card_is_read_right_whatever_layout_the_scanner_is_set_to(scanner: Layout, hub: Layout) -> None:
    """Every card of the hub, in every pair of layouts: the same command, or none; never another one."""
    for code in BY_CODE:
        card = commands.encode(code)
        for text in (card, f"]C0{card}"):
            (scan,) = typed(text + "\r", scanner=scanner, hub=hub)
            assert isinstance(scan, Scan)
            assert classify(scan) == CommandCode(code)


@layout_pairs
def test_a_receipts_code_is_read_right_too(scanner: Layout, hub: Layout) -> None:
    receipt = receipts.encode_receipt("ZQA-1-R000042")
    (scan,) = typed(receipt + "\r", scanner=scanner, hub=hub)
    assert isinstance(scan, Scan)
    assert scan.data == receipt.encode()


def test_a_damaged_card_is_not_put_right() -> None:
    card = commands.encode("SALE")
    for text in (card[:-1], card[:4] + "X" + card[5:], "HF", "HFX"):
        (scan,) = typed(text + "\r", scanner=DE, hub=US)
        assert isinstance(scan, Scan)
        assert not isinstance(classify(scan), CommandCode)


@given(
    st.lists(st.binary(max_size=60) | st.just(events(keys("MUG\r"), 1.0)), max_size=6), st.lists(st.integers(0, 900))
)
def test_any_split_of_the_structs_gives_the_same_scans(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    whole, split = KeyboardDecoder(), KeyboardDecoder()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    got = [scan for start, end in pairwise(edges) for scan in split.feed(data[start:end], 0.0)]
    assert [*got, *split.idle(1.0)] == [*whole.feed(data, 0.0), *whole.idle(1.0)]


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_random_reads_in_flat_memory() -> None:
    rng = Random(12)
    decoder = KeyboardDecoder(gs_substitute="~")
    card = commands.encode("SALE")
    pieces = [events(keys(text, layout), 1.0) for text in (card + "\r", "Y~Z\r", "Y\r") for layout in (US, DE)]
    pieces += [*pieces[2:]] * 4
    pieces += [dropped(1.0), events(iter([(LEFT_SHIFT, PRESSED)]), 1.0)]
    frames = scans = 0
    warm = 0
    tracemalloc.start()
    while frames < 1_000_000:
        burst = b"".join(rng.choices(pieces, k=20))
        if rng.random() < 0.5:
            at = rng.randrange(0, len(burst), INPUT_EVENT.size)
            burst = burst[:at] + rng.randbytes(INPUT_EVENT.size) + burst[at + INPUT_EVENT.size :]
        heard = [*decoder.feed(burst, frames), *decoder.idle(frames + 1)]
        frames += len(heard)
        scans += sum(isinstance(frame, Scan) for frame in heard)
        if not warm and frames > 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"keyboard: {frames} frames, {scans} scans; memory grown {grown} bytes")
    assert grown < 100_000
    assert scans > frames // 4
