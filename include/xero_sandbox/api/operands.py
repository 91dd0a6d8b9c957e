"""The parts that a filter is made of: literals, fields, methods, comparisons.

Knows .NET's types and what can be compared with what, in the words of its refusals. Must not know
grammar or resources. Nothing here raises while a record is read: what cannot be compared is not
equal, null is neither less nor greater.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from xero_sandbox.api.fields import Path, kind_of
from xero_sandbox.errors import QueryParseError

Read = Callable[[Any], object]
"""Reads a value off a record, whatever form the record has."""
Test = Callable[[Any], bool]
"""A condition that a record fulfils or does not."""

EQUALITIES = ("==", "!=")
_Compare = Callable[[Any, Any], bool]
ORDERINGS: dict[str, _Compare] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_CHANGES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}
_ORDERED = frozenset(("DateTime", "Decimal", "String", None))


@dataclass(frozen=True)
class Operand:
    """How a part of a filter is read off a record, and its .NET type; null has none.

    `path` is that of a field which stands for itself.
    """

    read: Read
    kind: str | None = None
    path: Path | None = None


def refusal(problem: str, at: int) -> QueryParseError:
    """The refusal of a filter, in Xero's words, naming the place."""
    return QueryParseError(f"{problem} (at index {at})")


def literal(value: object, kind: str | None) -> Operand:
    """A value that is the same for every record."""
    return Operand(lambda _: value, kind)


def as_test(part: Operand, at: int) -> Test:
    """A part that stands where a condition must. Raises QueryParseError for another type."""
    if part.kind not in (None, "Boolean"):
        raise refusal("Expression of type 'Boolean' expected", at)
    read = part.read
    return lambda record: read(record) is True


def joined(tests: list[Test], join: Callable[[Iterable[bool]], bool]) -> Operand:
    """Conditions joined by `all` or `any`."""
    return Operand(lambda record: join(test(record) for test in tests), "Boolean")


def negated(test: Test) -> Operand:
    """The opposite of a condition."""
    return Operand(lambda record: not test(record), "Boolean")


def compared(left: Operand, sign: str, right: Operand, *, at: int) -> Operand:
    """A comparison. Raises QueryParseError for types that cannot be compared that way."""
    kinds = {left.kind, right.kind}
    is_ordering = sign in ORDERINGS
    if len(kinds - {None}) > 1 or (is_ordering and not kinds <= _ORDERED):
        types = f"'{left.kind or 'Object'}' and '{right.kind or 'Object'}'"
        raise refusal(f"Operator '{sign}' incompatible with operand types {types}", at)
    one, other = left.read, right.read
    if "Guid" in kinds:
        one, other = _in_lower_case(one), _in_lower_case(other)
    if is_ordering:
        test = ORDERINGS[sign]
        return Operand(lambda record: _ordered(test, one(record), other(record)), "Boolean")
    wanted = sign == "=="
    return Operand(lambda record: _equal(one(record), other(record)) is wanted, "Boolean")


def called(owner: Operand, method: str, arguments: list[str], *, at: int) -> Operand:
    """A method of a text. Raises QueryParseError for one that texts do not have."""
    name, read = method.lower(), owner.read
    if owner.kind == "String" and name in _CHANGES and not arguments:
        change = _CHANGES[name]
        return Operand(lambda record: _changed(change, read(record)), "String")
    if owner.kind == "String" and name in _TESTS and len(arguments) == 1:
        test, part = _TESTS[name], arguments[0]
        return Operand(lambda record: _tested(test, read(record), part), "Boolean")
    raise refusal(f"No applicable method '{method}' exists in type '{owner.kind}'", at)


def _equal(one: object, other: object) -> bool:
    if one is None or other is None:
        return one is other
    kind = kind_of(one)
    return kind is not None and kind == kind_of(other) and one == other


def _ordered(test: _Compare, one: object, other: object) -> bool:
    kind = kind_of(one)
    return kind is not None and kind == kind_of(other) and test(one, other)


def _in_lower_case(read: Read) -> Read:
    return lambda record: _changed(str.lower, read(record))


def _changed(change: Callable[[str], str], value: object) -> object:
    return change(value) if isinstance(value, str) else value


def _tested(test: Callable[[str, str], bool], value: object, part: str) -> bool:
    return isinstance(value, str) and test(value, part)
