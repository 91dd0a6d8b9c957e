"""Which pages of a list to ask for next, and which answer cannot belong to the same walk.

Knows how Xero orders and counts pages. Must not know HTTP, threads, or what a record means.
"""

from __future__ import annotations

from airflow_xero.page import Page

PAGES_AT_A_TIME = 4
"""Of the five calls that Xero allows at a time, one is left to others."""
# Lists that do not say how long they are come by the hundred.
_RECORDS_OF_FULL_PAGE = 100


def refuse_misplaced(previous: Page | None, page: Page) -> None:
    """Raise UnexpectedPayloadError for a page that cannot follow `previous`, None at the first."""
    _refuse_repetition(previous, page)
    _refuse_shrinking(previous, page)


def pages_to_ask_for(page: Page) -> range:
    """The numbers of the pages that may be fetched once `page` has come."""
    following = page.number + 1
    if page.is_last:
        return range(0)
    if page.page_count is None or page.page_count == following:
        return range(following, following + 1)
    # Whoever edits a record moves it to the end of the list, and all behind it up by one: the
    # last page must be read after the others to show it.
    return range(following, min(page.number + PAGES_AT_A_TIME, page.page_count - 1) + 1)


def is_doubtful_end(previous: Page, page: Page) -> bool:
    """Whether `page` should be asked for once more: an empty end right after a full page.

    Only of lists that do not say how long they are: there an empty page is all that ends them.
    """
    is_empty_end = page.is_last and page.page_count is None
    return is_empty_end and len(previous.records()) >= _RECORDS_OF_FULL_PAGE


def has_shrunk(page: Page, *, before: int) -> bool:
    """Whether a list that went on to page `before` when its walk was cut short ends earlier now.

    `page` is the one before it, read once more.
    """
    return page.is_last if page.page_count is None else page.page_count < before


def _refuse_repetition(previous: Page | None, page: Page) -> None:
    # Seen at Xero: page ignored, every record on every page, and so a walk without an end.
    if previous is None or page.page_count is not None or page.is_last:
        return
    # Only the records count: what stands around them may differ from page to page.
    if previous.records() == page.records():
        raise page.unexpected(f"it repeats page {previous.number}")


def _refuse_shrinking(previous: Page | None, page: Page) -> None:
    # A list that ends before a page it just had is no end; nor is one that is empty of a sudden,
    # though the walk goes on where an earlier one stopped.
    if page.page_count is None or page.page_count >= page.number or page.number == 1:
        return
    if previous is not None or page.page_count == 0:
        raise page.unexpected(f"the list has {page.page_count} pages of a sudden")
