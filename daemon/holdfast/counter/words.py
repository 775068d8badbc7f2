"""What the counter says to people, on slips and receipts: English, German, French. Each text is spelled once."""

from __future__ import annotations

from holdfast.counter.language import Language, Words
from holdfast.counter.reasons import TRANSLATED
from holdfast_contract.reasons import words as in_english

PAPER: dict[str, Words] = {
    "receipt": Words("Receipt", "Beleg", "Ticket"),
    "business_day": Words("Business day", "Geschäftstag", "Journée"),
    "operator": Words("Served by", "Es bediente Sie", "Servi par"),
    "total": Words("Total", "Summe", "Total"),
    "discount": Words("Discount", "Rabatt", "Remise"),
    "tax": Words("Tax", "MwSt.", "TVA"),
    "net": Words("net", "netto", "HT"),
    "rounding": Words("Cash rounding", "Rundung bar", "Arrondi espèces"),
    "cash": Words("Cash", "Bar", "Espèces"),
    "change": Words("Change", "Rückgeld", "Rendu"),
    "due": Words("Due", "Zu zahlen", "À payer"),
    "training": Words("TRAINING", "TRAINING", "FORMATION"),
    "not_a_receipt": Words("Not a receipt", "Kein Beleg", "Sans valeur"),
    "copy": Words("COPY", "KOPIE", "DUPLICATA"),
    "late": Words("LATE", "NACHGEDRUCKT", "TARDIF"),
    "x_report": Words("X report", "X-Bericht", "Rapport X"),
    "z_report": Words("Z report", "Z-Bericht", "Rapport Z"),
    "number": Words("Number", "Nummer", "Numéro"),
    "shift": Words("Shift", "Schicht", "Poste"),
    "documents": Words("Receipts", "Belege", "Tickets"),
    "first": Words("First", "Erster", "Premier"),
    "last": Words("Last", "Letzter", "Dernier"),
    "gross": Words("Gross", "Brutto", "Brut"),
    "float": Words("Float", "Wechselgeld", "Fond de caisse"),
    "cash_sales": Words("Cash sales", "Barverkäufe", "Ventes espèces"),
    "pay_in": Words("Paid in", "Einlagen", "Apports"),
    "pay_out": Words("Paid out", "Entnahmen", "Retraits"),
    "safe_drop": Words("To the safe", "In den Tresor", "Au coffre"),
    "no_sale": Words("Drawer opened", "Lade geöffnet", "Ouvertures tiroir"),
    "voids": Words("Voided carts", "Stornos", "Annulations"),
    "training_sales": Words("Training sales", "Trainingsverkäufe", "Ventes de formation"),
    "expected": Words("Expected", "Soll", "Attendu"),
    "counted": Words("Counted", "Gezählt", "Compté"),
    "over_short": Words("Over/short", "Differenz", "Écart"),
    "grand_total": Words("Grand total", "Gesamtumsatz", "Grand total"),
    "why": Words("Reason", "Grund", "Motif"),
    "head": Words("Journal", "Journal", "Journal"),
    "refused": Words("Refused", "Abgelehnt", "Refusé"),
    "parked": Words("Parked cart", "Geparkter Korb", "Panier en attente"),
    "price": Words("Price", "Preis", "Prix"),
    "status": Words("Status", "Status", "État"),
    "link": Words("Headquarters", "Zentrale", "Centrale"),
    "waiting": Words("Events to send", "Noch zu senden", "À envoyer"),
    "charge": Words("Battery", "Akku", "Batterie"),
    "mains": Words("Mains power", "Netzstrom", "Secteur"),
    "stage": Words("Power stage", "Energiestufe", "Niveau d'énergie"),
    "energy_report": Words("Energy report", "Energiebericht", "Rapport d'énergie"),
    "from_mains": Words("From the mains", "Aus dem Netz", "Du secteur"),
    "from_pack": Words("From the battery", "Aus dem Akku", "De la batterie"),
    "charged": Words("Charged", "Geladen", "Rechargé"),
    "peak": Words("Peak", "Spitze", "Pointe"),
    "outages": Words("Outages", "Netzausfälle", "Coupures"),
    "papers": Words("Papers waiting", "Wartende Drucke", "Impressions en attente"),
    "unknown_papers": Words("Papers in doubt", "Ungewisse Drucke", "Impressions douteuses"),
    "unknown": Words("unknown", "unbekannt", "inconnu"),
    "yes": Words("yes", "ja", "oui"),
    "no": Words("no", "nein", "non"),
    "online": Words("online", "online", "en ligne"),
    "degraded": Words("slow", "langsam", "ralenti"),
    "offline": Words("offline", "offline", "hors ligne"),
    "catching_up": Words("catching up", "holt auf", "rattrapage"),
    "off": Words("off", "aus", "désactivé"),
}
"""Labels of paper."""

NEEDS: dict[str, Words] = {
    "products": Words("Scan products.", "Artikel scannen.", "Scannez les articles."),
    "number": Words("Number so far.", "Zahl bisher.", "Nombre en cours."),
    "number_ended": Words(
        "Number complete: scan what it is for.",
        "Zahl fertig: Karte scannen, für die sie gilt.",
        "Nombre terminé : scannez la carte voulue.",
    ),
    "quantity": Words(
        "Quantity: scan digit cards, then DONE.",
        "Menge: Ziffernkarten scannen, dann DONE.",
        "Quantité : scannez les chiffres, puis DONE.",
    ),
    "percent": Words(
        "Percent off: scan digit cards, then DONE.",
        "Rabatt in Prozent: Ziffernkarten scannen, dann DONE.",
        "Remise en pour cent : scannez les chiffres, puis DONE.",
    ),
    "amount": Words(
        "Amount without the point (1 2 5 0 is 12.50): scan digit cards, then DONE.",
        "Betrag ohne Komma (1 2 5 0 ist 12,50): Ziffernkarten scannen, dann DONE.",
        "Montant sans virgule (1 2 5 0 pour 12,50) : scannez les chiffres, puis DONE.",
    ),
    "count": Words(
        "Count the drawer, scan the sum as digit cards, then DONE.",
        "Lade zählen, Summe mit Ziffernkarten scannen, dann DONE.",
        "Comptez le tiroir, scannez la somme en chiffres, puis DONE.",
    ),
    "recount": Words(
        "The count differs. Count again, scan the sum, then DONE.",
        "Die Zählung weicht ab. Noch einmal zählen, Summe scannen, dann DONE.",
        "Le comptage diffère. Recomptez, scannez la somme, puis DONE.",
    ),
    "product": Words("Scan the product.", "Artikel scannen.", "Scannez l'article."),
    "reference": Words(
        "Scan the delivery note, or NOASN.",
        "Lieferschein scannen, oder NOASN.",
        "Scannez le bon de livraison, ou NOASN.",
    ),
    "receiving": Words(
        "Scan what came in, then DONE.", "Ware scannen, dann DONE.", "Scannez la marchandise, puis DONE."
    ),
    "confirm": Words(
        "Scan the same card again to confirm.",
        "Dieselbe Karte zur Bestätigung noch einmal scannen.",
        "Scannez de nouveau la même carte pour confirmer.",
    ),
    "quantity_confirm": Words(
        "Unusually many. Scan DONE to confirm.",
        "Ungewöhnlich viel. Mit DONE bestätigen.",
        "Quantité inhabituelle. Scannez DONE pour confirmer.",
    ),
    "reprint": Words(
        "Scan REPRINT for a copy.", "Für eine Kopie REPRINT scannen.", "Scannez REPRINT pour un duplicata."
    ),
    "change": Words("Change to hand back.", "Rückgeld.", "Monnaie à rendre."),
    "ready": Words("Ready.", "Bereit.", "Prêt."),
    "draft": Words(
        "Delivery kept. RECEIVE continues it.",
        "Lieferung bleibt offen. Weiter mit RECEIVE.",
        "Livraison conservée. RECEIVE la reprend.",
    ),
    "paper_unknown": Words(
        "This may not be on paper. Look; scan it, then REPRINT, for a copy.",
        "Vielleicht nicht gedruckt. Nachsehen; für eine Kopie scannen, dann REPRINT.",
        "Peut-être pas imprimé. Vérifiez ; scannez-le, puis REPRINT, pour un duplicata.",
    ),
}
"""What a prompt asks for."""


def label(key: str, language: Language) -> str:
    """A label of paper."""
    return PAPER[key].to(language)


def need(key: str, language: Language) -> str:
    """What a prompt asks for, in words."""
    return NEEDS[key].to(language)


def reason(code: str, language: Language) -> str:
    """What a refusal means and what to do about it. A code without a translation is told in English."""
    translated = TRANSLATED.get(code)
    return translated.to(language) if translated else in_english(code)
