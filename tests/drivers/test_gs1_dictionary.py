"""The syntax dictionary, whole and understood; its linters by example."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from holdfast_drivers.barcodes import gs1_dictionary
from holdfast_drivers.barcodes.gs1_dictionary import FILE, compile_dictionary, dictionary
from holdfast_drivers.barcodes.gs1_linters import LINTERS

BARCODES = Path(gs1_dictionary.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "barcodes.md"


def lines() -> list[str]:
    return [line for line in FILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def test_every_ai_of_the_file_is_known_and_none_else() -> None:
    ais = []
    for line in lines():
        first, _, last = line.split()[0].partition("-")
        ais += [f"{ai:0{len(first)}}" for ai in range(int(first), int(last or first) + 1)]
    assert list(dictionary().entries) == ais
    assert len(ais) == 541


def test_every_linter_of_the_file_is_there_and_none_else() -> None:
    named = {name for line in lines() for name in re.findall(r"(?<=,)[a-z]+\w*", line.partition("#")[0])}
    assert LINTERS.keys() == named | {"csetnumeric", "cset82", "cset39", "cset64"}


def test_an_entry_holds_what_its_line_says() -> None:
    entry = dictionary().entries["8030"]
    assert (entry.separated, entry.attribute, entry.title) == (True, True, "DIGSIG")
    assert (entry.shortest, entry.longest) == (1, 90)
    assert entry.requires[0][:3] == (("00",), ("01", "21"), ("03", "21"))
    price = dictionary().entries["3932"]
    assert price.excludes == ("393n",)
    linters = [[name for name, _ in part.linters] for part in price.components]
    assert linters == [["csetnumeric", "iso4217"], ["csetnumeric"]]
    assert dictionary().entries["01"].qualifiers == (("22", "10", "21"), ("235",))
    assert dictionary().entries["00"].qualifiers == ((),)
    assert dictionary().entries["10"].qualifiers is None


@pytest.mark.parametrize(
    "line",
    [
        "99  ?  X..20,csum2  # unknown linter",
        "99  ?  Q..20  # unknown character set",
        "99  ?  X..20  maybe=01  # unknown attribute",
        "99  ?  # nothing",
        "ab  ?  X..20",
        "10  ?  X..20\n101  ?  X..20",
    ],
)
def test_a_release_this_code_cannot_check_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        compile_dictionary(line)


@pytest.mark.parametrize(
    ("name", "sound", "broken", "offset"),
    [
        ("csetnumeric", "0123456789", "12²", 2),
        ("cset82", "A!\"%&'()*+,-./:;<=>?_z", "AB#", 2),
        ("cset39", "09AZ#-/", "AZa", 2),
        ("cset64", "aZ09-_", "aZ+", 2),
        ("cset64", "1=" + "=", "12==", 2),
        ("csum", "04006381333931", "04006381333932", 13),
        ("csum", "1234567890128", "2234567890128", 12),
        ("csumalpha", "1987654Ad4X4bL5ttr2310c2K", "1987654Ad4X4bL5ttr2310cXK", 23),
        ("gcppos1", "1234X", "12X45", 2),
        ("gcppos1", "1234", "123", 0),
        ("gcppos2", "X1234", "X12X4", 3),
        ("hasnondigit", "12A", "123", 0),
        ("hh", "23", "24", 0),
        ("mi", "59", "60", 0),
        ("ss", "59", "60", 0),
        ("hhmi", "2359", "2360", 2),
        ("hhmi", "0000", "2400", 0),
        ("hyphen", "-", "X", 0),
        ("iban", "DE89370400440532013000", "DE88370400440532013000", 2),
        ("iban", "BE71096123456769", "XX71096123456769", 0),
        ("iban", "BE71096123456769", "BE7109612345676a", 15),
        ("iban", "BE71096123456769", "BE71096123", 0),
        ("importeridx", "_", "+", 0),
        ("iso3166", "276", "275" + "0", 0),
        ("iso3166999", "999", "998", 0),
        ("iso3166alpha2", "DE", "DD", 0),
        ("iso4217", "978", "280", 0),
        ("iso5218", "9", "3", 0),
        ("latitude", "1800000000", "1800000001", 0),
        ("longitude", "3600000000", "3600000001", 0),
        ("mediatype", "10", "11", 0),
        ("mediatype", "80", "00", 0),
        ("nonzero", "0100", "0000", 0),
        ("nozeroprefix", "10", "01", 0),
        ("packagetype", "X3", "X4", 0),
        ("pcenc", "a%2Fb", "a%2", 1),
        ("pieceoftotal", "0202", "0302", 0),
        ("pieceoftotal", "0101", "0001", 0),
        ("posinseqslash", "2/2", "2/1", 0),
        ("posinseqslash", "9/10", "1/02", 0),
        ("winding", "9", "2", 0),
        ("yesno", "1", "2", 0),
        ("yymmdd", "240229", "230229", 4),
        ("yymmdd", "000229", "000230", 4),
        ("yymmdd", "271231", "271200", 4),
        ("yymmd0", "271200", "271300", 2),
        ("yymmd0", "270131", "270431", 4),
        ("yyyymmdd", "20000229", "19000229", 6),
        ("yyyymmdd", "19991231", "19990031", 4),
        ("zero", "0", "1", 0),
        ("couponposoffer", "001234561234560123456", "201234561234560123456", 0),
        ("couponcode", "0123456123456111101233200229", "0123456123456111101233200230", 22),
        ("couponcode", "012345612345611111012", "012345612345611115012", 0),
        ("couponcode", "01234561234561111012335006064500606", "01234561234561111012335006054500606", 29),
    ],
)
def test_linters(name: str, sound: str, broken: str, offset: int) -> None:
    assert LINTERS[name](sound) is None
    assert LINTERS[name](broken) == offset


def test_the_examples_above_leave_no_linter_out() -> None:
    mark = next(mark for mark in test_linters.pytestmark if mark.name == "parametrize")
    assert {example[0] for example in mark.args[1]} == LINTERS.keys()


def test_reasons_are_documented() -> None:
    raised = {
        node.args[0].value
        for path in BARCODES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault"
        if isinstance(node.args[0], ast.Constant)
    }
    documented = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    assert raised | {"too_long"} == documented
