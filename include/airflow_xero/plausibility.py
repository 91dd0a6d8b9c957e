"""What cannot be true of a page: records that lack their id, lists that empty or lose half.

Knows what a page must hold and how many records may vanish at once, from counts that others made.
Must not know SQL, how a page is stored, or how it was fetched.
"""

from __future__ import annotations

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.errors import VanishedError
from airflow_xero.page import Page
from airflow_xero.progress import Walk

# A list that loses more than half of its records at once, and more than a handful, is an alarm; so
# is one that loses all of them.
_HANDFUL = 5
# Read one at a time, so that an answer without a record is a fault.
_SINGLE = (Reading.REPORT, Reading.DETAILS)


def refuse_malformed(page: Page, *, kind: str | None, is_faulty: bool, records: int) -> None:
    """Raise UnexpectedPayloadError where a page does not hold what its endpoint gives.

    `kind` is the JSON type of its list, None where that is missing; `is_faulty` tells whether a
    record lacks what it must have; `records` is how many there are.
    """
    endpoint = page.endpoint
    if kind != "array":
        raise page.unexpected(f"{endpoint.array_key} is {kind or 'missing'}, no array")
    if is_faulty:
        required = "Rows" if endpoint.reading is Reading.REPORT else endpoint.id_field
        raise page.unexpected(f"a record lacks {required}")
    if endpoint.reading in _SINGLE and records != 1:
        raise page.unexpected(f"it holds {records} records")


def is_all_there_is(page: Page, walk: Walk | None) -> bool:
    """Whether an empty page would say that there is none of these documents, changed or not."""
    if page.endpoint.reading is not Reading.CHANGES or page.number > 1:
        return False
    return walk is not None and walk.modified_since is None


def refuse_emptied(page: Page, *, tenant_id: str, held: int) -> None:
    """Raise UnexpectedPayloadError for an empty page where `held` records were known."""
    if held > 0:
        raise page.unexpected(
            "it is empty, although there were records yesterday (if they were deleted, run the"
            f" day again {_agreement(tenant_id)})"
        )


def refuse_vanishing(
    endpoint: Endpoint, deleted: int, *, tenant_id: str, held: int, listed: int
) -> None:
    """Raise VanishedError when far too many of the `held` records would go.

    `deleted` is how many would, `listed` how many Xero gave.
    """
    is_few = deleted <= _HANDFUL or deleted * 2 <= held
    has_emptied = deleted > 0 and listed == 0
    if is_few and not has_emptied:
        return
    raise VanishedError(
        f"Xero lists {held - deleted} of {held} records: the others are kept, because so many "
        "at once are rather a fault; if they were deleted, run the day again "
        f"{_agreement(tenant_id)}",
        tenant_id=tenant_id,
        endpoint=endpoint.name,
    )


def _agreement(tenant_id: str) -> str:
    return f'with the configuration {{"accept_deletions": ["{tenant_id}"]}}'
