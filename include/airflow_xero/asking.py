"""How ids, numbers and values are checked and spelled before they become part of an address.

Knows what Xero's ids look like, and what neither an address nor a filter of Xero's can hold. Must
not know HTTP, or who asks for what. Whatever comes in is hostile until it passed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import TypeAlias
from unicodedata import category
from urllib.parse import quote
from uuid import UUID

from airflow_xero.errors import XeroSetupError

Param: TypeAlias = str | int | bool | date | UUID
"""What a parameter of Xero's can be in Python."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_LONGEST_NUMBER = 255
# Unicode's names for control characters, and for halves of characters.
_UNREADABLE = {"Cc", "Cs"}
# Addresses of more than 2,000 characters are refused on the way, here and there.
_LONGEST_LIST = 1500
# Servers take an address apart at these signs, or refuse it, quoted or not.
_NEVER_IN_A_PATH = frozenset("/\\%?#:*&<>")


def is_guid(text: str) -> bool:
    """Whether a text is an id of Xero's, in any case."""
    return _GUID.fullmatch(text) is not None


def guid(value: str | UUID, endpoint: str) -> str:
    """The id of a record. Raises XeroSetupError for what cannot be one."""
    text = str(value).strip()
    if not is_guid(text):
        raise XeroSetupError(
            f"{text[:80]!r} is no id of {endpoint}: one looks like"
            " 297c2dc5-cc47-4afd-8ec8-74990b8761e9"
        )
    return text


def code(value: str | UUID, field: str) -> str:
    """The code of a record that has no id. Raises XeroSetupError for what cannot be one."""
    text = str(value).strip()
    if not _CODE.fullmatch(text):
        raise XeroSetupError(f"{text[:80]!r} is no {field}: one looks like OUTPUT2")
    return text


def number_of(value: object) -> str:
    """The number of a document. Raises XeroSetupError for what cannot be one."""
    if not isinstance(value, str):
        # A list would be looked for as the text that Python makes of it, and be found nowhere.
        raise XeroSetupError(
            f"{value!r:.80} is no number of a document: give each as a text of its own, as in"
            ' numbered("invoices", "INV-1", "INV-2")'
        )
    text = value.strip()
    if not text or len(text) > _LONGEST_NUMBER or set(map(category, text)) & _UNREADABLE:
        raise XeroSetupError(
            f"{text[:80]!r} is no number of a document: one has 1 to {_LONGEST_NUMBER} letters"
        )
    return text


def equals(field: str, number: str) -> str:
    """The filter for one number. Raises XeroSetupError for a number that no filter can hold."""
    # Nothing that escapes a quotation mark in a filter works at Xero on every endpoint.
    if '"' in number or "\\" in number:
        raise XeroSetupError(
            f"Xero cannot look for {number[:80]!r}: no filter can hold a quotation mark or a"
            " backslash; ask for the document by its id"
        )
    return f'{field}=="{number}"'


def is_one_part(number: str) -> bool:
    """Whether a number can stand in a path, and stay one part of it."""
    return number.strip(".") != "" and not _NEVER_IN_A_PATH & set(number)


def groups(texts: list[str]) -> Iterator[list[str]]:
    """The texts in order, so many at a time that an address can hold them as one list."""
    group: list[str] = []
    length = 0
    for text in texts:
        own = len(quote(text, safe="")) + len("%2C")
        if group and length + own > _LONGEST_LIST:
            yield group
            group, length = [], 0
        group.append(text)
        length += own
    if group:
        yield group


def aware(moment: object, name: str) -> datetime:
    """A moment as it is. Raises XeroSetupError for one without a time zone, and for anything else.

    Python would take it for the worker's own time, which is another one on another machine.
    """
    if isinstance(moment, datetime) and moment.utcoffset() is not None:
        return moment
    raise XeroSetupError(
        f"{name} is {moment!r:.80}, which is no moment with a time zone: give one, as in"
        " datetime(2026, 11, 20, 9, tzinfo=UTC)"
    )


def spelled(value: Param) -> str:
    """A parameter in Xero's spelling: `true`, `2026-11-20`.

    A moment is the day that it is where its time zone says, without one the day that it names:
    Xero's reports know days of the organisation alone, and no time of this machine.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
