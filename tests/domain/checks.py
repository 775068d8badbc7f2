"""The invariants, each as a function of a hub that raises AssertionError. They fold the journal on their own."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction

from domain.kit import Fact, Hub
from holdfast.domain import shift
from holdfast_contract.body import Posting
from holdfast_contract.catalogue import PriceChanged
from holdfast_contract.ledger import BUCKETS, CASH, FLOAT, Place
from holdfast_contract.sale import CartAbandoned, LineAdded, LineChanged, SaleCompleted, SaleLine, TaxGroup
from holdfast_contract.shift import DrawerMoved, ShiftClosed, ShiftOpened, Totals
from holdfast_contract.stock import DiscrepancyClosed, DiscrepancyOpened, StockAdjusted, StockReceived


def g_2_rebuild(hub: Hub) -> None:
    assert hub.projector.digest(hub.db) == hub.rebuilt_digest()


def g_5_double_entry_stock(hub: Hub) -> None:
    folded: Counter[tuple[str, int]] = Counter()
    for fact in hub.facts(Posting):
        for move in fact.body.moves:
            assert move.qty > 0
            folded[move.sku, move.src] -= move.qty
            folded[move.sku, move.dst] += move.qty
    balances = {(sku, place): qty for sku, place, qty in hub.rows("SELECT sku, place, qty FROM balance")}
    assert balances == dict(folded)
    by_sku: Counter[str] = Counter()
    for (sku, _), qty in balances.items():
        by_sku[sku] += qty
    assert not any(by_sku.values())


def g_6_double_entry_money(hub: Hub) -> None:
    folded: Counter[str] = Counter()
    for fact in hub.facts(Posting):
        assert sum(post.amount for post in fact.body.posts) == 0, fact
        for post in fact.body.posts:
            folded[post.account] += post.amount
    assert dict(hub.rows("SELECT account, amount FROM account")) == dict(folded)


def g_12_training_leaves_no_mark(hub: Hub) -> None:
    trained: Counter[int] = Counter()
    for fact in hub.facts(SaleCompleted):
        if fact.body.training:
            assert fact.body.moves == fact.body.posts == ()
            trained[fact.body.shift] += 1
    kept = dict(hub.rows("SELECT shift, training FROM shift WHERE training"))
    assert kept == dict(trained)
    drawers = {ref for (ref,) in hub.rows("SELECT ref FROM spool WHERE kind = 'drawer'")}
    assert not drawers & {fact.seq for fact in hub.facts(SaleCompleted) if fact.body.training}


def gross(price: int, qty: int, base: int) -> int:
    """Half away from zero, by fractions: not as the code under test does it."""
    return math.floor(Fraction(price * qty, base) + Fraction(1, 2))


def amount(line: SaleLine) -> int:
    return gross(line.price, line.qty, line.base) - line.discount


def inv_1_1_lines_and_groups_sum_to_the_document(hub: Hub) -> None:
    for sale in _sales(hub):
        assert sum(amount(line) for line in sale.lines) == sale.payable
        assert sum(group.net + group.tax for group in sale.groups) == sale.payable
        for index, group in enumerate(sale.groups):
            total = sum(amount(line) for line in sale.lines if line.group == index)
            assert group.net + group.tax == total
            assert abs(group.net * (1_000_000 + group.ppm) - total * 1_000_000) * 2 <= 1_000_000 + group.ppm


def inv_1_2_discounts_stay_within_the_line(hub: Hub) -> None:
    prices: dict[tuple[str, int], tuple[int, int]] = {}
    for fact in hub.facts(LineAdded, LineChanged):
        key = (fact.subject, fact.body.line)
        if isinstance(fact.body, LineAdded):
            prices[key] = fact.body.price, fact.body.base
        price, base = prices[key]
        whole = gross(price, fact.body.qty, base)
        assert 0 <= fact.body.discount <= whole
        assert abs(whole * fact.body.ppm - fact.body.discount * 1_000_000) * 2 <= 1_000_000


def inv_1_4_lines_keep_their_price(hub: Hub) -> None:
    carts: dict[str, dict[int, tuple[str, int, int, int, int]]] = defaultdict(dict)
    for fact in hub.facts(LineAdded, LineChanged, SaleCompleted, PriceChanged):
        lines = carts[fact.subject]
        match fact.body:
            case LineAdded() as added:
                lines[added.line] = (added.sku, added.qty, added.price, added.discount, added.base)
            case LineChanged() as changed:
                sku, _, price, _, base = lines[changed.line]
                lines[changed.line] = (sku, changed.qty, price, changed.discount, base)
            case SaleCompleted() as sale:
                sold = [(line.sku, line.qty, line.price, line.discount, line.base) for line in sale.lines]
                assert sold == [line for _, line in sorted(lines.items()) if line[1]]
    for cart, line, price in hub.rows("SELECT cart, line, price FROM cart_line"):
        assert carts[f"c{cart}"][line][2] == price


def inv_2_1_on_hand_is_what_came_less_what_went(hub: Hub) -> None:
    on_hand: Counter[str] = Counter()
    unstocked = {sku for (sku,) in hub.rows("SELECT sku FROM product WHERE open_price")}
    for fact in hub.facts(StockReceived, StockAdjusted, SaleCompleted):
        match fact.body:
            case StockReceived(moves=moves):
                on_hand.update({move.sku: move.qty for move in moves})
            case StockAdjusted(moves=moves):
                for move in moves:
                    on_hand[move.sku] += move.qty if move.src == Place.ADJUSTMENT else -move.qty
            case SaleCompleted(training=False, lines=lines):
                for line in lines:
                    if line.sku not in unstocked:
                        on_hand[line.sku] -= line.qty
    balances: Counter[str] = Counter()
    for sku, place, qty in hub.rows("SELECT sku, place, qty FROM balance"):
        balances[sku] += qty if place in BUCKETS else 0
    assert +balances == +on_hand
    assert -balances == -on_hand


def inv_2_2_below_zero_only_with_a_discrepancy(hub: Hub) -> None:
    opened: set[str] = set()
    for fact in hub.facts(DiscrepancyOpened, DiscrepancyClosed):
        if isinstance(fact.body, DiscrepancyOpened):
            assert fact.subject not in opened
            opened.add(fact.subject)
        else:
            opened.remove(fact.subject)
    assert opened == {sku for (sku,) in hub.rows("SELECT sku FROM discrepancy")}
    below = hub.rows("SELECT sku, place FROM balance WHERE qty < 0 AND place < ?", Place.SUPPLIER)
    assert {place for _, place in below} <= {Place.SELLABLE}
    assert {sku for sku, _ in below} == opened


def inv_3_1_a_cart_completes_once(hub: Hub) -> None:
    ended = Counter(fact.subject for fact in hub.facts(SaleCompleted, CartAbandoned))
    assert set(ended.values()) <= {1}
    numbers = [(_series(fact), fact.body.number, fact.seq) for fact in hub.facts(SaleCompleted, ShiftClosed)]
    assert len({number[:2] for number in numbers}) == len(numbers)
    assert sorted(numbers) == hub.rows("SELECT series, number, seq FROM document ORDER BY 1, 2")


def inv_3_2_tenders_meet_the_payable(hub: Hub) -> None:
    step = hub.policy.cash_rounding
    for sale in _sales(hub):
        assert sale.payable + sale.rounding == sale.tendered - sale.change
        assert sale.change >= 0
        assert (sale.payable + sale.rounding) % step == 0
        assert abs(sale.rounding) * 2 <= step
        assert sale.payable == sum(group.net + group.tax for group in sale.groups)


def inv_3_3_stock_leaves_with_the_sale(hub: Hub) -> None:
    unstocked = {sku for (sku,) in hub.rows("SELECT sku FROM product WHERE open_price")}
    for sale in _sales(hub):
        sold: Counter[str] = Counter()
        for line in sale.lines:
            if line.sku not in unstocked and not sale.training:
                sold[line.sku] += line.qty
        assert {(move.src, move.dst) for move in sale.moves} <= {(Place.SELLABLE, Place.CUSTOMER)}
        assert Counter({move.sku: move.qty for move in sale.moves}) == sold
        assert len(sale.moves) == len(sold)


def inv_4_4_expected_and_closings_are_folds(hub: Hub) -> None:
    fold: _Shift | None = None
    closings = 0
    for fact in hub.facts(ShiftOpened, DrawerMoved, SaleCompleted, CartAbandoned, ShiftClosed):
        if isinstance(fact.body, ShiftOpened):
            assert fold is None
            fold = _Shift(fact.subject, fact.body.float_in)
            continue
        assert fold is not None
        if isinstance(fact.body, ShiftClosed):
            closings += 1
            assert fact.body.number == closings
            assert fact.body.expected == fold.cash
            assert fact.body.totals == fold.totals()
            fold = None
        else:
            fold.take(fact)
    accounts = dict(hub.rows("SELECT account, amount FROM account"))
    taken, float_left = accounts.get(CASH, 0), accounts.get(FLOAT, 0)
    if fold is None:
        assert taken == float_left == 0
    else:
        assert taken + float_left == fold.cash
        assert shift.totals(hub.unit, int(fold.subject[1:])) == fold.totals()


def inv_4_5_grand_total_chains(hub: Hub) -> None:
    grand = 0
    for fact in hub.facts(ShiftClosed):
        assert fact.body.grand_total == grand + fact.body.totals.gross
        assert fact.body.grand_total >= grand
        grand = fact.body.grand_total


def inv_12_1_numbers_run_without_gap(hub: Hub) -> None:
    last: Counter[str] = Counter()
    for fact in hub.facts(SaleCompleted, ShiftClosed):
        last[_series(fact)] += 1
        assert fact.body.number == last[_series(fact)]


CHECKS: tuple[Callable[[Hub], None], ...] = (
    g_2_rebuild,
    g_5_double_entry_stock,
    g_6_double_entry_money,
    g_12_training_leaves_no_mark,
    inv_1_1_lines_and_groups_sum_to_the_document,
    inv_1_2_discounts_stay_within_the_line,
    inv_1_4_lines_keep_their_price,
    inv_2_1_on_hand_is_what_came_less_what_went,
    inv_2_2_below_zero_only_with_a_discrepancy,
    inv_3_1_a_cart_completes_once,
    inv_3_2_tenders_meet_the_payable,
    inv_3_3_stock_leaves_with_the_sale,
    inv_4_4_expected_and_closings_are_folds,
    inv_4_5_grand_total_chains,
    inv_12_1_numbers_run_without_gap,
)


class _Shift:
    """A shift folded from its documents and movements."""

    def __init__(self, subject: str, float_in: int) -> None:
        self.subject = subject
        self.float_in = float_in
        self.cash = float_in
        self.sales: list[SaleCompleted] = []
        self.counts: Counter[str] = Counter()

    def take(self, fact: Fact) -> None:
        match fact.body:
            case SaleCompleted(training=True):
                self.counts["training"] += 1
            case SaleCompleted() as sale:
                self.sales.append(sale)
                self.cash += sale.tendered - sale.change
            case DrawerMoved(kind="no_sale"):
                self.counts["no_sale"] += 1
            case DrawerMoved(kind=kind, amount=amount):
                self.counts[kind] += amount
                self.cash += amount if kind == "pay_in" else -amount
            case CartAbandoned(training=False, total=total):
                self.counts["voids"] += 1
                self.counts["voided"] += total

    def totals(self) -> Totals:
        nets: Counter[tuple[str, int]] = Counter()
        taxes: Counter[tuple[str, int]] = Counter()
        for group in (group for sale in self.sales for group in sale.groups):
            nets[group.category, group.ppm] += group.net
            taxes[group.category, group.ppm] += group.tax
        return Totals(
            documents=len(self.sales),
            gross=sum(sale.payable for sale in self.sales),
            groups=tuple(TaxGroup(*key, nets[key], taxes[key]) for key in sorted(nets)),
            cash_sales=sum(sale.tendered - sale.change for sale in self.sales),
            rounding=sum(sale.rounding for sale in self.sales),
            pay_in=self.counts["pay_in"],
            pay_out=self.counts["pay_out"],
            safe_drop=self.counts["safe_drop"],
            no_sale=self.counts["no_sale"],
            voids=self.counts["voids"],
            voided_amount=self.counts["voided"],
            training=self.counts["training"],
            first=self.sales[0].number if self.sales else 0,
            last=self.sales[-1].number if self.sales else 0,
            float_in=self.float_in,
        )


def _sales(hub: Hub) -> list[SaleCompleted]:
    return [fact.body for fact in hub.facts(SaleCompleted)]


def _series(fact: Fact) -> str:
    if isinstance(fact.body, ShiftClosed):
        return "Z"
    return "T" if fact.body.training else "R"
