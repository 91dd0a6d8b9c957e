"""The tables of the sandbox's README: `python -m tests.sandbox.conformance.coverage` writes them.

Knows the list of operations, the levers, the faults, the features, the packages, and the file. A
test compares, so that no table lags behind what is served.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.sandbox.conformance.operations import ACCOUNTING, IDENTITY, SERVED, Operation
from xero_sandbox.business.traits import FEATURES
from xero_sandbox.control.control import ControlDoor
from xero_sandbox.control.faults import KINDS
from xero_sandbox.wire.id_fields import ID_FIELDS
from xero_sandbox.world import World

README = Path(__file__).resolve().parents[3] / "include" / "xero_sandbox" / "README.md"


def coverage() -> str:
    """A row for every resource: what can be read of it, or why not."""
    operations = [*IDENTITY, *ACCOUNTING]
    groups: dict[tuple[str, str | None], list[str]] = {}
    for each in operations:
        groups.setdefault((each.resource, each.why_not), []).append(_in_words(each))
    rows = ["| path | what of it | served |", "|---|---|---|"]
    for (resource, why_not), words in groups.items():
        served = "yes" if why_not is None else f"no: {why_not}"
        rows.append(f"| `/{resource}` | {', '.join(words)} | {served} |")
    known = len(operations)
    text = f"{len(SERVED) + len(IDENTITY)} of the {known} reading operations that Xero publishes."
    return "\n".join([*rows, "", text])


def _in_words(operation: Operation) -> str:
    if not operation.tail:
        return "report" if operation.resource.startswith("Reports/") else "list"
    last = operation.tail[-1]
    if not last.startswith("{"):
        return last
    by = f"by {last.strip('{}')}"
    return by if len(operation.tail) == 1 else f"{operation.tail[-2]} {by}"


def _explained(name: str, words: Mapping[str, str]) -> str:
    rows = [f"| {name} | what happens |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{key}` | {text} |" for key, text in sorted(words.items()))])


def levers() -> str:
    """A row for every lever of the control door."""
    rows = ["| lever | what it does | fields |", "|---|---|---|"]
    for lever in ControlDoor(World(demo=False)).levers:
        fields = ", ".join(f"`{name}`" for name in lever.takes)
        rows.append(f"| `{lever.method} /_sandbox/{lever.path}` | {lever.does} | {fields} |")
    return "\n".join(rows)


def payloads() -> str:
    """The names of the files of a folder of payloads."""
    names = ", ".join(f"`{name}.json`" for name in sorted(ID_FIELDS))
    return f"Read are {names}, and `Reports/*.json`."


def rooms() -> str:
    """A row for every package, and one for every module beside them: what it says of itself."""
    home = README.parent
    found = [(f"{path.parent.name}/", path) for path in sorted(home.glob("*/__init__.py"))]
    found += [(path.name, path) for path in sorted(home.glob("[!_]*.py"))]
    rows = [f"| `{name}` | {_first_sentence(path)} |" for name, path in found]
    return "\n".join(["| room | what is in it |", "|---|---|", *rows])


def _first_sentence(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(said.partition("\n\n")[0].split())


def with_tables(readme: str) -> str:
    """The text of the README with the tables that it should have."""
    tables = {
        "coverage": coverage(),
        "faults": _explained("kind", KINDS),
        "levers": levers(),
        "features": _explained("feature", FEATURES),
        "payloads": payloads(),
        "rooms": rooms(),
    }
    for name, table in tables.items():
        before, begin, rest = readme.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        readme = f"{before}{begin}{table}\n{end}{after}"
    return readme


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{README}\n")
