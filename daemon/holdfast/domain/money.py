"""Money: one balance per account, folded from the posts of any event.

The drawer's cash is `tender:cash` plus `drawer:float`. Opening a shift takes the float from the safe, selling and
pay-ins debit `tender:cash`, pay-outs and safe drops credit it, and closing empties both into the safe and books what
is over or short. So the sum of the two is `expected` while a shift is open, and both are 0 while none is.
"""

from __future__ import annotations

from holdfast.domain.core import Area, Event, Tables
from holdfast.domain.rows import insert
from holdfast_contract.body import Posting
from holdfast_contract.events import TYPES
from holdfast_contract.ledger import CASH, FLOAT, Post

POSTINGS = tuple(body for body in TYPES.values() if issubclass(body, Posting))
"""Every body that can carry moves or posts."""

TABLES = """
CREATE TABLE IF NOT EXISTS account (account TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
"""


def balanced(*posts: Post) -> tuple[Post, ...]:
    """The posts that are not zero. Raises ValueError when they do not sum to zero (G-6)."""
    if sum(post.amount for post in posts):
        raise ValueError(f"posts do not balance: {posts}")
    return tuple(post for post in posts if post.amount)


def drawer(tables: Tables) -> tuple[int, int]:
    """Balances of cash taken and of the float; together what should lie in the drawer."""
    amounts = dict(tables.all("SELECT account, amount FROM account WHERE account IN (?, ?)", CASH, FLOAT))
    return amounts.get(CASH, 0), amounts.get(FLOAT, 0)


def _fold(tables: Tables, _: Event, body: Posting) -> None:
    insert(
        tables, "INSERT INTO account", [(post.account, post.amount) for post in body.posts],
        "ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
    )  # fmt: skip


AREA = Area(name="money", tables=TABLES, projections=dict.fromkeys(POSTINGS, _fold))
