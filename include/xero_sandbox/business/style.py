"""How one business words and taxes its lines: tracking, discounts, rare taxes, every script.

Knows which traits change a line, and changes it by the digits of the line's own id, so that no
random stream is disturbed. Must not know amounts, documents or when they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from xero_sandbox.books.countries import Country
from xero_sandbox.books.documents import Contact, TrackingCategory, TrackingOption
from xero_sandbox.books.ids import share_of
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.paper_records import Item
from xero_sandbox.business.habits import DAY
from xero_sandbox.business.names import DESCRIPTIONS

_EXPECTED = 0.2
_ROUNDED = 0.2
_FOR_GOODS = 0.5
_TO_FIVE_CENTS = 0.6
# A third leaves a share of a cent on nearly every line.
_DISCOUNTS = (Decimal("5.00"), Decimal("12.50"), Decimal("33.33"), Decimal("50.00"), Decimal(100))


class Style:
    """The habits of writing of one business; a plain one changes nothing."""

    def __init__(self, land: Country, features: tuple[str, ...]) -> None:
        self._land = land
        self._features = frozenset(features)
        self.categories: list[TrackingCategory] = []

    def line_kind(self, contact: Contact, usual: str) -> str:
        """Return how amounts are written to a contact: some always see prices with tax."""
        if "inclusive" in self._features and share_of(contact.contact_id, 0) < 0.4:
            return "Inclusive"
        return usual

    def tax_type(self, line_id: str, usual: str, *, is_sale: bool) -> str:
        """Return the tax type of a line that would usually have this one."""
        if "mixed_taxes" not in self._features or share_of(line_id, 0) >= 0.15:
            return usual
        rare = self._land.rare_sales_taxes if is_sale else self._land.rare_purchase_taxes
        return rare[int(share_of(line_id, 1) * len(rare))]

    def discount(self, line_id: str, usual: Decimal) -> Decimal:
        """Return the discount of a sales line, a percentage."""
        if "discounts" not in self._features or share_of(line_id, 2) >= 0.3:
            return usual
        return _DISCOUNTS[int(share_of(line_id, 3) ** 2 * len(_DISCOUNTS))]

    def goods(self, line_id: str, items: Iterable[Item]) -> Item | None:
        """Return which of the items with stock an ordered line is for, if it is for goods."""
        if "stock" not in self._features or share_of(line_id, 0) >= _FOR_GOODS:
            return None
        stocked = [item for item in items if item.is_tracked]
        return stocked[int(share_of(line_id, 1) * len(stocked))] if stocked else None

    def description(self, line_id: str, usual: str) -> str:
        """Return the text of a line."""
        if "every_script" not in self._features or share_of(line_id, 3) >= 0.4:
            return usual
        return DESCRIPTIONS[int(share_of(line_id, 4) * len(DESCRIPTIONS))]

    def rounding(self, document_id: str, total: Decimal) -> Decimal:
        """Return what a supplier adds to or leaves off a total that it does not like."""
        if "rounding" not in self._features or share_of(document_id, 3) >= _ROUNDED:
            return ZERO
        unit = Decimal("0.05") if share_of(document_id, 4) < _TO_FIVE_CENTS else Decimal(1)
        return (total / unit).quantize(Decimal(1)) * unit - total

    def expected(self, document_id: str, due: date) -> date | None:
        """Return when the money of an invoice is expected, if somebody wrote that down."""
        if "history" not in self._features or share_of(document_id, 1) >= _EXPECTED:
            return None
        return due + int(share_of(document_id, 2) * 30) * DAY

    def tracking(self, line_id: str) -> tuple[TrackingOption, ...]:
        """Return what a line is tracked by: both categories, one, or none."""
        chosen = []
        for place, category in enumerate(self.categories):
            options = [option for option in category.options if option.status == "ACTIVE"]
            share = share_of(line_id, place)
            if share < 0.75 and options:
                chosen.append(options[int(share / 0.75 * len(options))])
        return tuple(chosen)
