"""GTINs: check digits, lengths, one normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gtin import (
    LENGTHS,
    Gtin,
    check_digit,
    compress_upc_a,
    expand_upc_e,
    split_add_on,
    with_check_digit,
)

bodies = st.sampled_from(LENGTHS).flatmap(lambda n: st.text("0123456789", min_size=n - 1, max_size=n - 1))


@pytest.mark.parametrize(
    ("body", "digit"),
    [
        ("400638133393", "1"),
        ("0401234", "4"),
        ("03600029145", "2"),
        ("9638507", "4"),
        ("978149205374", "3"),
        ("10614141234567890", "8"),  # an SSCC's body: the rule is the same
    ],
)
def test_check_digits_of_known_numbers(body: str, digit: str) -> None:
    assert check_digit(body) == digit


def test_12_13_and_14_digits_of_the_same_number_are_equal() -> None:
    assert Gtin.parse("036000291452") == Gtin.parse("0036000291452") == Gtin.parse("00036000291452")
    assert Gtin.parse("036000291452").digits == "00036000291452"


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("96385074", "96385074"),
        ("4006381333931", "4006381333931"),
        ("04006381333931", "4006381333931"),
        ("0036000291452", "036000291452"),
        ("14006381333938", "14006381333938"),
    ],
)
def test_people_see_the_shortest_form(text: str, shortest: str) -> None:
    assert str(Gtin.parse(text)) == shortest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4006381333932",
        "400638133393",
        "123456789",
        " 4006381333931",
        "4006381333931\n",
        "٤006381333931",
        "400638133393X",
    ],
)
def test_anything_else_raises_the_one_error(text: str) -> None:
    with pytest.raises(CodeError):
        Gtin.parse(text)


def test_a_value_is_valid_however_it_is_made() -> None:
    with pytest.raises(CodeError):
        Gtin("4006381333931")
    with pytest.raises(CodeError):
        Gtin("04006381333932")
    with pytest.raises(CodeError):
        with_check_digit("123456789")
    with pytest.raises(CodeError):
        check_digit("12a")


@given(bodies)
def test_a_composed_number_parses_to_itself(body: str) -> None:
    text = with_check_digit(body)
    assert Gtin.parse(text).digits == text.zfill(14)


@given(bodies, st.data())
def test_one_wrong_digit_is_always_found(body: str, data: st.DataObject) -> None:
    text = with_check_digit(body)
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != text[place]]))
    with pytest.raises(CodeError):
        Gtin.parse(text[:place] + wrong + text[place + 1 :])


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("04252614", "042100005264"),
        ("01234505", "012000003455"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("01234596", "012345000096"),
    ],
)
def test_upc_e_expands_by_its_sixth_digit(text: str, expanded: str) -> None:
    assert expand_upc_e(text) == expanded


@pytest.mark.parametrize("text", ["24252614", "0425261", "042526144", "0425261x"])
def test_no_upc_e_number(text: str) -> None:
    with pytest.raises(CodeError):
        expand_upc_e(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_check_digit("200421123123"), True),
        (with_check_digit("299999999999"), True),
        (with_check_digit("021234512345"), True),
        (with_check_digit("21234512345"), True),
        ("4006381333931", False),
        (with_check_digit("2012345"), False),  # GTIN-8 has no weights in it
        (with_check_digit("0212345"), False),
    ],
)
def test_in_store_numbers_with_a_weight_or_price_are_no_product_key(text: str, expected: bool) -> None:
    assert Gtin.parse(text).variable_measure is expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("042100005264", "04252614"),
        ("012000003455", "01234505"),
        ("012300000451", "01234531"),
        ("012340000053", "01234543"),
        ("012345000096", "01234596"),
    ],
)
def test_few_upc_a_have_a_upc_e(text: str, short: str) -> None:
    assert compress_upc_a(text) == short


@pytest.mark.parametrize("text", ["036000291452", "212345000086", "012345678905", "0042100005264", "042100005265", ""])
def test_no_upc_e_for_others(text: str) -> None:
    with pytest.raises(CodeError):
        compress_upc_a(text)


@given(st.text("0123456789", min_size=6, max_size=6), st.sampled_from("01"))
def test_upc_e_comes_back_as_itself_or_a_shorter_rule(item: str, system: str) -> None:
    upc_a = with_check_digit(expand_upc_e(system + item + "0")[:-1])
    assert expand_upc_e(compress_upc_a(upc_a)) == upc_a


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("4006381333931", ("4006381333931", "")),
        ("400638133393112", ("4006381333931", "12")),
        ("400638133393152495", ("4006381333931", "52495")),
    ],
)
def test_an_add_on_has_two_or_five_digits(text: str, parts: tuple[str, str]) -> None:
    assert split_add_on(text) == parts
    with pytest.raises(CodeError):
        split_add_on(text + "1")
