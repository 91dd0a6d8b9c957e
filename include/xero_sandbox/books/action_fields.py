"""How the fields of an action at the control door are read, and refused with a sentence.

Knows texts, amounts, dates, contacts and lines as JSON gives them. Must not know what the actions
do (`actions.py` and the modules it names).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.books.contacts import Contact
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.lines import Line, TrackingOption, compute_line
from xero_sandbox.books.money import ONE, ZERO
from xero_sandbox.organisation import Record

LINE_FIELDS = frozenset(
    (
        "description",
        "quantity",
        "unit_amount",
        "account_code",
        "tax_type",
        "item_code",
        "discount_rate",
        "tracking",
    )
)
ID = frozenset(("id",))
AMOUNTS = frozenset(("amount", "lines", "line_amount_types"))
# Dates beyond these are typing errors; far beyond them there is no day after.
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class Act:
    """One action under way; `newcomers` are contacts to be added once it has succeeded."""

    books: Books
    fields: Mapping[str, Any]
    at: datetime
    ids: Random
    newcomers: list[Contact] = field(default_factory=list)

    def new_id(self) -> str:
        """Return a new GUID that follows from the seed."""
        return new_guid(self.ids)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text field; BooksError when it is missing and has no default."""
        value = self.fields.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise BooksError(f"The field {name} must be a text, got {value!r}.")
        return value

    def told(self, name: str) -> str | None:
        """Return a text field, None when it was not given."""
        return self.text(name, "") if name in self.fields else None

    def amount(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a decimal field; numbers and decimal texts are both fine."""
        return decimal_of(name, self.fields.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """Return a field that is a whole number."""
        value: object = self.fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1000:
            raise BooksError(f"The field {name} must be a whole number, got {value!r}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return a field that is true or false."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise BooksError(f"The field {name} must be true or false, got {value!r}.")
        return value

    def day(self, name: str, default: date) -> date:
        """Return a date field."""
        return self.told_day(name) or default

    def told_day(self, name: str) -> date | None:
        """Return a date field, None when it was not given."""
        value = self.fields.get(name)
        if value is None:
            return None
        try:
            told = date.fromisoformat(str(value))
        except ValueError:
            message = f"The field {name} must be a date YYYY-MM-DD, got {value!r}."
            raise BooksError(message) from None
        if not _FIRST_YEAR <= told.year <= _LAST_YEAR:
            message = f"The field {name} must lie in {_FIRST_YEAR} to {_LAST_YEAR}, got {value!r}."
            raise BooksError(message)
        return told

    def account(self, name: str = "account_code", default: str = "090") -> Account:
        """Return the account whose code a field gives."""
        return self.books.account(self.text(name, default))

    def rows(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return a field that is a list of objects, with at least one."""
        value = self.fields.get(name)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            raise BooksError(f"The field {name} must be a list with at least one object.")
        for row in value:
            if not isinstance(row, Mapping):
                raise BooksError(f"The field {name} must be a list of objects, got {row!r}.")
        return value

    def amounts(self, name: str) -> dict[str, Decimal]:
        """Return a field that is an object of amounts."""
        value = self.fields.get(name)
        if not isinstance(value, Mapping) or not value:
            raise BooksError(f"The field {name} must be an object of amounts, got {value!r}.")
        return {str(key): decimal_of(f"{name}.{key}", amount) for key, amount in value.items()}


# What an action changed: a resource and the id of its record, or what to answer instead.
Changed = tuple[str, str] | Record
Deed = tuple[Callable[[Act], Changed], frozenset[str]]


def contact_of(act: Act, name: str = "contact") -> Contact:
    """Return the contact that a field names by id or name; else the first, else a new one."""
    asked = act.text(name, "")
    for contact in act.books.contacts.values():
        if not asked or asked in (contact.contact_id, contact.name):
            return contact
    if asked:
        raise BooksError(f"There is no contact {asked}.")
    contact = Contact(act.new_id(), "First Customer", act.at, act.at)
    act.newcomers.append(contact)
    return contact


def currency_of(act: Act, default: str) -> tuple[str, Decimal]:
    """Return currency and rate; the rate of a foreign one must be given."""
    currency = act.text("currency", default)
    require_one_of("currency", currency, act.books.currencies)
    return currency, ONE if currency == act.books.base_currency else act.amount("rate")


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


def new_lines_of(act: Act, line_kind: str, default_code: str) -> tuple[Line, ...] | None:
    """Return the lines of an edit, None when neither `lines` nor `amount` was given."""
    has_lines = "lines" in act.fields or "amount" in act.fields
    return lines_of(act, line_kind, default_code) if has_lines else None


def _line(act: Act, given: object, *, line_kind: str, default_code: str) -> Line:
    if not isinstance(given, Mapping) or set(given) - LINE_FIELDS:
        raise BooksError(f"A line is an object of {', '.join(sorted(LINE_FIELDS))}.")
    account = act.books.account(str(given.get("account_code", default_code)))
    tax_type = str(given.get("tax_type", account.tax_type))
    discount_rate = decimal_of("discount_rate", given.get("discount_rate", ZERO))
    if not 0 <= discount_rate <= 100:
        raise BooksError(f"A discount rate is 0 to 100, not {discount_rate}.")
    return compute_line(
        act.new_id(),
        kind=line_kind,
        quantity=decimal_of("quantity", given.get("quantity", 1)),
        price=decimal_of("unit_amount", given.get("unit_amount")),
        account=account,
        tax_type=act.books.country.no_tax if line_kind == "NoTax" else tax_type,
        tax_rate=act.books.country.rate_of(tax_type) if line_kind != "NoTax" else ZERO,
        description=str(given.get("description", "Something")),
        item_code=str(given.get("item_code", "")),
        discount_rate=discount_rate,
        tracking=tracking_of(act, given.get("tracking", ())),
    )


def tracking_of(act: Act, given: object) -> tuple[TrackingOption, ...]:
    """Return the options that a list names, by id or name."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BooksError(f"Tracking is a list of options, got {given!r}.")
    return tuple(option_of(act.books, str(name)) for name in given)


def option_of(books: Books, name: str) -> TrackingOption:
    """Return the tracking option of an id or a name; BooksError when there is none."""
    for category in books.tracking_categories.values():
        for option in category.options:
            if name in (option.option_id, option.name):
                return option
    raise BooksError(f"There is no tracking option {name}.")


def decimal_of(name: str, value: object) -> Decimal:
    """Return a value as a decimal; BooksError, naming it, when it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BooksError(f"The field {name} must be a number, got {value!r}.")
    try:
        # A float comes from JSON; its text is what was sent.
        number = Decimal(str(value))
    except InvalidOperation:
        raise BooksError(f"The field {name} must be a number, got {value!r}.") from None
    if not number.is_finite() or abs(number) >= _TOO_MUCH:
        raise BooksError(f"The field {name} must be a number, got {value!r}.")
    return number


# Far less than what twenty-eight digits hold, also multiplied and divided by the smallest rate.
_TOO_MUCH = Decimal(10) ** 9


def require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise BooksError, naming what is allowed, unless the value is."""
    if value not in allowed:
        raise BooksError(f"The field {name} must be one of {', '.join(allowed)}, got {value!r}.")
