"""What things cost, in which currency and with which tax: the lines that a business writes.

Knows price lists, rates and tax types. Must not know documents, when or why a line is written, nor
the ledger.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.books import Books
from xero_sandbox.books.documents import Line, compute_line
from xero_sandbox.books.ids import new_guid, share_of
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ONE, ZERO, places
from xero_sandbox.books.paper_records import Item
from xero_sandbox.books.rates import rate_on
from xero_sandbox.business.names import Product
from xero_sandbox.business.style import Style
from xero_sandbox.business.traits import Traits

# What is sold was bought for about this share of its price.
_COST = Decimal("0.55")


class Pricing:
    """The price lists of one business, and how it writes a line."""

    def __init__(
        self,
        books: Books,
        products: tuple[Product, ...],
        *,
        seed: str,
        first_day: date,
        traits: Traits,
    ) -> None:
        self._books = books
        self._land = books.country
        self._seed = seed
        self._extra_lines = traits.extra_lines
        self.style = Style(books.country, traits.features)
        self.products = products
        # Price lists are in US dollars; each currency's list was fixed on the first day.
        self._levels = {
            currency: rate_on(first_day, base="USD", currency=currency, seed=seed)
            for currency in books.currencies
        }

    def items(self, at: datetime, *, random: Random) -> list[Item]:
        """Write down the products that have a code; nobody counts how many there are."""
        land, level = self._land, self._levels[self._books.base_currency]
        return [
            Item(
                item_id=new_guid(random),
                code=product.item_code,
                name=product.description.split("\r\n")[0],
                updated_at=at,
                description=product.description,
                sale_price=places(product.price * level, 4),
                sale_account=self._books.account(product.account_code),
                sale_tax_type=land.sales_tax,
                purchase_price=places(product.price * level * _COST, 4),
                purchase_account=self._books.account("310"),
                purchase_tax_type=land.purchase_tax,
            )
            for product in self.products
            if product.item_code
        ]

    def rate(self, on: date, currency: str) -> Decimal:
        """Return the rate of a day, 1 for the base currency."""
        if currency == self._books.base_currency:
            return ONE
        return rate_on(on, base=self._books.base_currency, currency=currency, seed=self._seed)

    def line(
        self, product: Product, line_kind: str, *, currency: str, is_sale: bool, random: Random
    ) -> Line:
        """Write one line; `is_sale` when it is one of an invoice, offer or template of them."""
        account = self._books.account(product.account_code)
        price = product.price * self._levels[currency]
        price *= Decimal(random.randrange(90, 116)) / 100
        quantity = Decimal(random.choice((1, 1, 1, 2, 3, 5, 10, 12)) if is_sale else 1)
        if product.has_small_parts:
            quantity *= Decimal("7.25")
        line_id = new_guid(random)
        discount = Decimal("10.00") if is_sale and random.random() < 0.05 else ZERO
        tax_type = self._tax_type(line_id, account, line_kind, currency=currency, is_sale=is_sale)
        return compute_line(
            line_id,
            kind=line_kind,
            quantity=quantity,
            price=places(price, 4 if product.has_small_parts else 2),
            account=account,
            tax_type=tax_type,
            tax_rate=self._land.rate_of(tax_type),
            description=self.style.description(line_id, product.description),
            item_code=product.item_code if is_sale else "",
            discount_rate=self.style.discount(line_id, discount) if is_sale else ZERO,
            tracking=self.style.tracking(line_id),
        )

    def ordered(self, line: Line, line_kind: str, *, currency: str) -> Line:
        """Write a line of a bill as one of an order: perhaps for goods in stock, or discounted."""
        is_foreign = currency != self._books.base_currency
        item = None if is_foreign else self.style.goods(line.line_id, self._books.items.values())
        discount = self.style.discount(line.line_id, ZERO)
        if item is None and not discount:
            return line
        if item is not None and item.inventory_account is not None:
            line = replace(
                line,
                description=item.purchase_description,
                quantity=Decimal(10 + int(share_of(line.line_id, 4) * 30)),
                price=item.purchase_price or ONE,
                account=item.inventory_account,
                tax_type=self._land.no_tax if line_kind == "NoTax" else item.purchase_tax_type,
                item_code=item.code,
            )
        return compute_line(
            line.line_id,
            kind=line_kind,
            quantity=line.quantity,
            price=line.price,
            account=line.account,
            tax_type=line.tax_type,
            tax_rate=self._land.rate_of(line.tax_type),
            description=line.description,
            item_code=line.item_code,
            discount_rate=discount,
            tracking=line.tracking,
        )

    def _tax_type(
        self, line_id: str, account: Account, line_kind: str, *, currency: str, is_sale: bool
    ) -> str:
        if line_kind == "NoTax":
            return self._land.no_tax
        if currency != self._books.base_currency:
            return self._land.export_tax if is_sale else self._land.no_tax
        return self.style.tax_type(line_id, account.tax_type, is_sale=is_sale)
