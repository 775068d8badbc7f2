"""Reasons of refusals in every language: the English of the contract, and its translations."""

from __future__ import annotations

from holdfast.counter.language import Words
from holdfast_contract.reasons import words

_TRANSLATIONS: dict[str, tuple[str, str]] = {
    "ambiguous_code": (
        "Dieser Code gehört zu mehreren Artikeln. Das Regaletikett des gemeinten scannen.",
        "Ce code désigne plusieurs articles. Scannez l'étiquette de rayon du bon.",
    ),
    "amount_missing": (
        "Erst fehlt ein Betrag. Ziffernkarten scannen, dann wiederholen.",
        "Il faut d'abord un montant. Scannez les chiffres, puis recommencez.",
    ),
    "badge_needed": (
        "Dafür braucht es einen Ausweis mit der passenden Rolle. Ausweis scannen, dann die Karte noch einmal.",
        "Il faut un badge ayant le bon rôle. Scannez le badge, puis de nouveau la carte.",
    ),
    "badge_unknown": (
        "Dieser Ausweis ist hier nicht bekannt. Die Schichtleitung kann einen ausstellen.",
        "Ce badge est inconnu ici. Demandez-en un au responsable.",
    ),
    "cart_empty": (
        "Der Korb ist leer. Erst einen Artikel scannen.",
        "Le panier est vide. Scannez d'abord un article.",
    ),
    "cart_full": (
        "Der Korb hat zu viele Zeilen. Diesen Verkauf abschließen und einen neuen beginnen.",
        "Le panier a trop de lignes. Terminez cette vente et commencez-en une autre.",
    ),
    "cart_not_open": (
        "Kein Korb ist offen. Ein Artikel beginnt einen Verkauf.",
        "Aucun panier n'est ouvert. Scannez un article pour commencer.",
    ),
    "cart_open": (
        "Ein Korb ist noch offen. Erst abschließen, parken oder stornieren.",
        "Un panier est encore ouvert. Terminez-le, mettez-le en attente ou annulez-le.",
    ),
    "cart_unknown": (
        "Diesen geparkten Korb gibt es nicht. Parkbelege ansehen oder neu beginnen.",
        "Ce panier en attente n'existe pas. Voyez les tickets d'attente ou commencez une vente.",
    ),
    "cash_short": (
        "Weniger Bargeld als fällig. Betrag noch einmal scannen.",
        "Moins d'espèces que dû. Scannez de nouveau le montant.",
    ),
    "catalogue_invalid": (
        "Die Katalogdatei hat Fehler. Die genannten Zeilen korrigieren und neu importieren.",
        "Le fichier catalogue a des erreurs. Corrigez les lignes citées et réimportez.",
    ),
    "charge_unknown": (
        "Niemand weiß, wie voll der Akku ist. Angeben: holdfast power plan arm --charge PROZENT.",
        "Personne ne connaît la charge de la batterie. Indiquez-la : holdfast power plan arm --charge POURCENT.",
    ),
    "command_corrupt": (
        "Der Code wurde nicht sauber gelesen. Noch einmal scannen.",
        "Le code n'a pas été bien lu. Scannez-le de nouveau.",
    ),
    "confirm": (
        "Diese Karte muss zweimal gescannt werden. Innerhalb von 10 Sekunden wiederholen.",
        "Cette carte doit être scannée deux fois. Recommencez dans les 10 secondes.",
    ),
    "count_expired": (
        "Diese Zählung ist zu alt. Noch einmal zählen.",
        "Ce comptage est trop ancien. Recomptez.",
    ),
    "count_superseded": (
        "Eine spätere Zählung dieses Artikels ist schon gebucht. Im Zweifel noch einmal zählen.",
        "Un comptage plus récent de cet article est déjà enregistré. En cas de doute, recomptez.",
    ),
    "delivery_empty": (
        "Nichts wurde gezählt. Artikel scannen, oder ABORT.",
        "Rien n'a été compté. Scannez un article, ou ABORT.",
    ),
    "delivery_not_open": (
        "Keine Lieferung ist offen. Erst RECEIVE scannen.",
        "Aucune livraison n'est ouverte. Scannez d'abord RECEIVE.",
    ),
    "delivery_open": (
        "Hier ist noch eine Lieferung offen. Mit DONE abschließen oder mit ABORT verlassen.",
        "Une livraison est encore ouverte ici. Terminez-la par DONE ou quittez-la par ABORT.",
    ),
    "device_absent": (
        "Das Gerät ist nicht da. Anschließen; `holdfast devices` zeigt, was fehlt.",
        "L'appareil est absent. Branchez-le ; `holdfast devices` montre ce qui manque.",
    ),
    "disk_full": (
        "Der Speicher ist fast voll. Platz schaffen oder Karte tauschen; `holdfast status` zeigt, wie viel fehlt.",
        "Le stockage est presque plein. Libérez de la place ou changez la carte ; voyez `holdfast status`.",
    ),
    "document_unknown": (
        "Diese Nummer hat kein Beleg. Die Nummer auf dem Papier prüfen.",
        "Aucun document ne porte ce numéro. Vérifiez-le sur le papier.",
    ),
    "drawer_short": (
        "So viel ist nicht in der Lade. Betrag prüfen.",
        "Le tiroir contient moins que cela. Vérifiez le montant.",
    ),
    "expired_command": (
        "Diese Anfrage ist zu alt. Mit neuer Kennung senden.",
        "Cette demande est trop ancienne. Renvoyez-la avec un nouvel identifiant.",
    ),
    "idempotency_conflict": (
        "Diese Kennung wurde schon für etwas anderes benutzt. Mit neuer Kennung senden.",
        "Cet identifiant a déjà servi à autre chose. Renvoyez avec un nouvel identifiant.",
    ),
    "invalid": (
        "Die Eingabe ist nicht gültig. Prüfen und wiederholen.",
        "La saisie n'est pas valable. Vérifiez et recommencez.",
    ),
    "line_unknown": (
        "Diese Zeile gibt es nicht. Erst den Artikel scannen.",
        "Cette ligne n'existe pas. Scannez d'abord l'article.",
    ),
    "no_price": (
        "Dieser Artikel hat keinen Preis. Preis setzen: holdfast catalogue price SKU BETRAG.",
        "Cet article n'a pas de prix. Fixez-le : holdfast catalogue price SKU MONTANT.",
    ),
    "not_permitted": (
        "Diese Rolle darf das nicht. Die Schichtleitung fragen.",
        "Ce rôle ne le permet pas. Demandez au responsable.",
    ),
    "fault": (
        "Der Hub kann das wegen eines Fehlers nicht. Protokoll an die Wartung geben: journalctl -u holdfast.",
        "Le hub ne peut pas faire cela, à cause d'un défaut. Envoyez le journal : journalctl -u holdfast.",
    ),
    "plan_armed": (
        "Eine Veranstaltung ist schon geplant. Ändern: holdfast power plan extend; beenden: holdfast power plan end.",
        "Un événement est déjà prévu. Changez-le : holdfast power plan extend ; ou finissez : holdfast power plan end.",
    ),
    "plan_none": (
        "Es ist keine Veranstaltung geplant. Planen: holdfast power plan arm --until ZEIT.",
        "Aucun événement n'est prévu. Prévoyez-le : holdfast power plan arm --until HEURE.",
    ),
    "plan_short": (
        "Der Akku reicht nicht bis dahin. Größeren oder volleren Akku nehmen, früher enden, Lasten weglassen.",
        "La batterie ne tient pas jusque-là. Prenez-en une plus grande ou plus pleine, ou finissez plus tôt.",
    ),
    "quantity_confirm": (
        "Die Menge ist ungewöhnlich groß. Mit DONE bestätigen.",
        "Cette quantité est inhabituelle. Scannez DONE pour confirmer.",
    ),
    "queue_full": (
        "Zu viele Scans warten. Auf das Licht warten.",
        "Trop de lectures en attente. Attendez le voyant.",
    ),
    "quantity_weighed": (
        "Diese Menge wurde gewogen. Mit VOIDLINE streichen und noch einmal wiegen.",
        "Cette quantité a été pesée. Annulez avec VOIDLINE, puis pesez de nouveau.",
    ),
    "reason_missing": (
        "Ein Grund fehlt. Mit Grund wiederholen.",
        "Il faut un motif. Recommencez avec un motif.",
    ),
    "scale_fault": (
        "Die Waage meldet einen Fehler. Leeren, aus- und einschalten; bleibt er, Technik rufen.",
        "La balance signale une panne. Videz-la, éteignez et rallumez ; sinon appelez un technicien.",
    ),
    "scale_motion": (
        "Auf der Waage bewegt sich noch etwas. Ruhen lassen, dann noch einmal scannen.",
        "La balance n'est pas stable. Laissez-la se poser, puis rescannez.",
    ),
    "scale_overload": (
        "Auf der Waage liegt zu viel. In Teilen wiegen.",
        "La balance est surchargée. Pesez en plusieurs fois.",
    ),
    "scale_refused": (
        "Die Waage hat das nicht getan. Ruhen lassen, nur die Tara darauf; dann noch einmal scannen.",
        "La balance ne l'a pas fait. Laissez-la se poser avec la seule tare, puis rescannez.",
    ),
    "scale_under_zero": (
        "Die Waage zeigt weniger als nichts. Leeren und ZERO scannen; nach einer Tara erst diese wieder auflegen.",
        "La balance indique moins que rien. Videz-la et scannez ZERO ; après une tare, reposez-la d'abord.",
    ),
    "scale_unit": (
        "Die Waage wiegt nicht in ganzen Gramm. Auf Kilogramm stellen; siehe `holdfast devices`.",
        "La balance ne pèse pas en grammes entiers. Réglez-la en kilogrammes ; voyez `holdfast devices`.",
    ),
    "scale_unknown": (
        "Die Waage antwortet nicht. Stecker und Strom prüfen, noch einmal scannen; siehe `holdfast devices`.",
        "La balance ne répond pas. Vérifiez câble et courant, puis rescannez ; voyez `holdfast devices`.",
    ),
    "scale_zero": (
        "Auf der Waage liegt nichts. Auflegen, dann noch einmal scannen.",
        "Rien sur la balance. Posez l'article, puis rescannez.",
    ),
    "serial_conflict": (
        "Etwas anderes hat dies zuerst geändert. Korb ansehen und noch einmal versuchen.",
        "Une autre commande l'a déjà modifié. Regardez le panier et réessayez.",
    ),
    "shift_closed": (
        "Keine Schicht ist offen. SHIFTOPEN, das Wechselgeld, DONE scannen.",
        "Aucun poste n'est ouvert. Scannez SHIFTOPEN, le fond de caisse, DONE.",
    ),
    "shift_open": (
        "Eine Schicht ist schon offen. Erst schließen: SHIFTCLOSE.",
        "Un poste est déjà ouvert. Fermez-le d'abord : SHIFTCLOSE.",
    ),
    "stopping": (
        "Der Hub fährt herunter. Warten, bis er wieder da ist.",
        "Le hub s'arrête. Attendez son retour.",
    ),
    "storage_failed": (
        "Der Vorgang konnte nicht gespeichert werden. Technik rufen: holdfast journal verify.",
        "L'opération n'a pas pu être enregistrée. Appelez un technicien : holdfast journal verify.",
    ),
    "test_not_now": (
        "Der Akku wird jetzt nicht geprüft: nötig sind Netzstrom, 90 % Ladung und kein offener Verkauf. Später fragen.",
        "La batterie n'est pas testée maintenant : il faut le secteur, 90 % de charge et aucune vente ouverte.",
    ),
    "training_on": (
        "Im Training nicht möglich. TRAIN beendet das Training.",
        "Impossible en formation. Scannez TRAIN pour en sortir.",
    ),
    "unknown_code": (
        "Dieser Code ist nicht im Katalog. Artikel anlegen, oder MISC mit Betrag.",
        "Ce code n'est pas au catalogue. Ajoutez l'article, ou MISC avec un montant.",
    ),
    "variance": (
        "Gezählt und Soll weichen zu weit ab. Noch einmal zählen; die Schichtleitung muss bestätigen.",
        "Compté et attendu diffèrent trop. Recomptez ; un responsable doit confirmer.",
    ),
    "version_old": (
        "Ein neuerer Katalog ist in Gebrauch. Mit höherer Version exportieren.",
        "Un catalogue plus récent est en service. Exportez avec une version supérieure.",
    ),
    "weight_missing": (
        "Dieser Artikel wird gewogen. An einer Kasse mit Waage scannen, oder MISC mit Betrag.",
        "Cet article se vend au poids. Scannez-le à une caisse avec balance, ou MISC avec un montant.",
    ),
    "wrong_mode": (
        "Das geht jetzt nicht. Offenes abschließen oder ABORT scannen.",
        "Impossible maintenant. Terminez ce qui est ouvert ou scannez ABORT.",
    ),
}

TRANSLATED: dict[str, Words] = {code: Words(words(code), *texts) for code, texts in _TRANSLATIONS.items()}
