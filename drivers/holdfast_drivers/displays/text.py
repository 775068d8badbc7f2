"""Text for a display that has few characters: what it lacks is spelled in letters it has, or left out. Pure.

Letters by ICAO Doc 9303-3 (Latin, Cyrillic) and ELOT 743 (Greek). Nothing becomes `?`, a box, or another's letter.
"""

# ruff: noqa: RUF001 - letters that look like others are what this is about

from __future__ import annotations

import unicodedata

_LATIN = {
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ẞ": "SS", "æ": "ae", "œ": "oe", "å": "aa", "ø": "oe", "ł": "l",
    "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ĳ": "ij", "ŋ": "n", "ŧ": "t", "ĸ": "k", "ə": "e",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "ie", "ы": "y", "ь": "", "э": "e", "ю": "iu",
    "я": "ia", "є": "ie", "і": "i", "ї": "i", "ґ": "g", "ў": "u", "ђ": "d", "ћ": "c", "ѓ": "g", "ќ": "k", "љ": "lj",
    "њ": "nj", "џ": "dz", "ј": "j", "ѕ": "dz",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_SIGNS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₣": "Fr", "₺": "TL", "₴": "UAH", "₽": "RUB", "©": "(c)", "®": "(R)",
    "×": "x", "÷": "/", "·": "*", "•": "*", "°": "deg", "§": "par.", "¿": "", "¡": "", "⁄": "/",
    **dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("‘’‚‛′`´ʼ", "'"), **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‹", "<"), **dict.fromkeys("›", ">"),
}  # fmt: skip
_LETTERS = _LATIN | _CYRILLIC | _GREEK
_SPELLED = (
    _SIGNS | _LETTERS | {letter.upper(): text.title() for letter, text in _LETTERS.items() if letter.upper() != letter}
)


def spelled(text: str, page: str = "ascii") -> str:
    """`text` in printable characters of a code page (a codec of Python), blanks for every white space."""
    return "".join(_in_page(character, page) for character in unicodedata.normalize("NFC", " ".join(text.split())))


def best_page(text: str, pages: tuple[str, ...]) -> str:
    """The first page that holds all of `text`; else the first that there is, or ASCII."""
    whole = unicodedata.normalize("NFC", " ".join(text.split()))
    fits = (page for page in pages if all(_holds(page, character) for character in whole))
    return next(fits, pages[0] if pages else "ascii")


def laid_out(left: str, right: str, width: int) -> str:
    """One line: `right` at its end and whole if it can be, `left` before it, cut when there is no room for both."""
    right = right[:width]
    room = width - len(right) - bool(right)
    return left[: max(0, room)].ljust(width - len(right)) + right


def _in_page(character: str, page: str) -> str:
    if _holds(page, character):
        return character
    for other in (_SPELLED.get(character), unicodedata.normalize("NFKD", character)):
        if other is not None and other != character:
            return "".join(_in_page(each, page) for each in other)
    return ""


def _holds(page: str, character: str) -> bool:
    if not character.isprintable():
        return False
    try:
        code = character.encode(page)
    except UnicodeEncodeError:
        return False
    return len(code) == 1 and code[0] >= 0x20 and code[0] != 0x7F
