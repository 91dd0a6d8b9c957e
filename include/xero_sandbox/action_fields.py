"""How the fields of an action at the control door are read, and refused with a sentence.

Knows texts, amounts, dates, contacts and lines as JSON gives them. Must not know what the actions
do (`actions.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

from xero_sandbox.books import Books, BooksError
from xero_sandbox.documents import Contact, Line, compute_line
from xero_sandbox.ids import new_guid
from xero_sandbox.money import ZERO

_LINE_FIELDS = frozenset(("description", "quantity", "unit_amount", "account_code", "tax_type"))


@dataclass(frozen=True)
class Act:
    """One action under way."""

    books: Books
    fields: Mapping[str, Any]
    at: datetime
    ids: Random

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text field; BooksError when it is missing and has no default."""
        value = self.fields.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise BooksError(f"The field {name} must be a text, got {value!r}.")
        return value

    def amount(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a decimal field; numbers and decimal texts are both fine."""
        return _decimal(name, self.fields.get(name, default))

    def day(self, name: str, default: date) -> date:
        """Return a date field."""
        value = self.fields.get(name)
        if value is None:
            return default
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            message = f"The field {name} must be a date YYYY-MM-DD, got {value!r}."
            raise BooksError(message) from None


def contact_of(act: Act) -> Contact:
    """Return the contact of the field `contact` (id or name), else the first, else a new one."""
    asked = act.text("contact", "")
    for contact in act.books.contacts.values():
        if not asked or asked in (contact.contact_id, contact.name):
            return contact
    if asked:
        raise BooksError(f"There is no contact {asked}.")
    contact = Contact(new_guid(act.ids), "First Customer", act.at, act.at)
    return act.books.add_contact(contact)


def line_kind_of(act: Act, default: str) -> str:
    """Return Exclusive, Inclusive or NoTax."""
    kind = act.text("line_amount_types", default)
    require_one_of("line_amount_types", kind, ("Exclusive", "Inclusive", "NoTax"))
    return kind


def lines_of(act: Act, line_kind: str, default_code: str) -> tuple[Line, ...]:
    """Return the lines of the field `lines`, or one line of the field `amount`."""
    given = act.fields.get("lines")
    if given is None:
        given = [{"unit_amount": act.amount("amount")}]
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise BooksError("The field lines must be a list with at least one line.")
    return tuple(_line(act, line, line_kind=line_kind, default_code=default_code) for line in given)


def _line(act: Act, given: object, *, line_kind: str, default_code: str) -> Line:
    if not isinstance(given, Mapping) or set(given) - _LINE_FIELDS:
        raise BooksError(f"A line is an object of {', '.join(sorted(_LINE_FIELDS))}.")
    account = act.books.account(str(given.get("account_code", default_code)))
    tax_type = str(given.get("tax_type", account.tax_type))
    return compute_line(
        new_guid(act.ids),
        kind=line_kind,
        quantity=_decimal("quantity", given.get("quantity", 1)),
        price=_decimal("unit_amount", given.get("unit_amount")),
        account=account,
        tax_type=act.books.country.no_tax if line_kind == "NoTax" else tax_type,
        tax_rate=act.books.country.rate_of(tax_type) if line_kind != "NoTax" else ZERO,
        description=str(given.get("description", "Something")),
    )


def _decimal(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BooksError(f"The field {name} must be a number, got {value!r}.")
    try:
        # A float comes from JSON; its text is what was sent.
        number = Decimal(str(value))
    except InvalidOperation:
        raise BooksError(f"The field {name} must be a number, got {value!r}.") from None
    if not number.is_finite():
        raise BooksError(f"The field {name} must be a number, got {value!r}.")
    return number


def require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise BooksError, naming what is allowed, unless the value is."""
    if value not in allowed:
        raise BooksError(f"The field {name} must be one of {', '.join(allowed)}, got {value!r}.")
