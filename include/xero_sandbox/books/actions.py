"""What can be done to the records of a company through the control door.

Knows how an action is found by its name and how its fields are checked; the actions, with the
fields they take, are listed at the head of `action_contacts.py`, `action_documents.py`,
`action_money.py`, `action_journals.py`, `action_papers.py` and `action_settings.py`. Must not know
HTTP, clocks, or what a change posts (`books.py`). Every action is a function of its fields, the
books, the moment and a random stream, so that it can be repeated.

Records are named by `id`, accounts by code, amounts are numbers or decimal texts, dates
`YYYY-MM-DD` (today when left out). A `?` marks a field that may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from random import Random

from xero_sandbox.books import (
    action_contacts,
    action_documents,
    action_journals,
    action_money,
    action_papers,
    action_settings,
)
from xero_sandbox.books.action_fields import Act, Deed
from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.organisation import Record

_DEEDS: Mapping[str, Deed] = {
    **action_contacts.DEEDS,
    **action_documents.DEEDS,
    **action_money.DEEDS,
    **action_journals.DEEDS,
    **action_papers.DEEDS,
    **action_settings.DEEDS,
}
# The fields that each action takes, by its name.
ACTIONS: Mapping[str, frozenset[str]] = {name: fields for name, (_, fields) in _DEEDS.items()}


def perform(
    action: str, fields: Mapping[str, object], *, books: Books, at: datetime, ids: Random
) -> Record:
    """Do `action` at the moment `at`, new ids from `ids`; returns the changed record.

    Raises BooksError (a ValueError), with a sentence for a person, for an unknown action or
    field, and for what Xero would refuse.
    """
    known = _DEEDS.get(action)
    if known is None:
        raise BooksError(f"Unknown action {action}; known: {', '.join(sorted(_DEEDS))}.")
    deed, allowed = known
    unknown = sorted(set(fields) - allowed)
    if unknown:
        raise BooksError(
            f"{action} takes no {', '.join(unknown)}; it takes {', '.join(sorted(allowed))}."
        )
    act = Act(books, fields, at, ids)
    changed = deed(act)
    for contact in act.newcomers:
        books.add_contact(contact)
    if isinstance(changed, dict):
        return changed
    resource, record_id = changed
    entry = books.shelves[resource].get(record_id)
    if entry is None:
        raise BooksError(f"{action} left no record.")
    return entry.body()
