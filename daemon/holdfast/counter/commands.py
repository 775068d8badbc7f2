"""The command cards: the one place where a card's code is spelled, what it means, and where it may be used.

A card that needs a number takes it before or after: `D5 QTY`, or `QTY D5 DONE`. CASH is the exception, see
docs/decisions/0006-cash-cards.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from holdfast.config import Config
from holdfast.counter.language import Language, Words
from holdfast.domain.operator import Role
from holdfast_drivers.barcodes import commands as barcode
from holdfast_drivers.barcodes.errors import CodeError


class Mode(Enum):
    """What a station is doing."""

    IDLE = "idle"
    SALE = "sale"
    RECEIVE = "receive"


class Act(Enum):
    """What a card asks for."""

    SALE = auto()
    CASH = auto()
    CASH_NOTE = auto()
    CARD_PAYMENT = auto()
    QUANTITY = auto()
    DISCOUNT = auto()
    FIXED_DISCOUNT = auto()
    OPEN_AMOUNT = auto()
    VOID_LINE = auto()
    VOID_ALL = auto()
    PARK = auto()
    RESUME = auto()
    PRICE_CHECK = auto()
    RECEIVE = auto()
    NO_REFERENCE = auto()
    DONE = auto()
    DIGIT = auto()
    SHIFT_OPEN = auto()
    SHIFT_CLOSE = auto()
    PAY_IN = auto()
    PAY_OUT = auto()
    SAFE_DROP = auto()
    NO_SALE = auto()
    X_REPORT = auto()
    REPRINT = auto()
    STATUS = auto()
    TRAINING = auto()
    SIGN_OUT = auto()
    TARE = auto()
    ZERO = auto()
    ABORT = auto()
    SHUTDOWN = auto()


ANY = frozenset(Mode)
TILL = frozenset({Mode.IDLE, Mode.SALE})
GOODS = frozenset({Mode.IDLE, Mode.RECEIVE})
IDLE = frozenset({Mode.IDLE})


@dataclass(frozen=True, slots=True)
class Card:
    """A command card."""

    code: str
    """What is between `HFC` and the check character."""
    act: Act
    words: Words
    """For the sheet of cards."""
    modes: frozenset[Mode] = ANY
    role: Role | None = Role.CASHIER
    """Who may use it, for the sheet; the domain has the last word. None: nobody need be signed in."""
    risky: bool = False
    """Needs a second scan of the same card."""
    value: int = 0
    """A digit, major units of money, or percent."""


_DIGITS = tuple(
    Card(f"D{n}", Act.DIGIT, Words(f"Digit {n}", f"Ziffer {n}", f"Chiffre {n}"), role=None, value=n) for n in range(10)
)
_NOTES = tuple(
    Card(
        f"CASH{n}", Act.CASH_NOTE, Words(f"Cash, {n} given", f"Bar, {n} gegeben", f"Espèces, {n} reçus"), TILL, value=n
    )
    for n in (5, 10, 20, 50)
)
_DISCOUNTS = tuple(
    Card(
        f"DISC{n}", Act.FIXED_DISCOUNT, Words(f"{n} % off the line", f"{n} % Rabatt", f"{n} % de remise"), TILL, value=n
    )
    for n in (5, 10, 20, 50)
)

CARDS: tuple[Card, ...] = (
    Card("SALE", Act.SALE, Words("Start a sale", "Verkauf beginnen", "Commencer une vente"), TILL),
    Card("CASH", Act.CASH, Words("Cash: exact, or the digits before", "Bar: passend, oder die Ziffern davor",
         "Espèces : exact, ou les chiffres avant"), TILL),
    *_NOTES,
    Card("CARD", Act.CARD_PAYMENT, Words("Card payment", "Kartenzahlung", "Paiement par carte"), TILL),
    Card("QTY", Act.QUANTITY, Words("Quantity of the last line", "Menge der letzten Zeile",
         "Quantité de la dernière ligne")),
    Card("DISC", Act.DISCOUNT, Words("Percent off the last line", "Rabatt auf die letzte Zeile",
         "Remise sur la dernière ligne"), TILL),
    *_DISCOUNTS,
    Card("MISC", Act.OPEN_AMOUNT, Words("Any amount", "Freier Betrag", "Montant libre"), TILL),
    Card("VOIDLINE", Act.VOID_LINE, Words("Void the last line", "Letzte Zeile streichen", "Annuler la ligne")),
    Card("VOIDSALE", Act.VOID_ALL, Words("Void the sale or delivery", "Verkauf oder Lieferung stornieren",
         "Annuler la vente ou la livraison"), role=Role.SUPERVISOR, risky=True),
    Card("PARK", Act.PARK, Words("Park the cart", "Korb parken", "Mettre le panier en attente"), TILL),
    Card("RESUME", Act.RESUME, Words("Resume the parked cart", "Geparkten Korb holen",
         "Reprendre le panier en attente"), TILL),
    Card("PRICE", Act.PRICE_CHECK, Words("Price check", "Preis prüfen", "Vérifier un prix"), role=None),
    Card("RECEIVE", Act.RECEIVE, Words("Receive goods", "Ware annehmen", "Recevoir la marchandise"), GOODS),
    Card("NOASN", Act.NO_REFERENCE, Words("Without delivery note", "Ohne Lieferschein", "Sans bon de livraison"),
         GOODS),
    Card("DONE", Act.DONE, Words("Done: ends a number, a delivery", "Fertig: beendet Zahl, Lieferung",
         "Terminé : fin du nombre, de la livraison"), role=None),
    *_DIGITS,
    Card("SHIFTOPEN", Act.SHIFT_OPEN, Words("Open the shift", "Schicht öffnen", "Ouvrir le poste"), IDLE),
    Card("SHIFTCLOSE", Act.SHIFT_CLOSE, Words("Close the shift", "Schicht schließen", "Fermer le poste"), TILL,
         risky=True),
    Card("PAYIN", Act.PAY_IN, Words("Pay in", "Einlage", "Apport"), TILL),
    Card("PAYOUT", Act.PAY_OUT, Words("Pay out", "Entnahme", "Retrait"), TILL, role=Role.SUPERVISOR),
    Card("DROP", Act.SAFE_DROP, Words("Drop to the safe", "In den Tresor", "Dépôt au coffre"), TILL),
    Card("NOSALE", Act.NO_SALE, Words("Open the drawer", "Lade öffnen", "Ouvrir le tiroir"), TILL,
         role=Role.SUPERVISOR, risky=True),
    Card("XREPORT", Act.X_REPORT, Words("X report", "X-Bericht", "Rapport X"), TILL),
    Card("REPRINT", Act.REPRINT, Words("Copy of the receipt", "Belegkopie", "Duplicata du ticket"), TILL),
    Card("STATUS", Act.STATUS, Words("Print the status", "Status drucken", "Imprimer l'état"), role=None),
    Card("TARE", Act.TARE, Words("Tare the scale", "Waage tarieren", "Tarer la balance")),
    Card("ZERO", Act.ZERO, Words("Set the scale to zero", "Waage auf null", "Remettre la balance à zéro")),
    Card("TRAIN", Act.TRAINING, Words("Training on or off", "Training an oder aus", "Formation marche/arrêt"), IDLE),
    Card("SIGNOUT", Act.SIGN_OUT, Words("Sign out", "Abmelden", "Fermer la session"), role=None),
    Card("ABORT", Act.ABORT, Words("Leave without posting", "Ohne Buchung verlassen", "Quitter sans enregistrer"),
         role=None),
    Card("SHUTDOWN", Act.SHUTDOWN, Words("Shut the hub down", "Hub herunterfahren", "Arrêter le hub"),
         role=Role.SUPERVISOR, risky=True),
)  # fmt: skip
"""In the order of the sheet."""

BY_CODE = {card.code: card for card in CARDS}
RESUME = next(card for card in CARDS if card.act is Act.RESUME)


def barcode_of(card: Card) -> str:
    """The text of a card's barcode."""
    return barcode.encode(card.code)


def card_words(language: Language = "en") -> dict[str, str]:
    """What each card does, by its code, in the order of the sheet."""
    return {card.code: card.words.to(language) for card in CARDS}


def button_problems(config: Config) -> list[tuple[str, str]]:
    """Key path and fault of every button that stands for a card there is not."""
    buttons = config.panel.buttons if config.panel else ()
    return [
        (f"panel.buttons[{i}].{key}", f"no command card is called {card!r}; `holdfast command-sheet` draws all")
        for i, button in enumerate(buttons)
        for key, card in (("card", button.card), ("hold", button.hold))
        if card and card not in BY_CODE
    ]


def parked_barcode(cart: str) -> str:
    """The barcode of a parked cart's slip: RESUME with the cart in it.

    One number in 37 would need the check character that is never issued; a zero before it makes it another.
    """
    series, number = cart[:1].upper(), cart[1:]
    try:
        return barcode.encode(f"{RESUME.code}{series}{number}")
    except CodeError:
        return barcode.encode(f"{RESUME.code}{series}0{number}")


def parked_cart(code: str) -> str | None:
    """The cart that a parked slip's command code names; None when it is no such code."""
    rest = code.removeprefix(RESUME.code)
    if rest == code or not rest[:1].isalpha() or not rest[1:].isdigit():
        return None
    return f"{rest[:1].lower()}{int(rest[1:])}"
