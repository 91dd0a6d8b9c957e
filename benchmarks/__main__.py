"""`make bench`: measures, prints the figures and keeps them in results.md, a section each.

`python -m benchmarks loading sandbox` measures only these; without `--keep` it writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import extracting, loading, many_tenants, page, sandbox, whole
from benchmarks.figures import Figure, as_section, with_section

RESULTS = Path(__file__).with_name("results.md")
MEASUREMENTS: Mapping[str, Callable[[int], list[Figure]]] = {
    "loading": loading.measure,
    "extracting": extracting.measure,
    "sandbox": sandbox.measure,
    "whole": whole.measure,
    "page": page.measure,
    "many_tenants": many_tenants.measure,
}
# Takes half an hour, so that it is measured when it is asked for.
_ONLY_BY_NAME = ("many_tenants",)


def main() -> None:
    """Measure what was asked for, nearly everything by default."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], metavar="NAME")
    parser.add_argument("--samples", type=int, default=3, help="how often each is measured")
    parser.add_argument("--keep", action="store_true", help="write the figures to results.md")
    chosen = parser.parse_args()
    usual = [name for name in MEASUREMENTS if name not in _ONLY_BY_NAME]
    for name in chosen.names or usual:
        print(f"measuring {name} …", flush=True)
        figures = MEASUREMENTS[name](chosen.samples)
        section = as_section(name, figures, measured_on=datetime.now(UTC).date())
        print(section, flush=True)
        if chosen.keep:
            results = RESULTS.read_text(encoding="utf-8")
            RESULTS.write_text(with_section(results, name, section), encoding="utf-8")


if __name__ == "__main__":
    main()
