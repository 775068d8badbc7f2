"""What the journal says of a station: read before every scan, so that a tablet, a supervisor elsewhere or a restart
can change it and the station never works from memory.
"""

from __future__ import annotations

from holdfast.counter.ports import Journal
from holdfast.counter.state import Facts
from holdfast.domain.operator import ROLES

_SQL = """
SELECT coalesce(s.badge, ''), b.role, coalesce(s.training, 0), c.cart,
    (SELECT count(*) FROM cart_line WHERE cart = c.cart AND qty > 0), d.delivery
FROM (SELECT ? AS station) one
LEFT JOIN station s ON s.station = one.station
LEFT JOIN badge b ON b.badge = s.badge AND NOT b.revoked
LEFT JOIN cart c ON c.station = one.station AND NOT c.parked
LEFT JOIN delivery d ON d.station = one.station AND d.state = 'open'
"""


async def read_facts(journal: Journal, station: str) -> Facts:
    """As committed now. Raises sqlite3.Error."""
    badge, role, training, cart, lines, delivery = (await journal.query(_SQL, station))[0]
    return Facts(
        badge=badge,
        role=ROLES.get(role),
        training=bool(training),
        cart=f"c{cart}" if cart else "",
        lines=lines,
        delivery=f"d{delivery}" if delivery else "",
    )
