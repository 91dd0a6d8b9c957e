"""What a measurement gives, and how it is written down.

Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psutil


@dataclass(frozen=True)
class Figure:
    """One measured thing: every sample in `unit`, and what was promised, if anything was."""

    name: str
    unit: str
    samples: tuple[float, ...]
    promise: str = ""

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    def as_row(self) -> str:
        """A row of the table in results.md."""
        spread = f"{_short(min(self.samples))} to {_short(max(self.samples))}"
        return (
            f"| {self.name} | {_short(self.median)} {self.unit} | {spread} "
            f"| {len(self.samples)} | {self.promise} |"
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def as_page(figures: Sequence[Figure], *, measured_on: date) -> str:
    """The whole of results.md."""
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        "# Results",
        "",
        f"`make bench` on {measured_on}: {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}.",
        "",
        "| what | median | from … to | samples | promise |",
        "|---|---|---|---|---|",
        *(figure.as_row() for figure in figures),
    ]
    return "\n".join(lines) + "\n"
