"""Xero's page numbers: `page`, `pageSize` and the `pagination` object.

Knows nothing of what is paged. Follows "Requests and responses" of Xero's accounting API:
100 records unless asked otherwise, sizes outside 1 to 1000 are clamped, never refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from xero_sandbox.api.querying import Query

_T = TypeVar("_T")

DEFAULT_PAGE_SIZE = 100
LARGEST_PAGE_SIZE = 1000


@dataclass(frozen=True)
class Paging:
    """Which page was asked for. `page` counts from 1."""

    page: int
    page_size: int

    def cut(self, records: Sequence[_T]) -> Sequence[_T]:
        """The records of this page; none beyond the last."""
        start = (self.page - 1) * self.page_size
        return records[start : start + self.page_size]

    def pagination(self, item_count: int) -> dict[str, int]:
        """The object of the answer, for a list of `item_count` records."""
        return {
            "page": self.page,
            "pageSize": self.page_size,
            "pageCount": math.ceil(item_count / self.page_size),
            "itemCount": item_count,
        }


def paging_of(
    query: Query,
    *,
    forced: bool = False,
    fixed_size: int | None = None,
    largest: int = LARGEST_PAGE_SIZE,
) -> Paging | None:
    """The page a query asks for, or None when the list is not paged.

    `page` or `pageSize` turn paging on; `forced` pages always; `fixed_size` is for resources
    that take no pageSize; no page is longer than `largest`. Raises QueryParseError when either
    is not a whole number.
    """
    asked_page, asked_size = query.get("page"), query.get("pageSize")
    if fixed_size is not None:
        asked_size = None
    if asked_page is None and asked_size is None and not forced:
        return None
    page = max(1, query.whole("page", 1))
    size = fixed_size or query.whole("pageSize", DEFAULT_PAGE_SIZE)
    return Paging(page, min(max(size, 1), largest))
