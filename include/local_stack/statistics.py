"""The table that ends `make run`: the last day's statistics of every organisation.

Reads xero_marts.rpt_daily_statistics as a BI tool would. Knows that mart's columns and nothing
else of the warehouse.
"""

from __future__ import annotations

from local_stack.databases import Warehouse
from local_stack.progress import Progress


def print_statistics(warehouse: Warehouse, progress: Progress) -> None:
    """Print the last day of every organisation, or say that there is none yet."""
