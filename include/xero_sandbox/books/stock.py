"""Tracked inventory at average cost: what sales take from stock, and what that costs.

Knows how quantities and cost of the tracked items move with the lines of documents and money.
Must not know dates, JSON or the other postings of a document.

Buying is posted by the document's own line, on the inventory account; selling posts the cost of
goods sold besides, in the document's journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from xero_sandbox.books.documents import Line
from xero_sandbox.books.ledger import Posting
from xero_sandbox.books.money import ZERO, cents
from xero_sandbox.books.paper_records import Item
from xero_sandbox.books.refusals import BooksError

# Sales take goods at average cost (-1) or bring them back (+1); purchases move them at the cost
# that the document says.
_AT_AVERAGE = {"ACCREC": -1, "RECEIVE": -1, "ACCRECCREDIT": 1}
_AT_COST = {"ACCPAY": 1, "SPEND": 1, "ACCPAYCREDIT": -1}


@dataclass(frozen=True, slots=True)
class _Move:
    """Goods into stock, or out of it (negative), and their cost."""

    item: Item
    quantity: Decimal
    cost: Decimal


class Stock:
    """The tracked items of one organisation, and what moved them.

    `items` by code; `show` is told each item that changed.
    """

    def __init__(self, items: Mapping[str, Item], show: Callable[[Item], None]) -> None:
        self._items = items
        self._show = show
        self._moves: dict[str, tuple[_Move, ...]] = {}

    def concerns(self, source_id: str, lines: Sequence[Line]) -> bool:
        """Whether `source_id` moved goods before, or its lines do."""
        return source_id in self._moves or any(self._tracked(line) is not None for line in lines)

    def restate(
        self, source_id: str, kind: str, *, lines: Sequence[Line], nets: Sequence[Decimal]
    ) -> list[Posting]:
        """Let `source_id` move what its lines say, in place of what it moved before.

        `nets` are those of the lines in base currency. Returns the postings of the cost of goods
        sold. Raises BooksError, and leaves everything as it was, when there is not that much in
        stock. Without lines it only takes back what was moved.
        """
        tracked = [
            (line, net, item)
            for line, net in zip(lines, nets, strict=True)
            if (item := self._tracked(line)) is not None
        ]
        undone = self._moves.get(source_id, ())
        items = [move.item for move in undone] + [item for _, _, item in tracked]
        before = [(item, item.quantity, item.cost_pool) for item in items]
        postings: list[Posting] = []
        moves: list[_Move] = []
        try:
            for move in undone:
                _apply(move, -1)
            for line, net, item in tracked:
                move = _move_of(line, net, item=item, kind=kind)
                _apply(move, 1)
                moves.append(move)
                if kind in _AT_AVERAGE:
                    postings += _cost_postings(line, move)
            for item in items:
                _require_possible(item)
        except Exception:
            for item, quantity, cost_pool in reversed(before):
                item.quantity, item.cost_pool = quantity, cost_pool
            raise
        self._moves[source_id] = tuple(moves)
        for item in items:
            self._show(item)
        return postings

    def _tracked(self, line: Line) -> Item | None:
        item = self._items.get(line.item_code) if line.item_code else None
        return item if item is not None and item.is_tracked else None


def _apply(move: _Move, sign: int) -> None:
    move.item.quantity += sign * move.quantity
    move.item.cost_pool += sign * move.cost


def _move_of(line: Line, net: Decimal, *, item: Item, kind: str) -> _Move:
    if kind in _AT_COST:
        stock_account = item.inventory_account
        if stock_account is None or line.account.account_id != stock_account.account_id:
            raise BooksError(f"{item.code} is bought on its inventory account.")
        sign = _AT_COST[kind]
        return _Move(item, sign * line.quantity, sign * net)
    if kind not in _AT_AVERAGE:
        raise BooksError(
            f"{item.code} has stock: "
            "goods move with invoices, bills, credit notes and direct money."
        )
    sign = _AT_AVERAGE[kind]
    if sign < 0 and line.quantity > item.quantity:
        raise BooksError(f"There are only {item.quantity.normalize():f} of {item.code} in stock.")
    return _Move(item, sign * line.quantity, sign * _average_cost(item, line.quantity))


def _average_cost(item: Item, quantity: Decimal) -> Decimal:
    """What `quantity` of an item costs; the last ones take what is left of the pool."""
    if quantity == item.quantity:
        return item.cost_pool
    if not item.quantity:
        return cents(quantity * (item.purchase_price or ZERO))
    return cents(item.cost_pool * quantity / item.quantity)


def _cost_postings(line: Line, move: _Move) -> list[Posting]:
    item = move.item
    if item.purchase_account is None or item.inventory_account is None:
        raise BooksError(f"{item.code} has no account for the cost of goods sold.")
    sides = ((item.purchase_account, -move.cost), (item.inventory_account, move.cost))
    return [
        Posting(account.account_id, amount, description=line.description, tracking=line.tracking)
        for account, amount in sides
    ]


def _require_possible(item: Item) -> None:
    is_empty = not item.quantity
    if item.quantity < 0 or item.cost_pool < 0 or (is_empty and item.cost_pool):
        raise BooksError(f"The stock of {item.code} cannot have been what this would make it.")
