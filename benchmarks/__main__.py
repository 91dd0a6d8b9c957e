"""`make bench`: measures, prints the figures and writes them to results.md.

`python -m benchmarks loading sandbox` measures only these, and writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import loading, sandbox, whole
from benchmarks.figures import Figure, as_page

RESULTS = Path(__file__).with_name("results.md")
MEASUREMENTS: Mapping[str, Callable[[int], list[Figure]]] = {
    "loading": loading.measure,
    "sandbox": sandbox.measure,
    "whole": whole.measure,
}


def main() -> None:
    """Measure what was asked for, everything by default."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], metavar="NAME")
    parser.add_argument("--samples", type=int, default=3, help="how often each is measured")
    chosen = parser.parse_args()
    figures = []
    for name in chosen.names or MEASUREMENTS:
        print(f"measuring {name} …", flush=True)
        figures += MEASUREMENTS[name](chosen.samples)
    page = as_page(figures, measured_on=datetime.now(UTC).date())
    print(page)
    if not chosen.names:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
