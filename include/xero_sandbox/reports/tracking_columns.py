"""The columns of a profit and loss by tracking: an option each, what has none, and all of it.

Knows which combinations of options there are and what was posted with each. Must not know
layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from math import prod

from xero_sandbox.books.documents import TrackingCategory, TrackingOption
from xero_sandbox.books.ledger import Ledger
from xero_sandbox.books.money import ZERO
from xero_sandbox.errors import ValidationError
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.figures import Amounts, added

_MOST_COLUMNS = 1_000
_UNASSIGNED = "Unassigned"
_Combination = tuple[TrackingOption | None, ...]


@dataclass(frozen=True)
class Tracking:
    """The categories that columns are made of, and the options that narrow some of them."""

    categories: Sequence[TrackingCategory]
    options: Sequence[TrackingOption]

    @property
    def is_one_column(self) -> bool:
        """Whether nothing is spread over columns: every category is narrowed to one option."""
        return len(self.categories) == len(self.options)


def tracking_of(asked: Asked) -> Tracking:
    """Return the tracking that a profit and loss is asked with.

    Raises ValidationError for an option without its category, and for a category twice.
    """
    categories, options = [], []
    for number, suffix in ((1, ""), (2, "2")):
        category = asked.category(f"trackingCategoryID{suffix}")
        option = asked.option(f"trackingOptionID{suffix}")
        if option is not None and category is not option.category:
            raise ValidationError(
                f"TrackingCategoryID{number} must be provided if a TrackingOptionID{number} "
                "is provided."
            )
        if category in categories:
            raise ValidationError("TrackingCategoryID2 must differ from TrackingCategoryID1.")
        categories += [category] if category else []
        options += [option] if option else []
    return Tracking(categories, options)


def tracked_columns(
    asked: Asked, tracking: Tracking, *, span: tuple[date, date]
) -> list[tuple[str, Amounts]]:
    """Return heading and amounts of each column within `span`: one an option (or combination).

    A column of what has no option (Unassigned) and the Total follow, unless a category is
    narrowed to one option. An archived option has a column while something was posted with it.
    Raises ValidationError beyond 1,000 columns.
    """
    categories = tracking.categories
    posted = _by_combination(asked.ledger, categories, span)
    total = asked.figures().movement(*span)
    # What no line was tracked with: revaluation, and whatever carries no option.
    nothing: _Combination = tuple(None for _ in categories)
    tracked = added(amounts for key, amounts in posted.items() if key != nothing)
    posted[nothing] = added((total, {key: -amount for key, amount in tracked.items()}))
    choices = [
        _choices(category, tracking.options, {combination[at] for combination in posted})
        for at, category in enumerate(categories)
    ]
    if prod(len(each) for each in choices) > _MOST_COLUMNS:
        raise ValidationError(f"The report has more than {_MOST_COLUMNS} tracking columns.")
    columns = [(_heading(key), posted.get(key, {})) for key in product(*choices)]
    return columns if tracking.options else [*columns, ("Total", total)]


def _choices(
    category: TrackingCategory,
    options: Sequence[TrackingOption],
    used: set[TrackingOption | None],
) -> list[TrackingOption | None]:
    narrowed: list[TrackingOption | None] = [o for o in options if o.category is category]
    if narrowed:
        return narrowed
    shown = [each for each in category.options if each.status == "ACTIVE" or each in used]
    return [*sorted(shown, key=lambda option: option.name.casefold()), None]


def _by_combination(
    ledger: Ledger, categories: Sequence[TrackingCategory], span: tuple[date, date]
) -> dict[_Combination, Amounts]:
    """What was posted within a span, by the option of each category."""
    first, last = span
    found: dict[_Combination, Amounts] = {}
    for journal in ledger.journals:
        if not first <= journal.on <= last:
            continue
        for posting in journal.postings:
            by_category = {option.category.category_id: option for option in posting.tracking}
            key = tuple(by_category.get(category.category_id) for category in categories)
            amounts = found.setdefault(key, {})
            amounts[posting.account_id] = amounts.get(posting.account_id, ZERO) + posting.amount
    return found


def _heading(combination: _Combination) -> str:
    return ", ".join(option.name if option else _UNASSIGNED for option in combination)
