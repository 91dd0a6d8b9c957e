"""What a measurement gives, and how it is written down.

Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import platform
import re
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


def as_section(name: str, figures: Sequence[Figure], *, measured_on: date) -> str:
    """One measurement's part of results.md: when and where it was made, and its table."""
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        f"## {name}",
        "",
        f"On {measured_on}: {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}.",
        "",
        "| what | median | from … to | samples | promise |",
        "|---|---|---|---|---|",
        *(figure.as_row() for figure in figures),
    ]
    return "\n".join(lines) + "\n"


def with_section(page: str, name: str, section: str) -> str:
    """results.md with one section put in the place of the one before, or at the end."""
    head, *others = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    others = [other.rstrip("\n") + "\n" for other in others]
    names = [other.splitlines()[0].removeprefix("## ") for other in others]
    if name in names:
        others[names.index(name)] = section
    else:
        others.append(section)
    return "\n".join([head.rstrip("\n") + "\n", *others])
