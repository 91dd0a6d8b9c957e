"""`where`: the filter language of Xero's lists, compiled to a test of one record.

Knows the grammar, a small part of .NET's Dynamic LINQ. Must not know resources or HTTP; which
names there are says `properties.py`.
Follows "Filtering" of Xero's "Requests and responses":

    either     = both { ("OR" | "||") both }
    both       = negation { ("AND" | "&&") negation }
    negation   = ("NOT" | "!") negation | comparison
    comparison = operand [ ("==" | "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") operand ]
    operand    = "(" either ")" | text | ["-"] number | "true" | "false" | "null"
               | "Guid" "(" text ")" | "DateTime" "(" number { "," number } ")"
               | name { "." name } { "." method "(" [ text ] ")" }

Names and words are read in any case; a quote inside a text is doubled, or follows a backslash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from xero_sandbox.api.fields import Path, reader_of
from xero_sandbox.api.lexing import Token, guid_in, moment_in, tokens_of, unquoted
from xero_sandbox.api.operands import (
    EQUALITIES,
    ORDERINGS,
    Operand,
    Read,
    Test,
    as_test,
    called,
    compared,
    joined,
    literal,
    negated,
    refusal,
)
from xero_sandbox.api.properties import kind_in

_DEEPEST = 50
_JOINTS = ("and", "or", "not")
_CONSTANTS = {
    "true": literal(True, "Boolean"),
    "false": literal(False, "Boolean"),
    "null": literal(None, None),
}


@dataclass(frozen=True)
class Use:
    """A field, and the sign it is compared with; a method's field has the sign `()`."""

    path: Path
    sign: str


@dataclass(frozen=True)
class Where:
    """A compiled filter.

    `matches` tells whether a record is wanted, and never raises. `uses`: the fields it reads.
    `is_simple`: nothing but comparisons joined by AND.
    """

    matches: Test
    uses: tuple[Use, ...]
    is_simple: bool


def parse_where(text: str, owner: str, *, reader: Callable[[Path], Read] = reader_of) -> Where:
    """Compile a filter of records of the type `owner` (`Invoice`).

    `reader` gives the function that reads a field; by default, off a spelled record. Raises
    QueryParseError, naming the place, for a filter that cannot be read, names a property that
    there is not, or compares what cannot be compared.
    """
    return _Parser(text, owner, reader).whole()


class _Parser:
    """One pass over one filter; each method reads what the grammar calls by its name."""

    def __init__(self, text: str, owner: str, reader: Callable[[Path], Read]) -> None:
        self._owner = owner
        self._reader = reader
        self._tokens = tokens_of(text)
        self._place = 0
        self._depth = 0
        self._uses: list[Use] = []
        self._is_simple = True

    def whole(self) -> Where:
        test = as_test(self._either(), 0)
        if self._next.kind != "end":
            raise refusal("Syntax error", self._next.at)
        return Where(test, tuple(self._uses), self._is_simple)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._place += 1
        return token

    def _takes(self, word: str) -> bool:
        found = self._next.word == word
        if found:
            self._place += 1
        return found

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise refusal(f"'{sign}' expected", self._next.at)

    def _deeper(self, part: Callable[[], Operand], at: int) -> Operand:
        if self._depth == _DEEPEST:
            raise refusal("Expression is too deep", at)
        self._depth += 1
        inner = part()
        self._depth -= 1
        return inner

    def _either(self) -> Operand:
        return self._chain("or", self._both, any)

    def _both(self) -> Operand:
        return self._chain("and", self._negation, all)

    def _chain(
        self, word: str, part: Callable[[], Operand], join: Callable[[Iterable[bool]], bool]
    ) -> Operand:
        at = self._next.at
        first = part()
        if self._next.word != word:
            return first
        self._is_simple = self._is_simple and word == "and"
        tests = [as_test(first, at)]
        while self._takes(word):
            at = self._next.at
            tests.append(as_test(part(), at))
        return joined(tests, join)

    def _negation(self) -> Operand:
        if not self._takes("not"):
            return self._comparison()
        self._is_simple = False
        at = self._next.at
        return negated(as_test(self._deeper(self._negation, at), at))

    def _comparison(self) -> Operand:
        left = self._operand()
        sign = self._next
        is_compared = sign.word in EQUALITIES or sign.word in ORDERINGS
        self._use(left, sign.word if is_compared else "")
        if not is_compared:
            return left
        self._take()
        right = self._operand()
        self._use(right, sign.word)
        return compared(left, sign.word, right, at=sign.at)

    def _use(self, part: Operand, sign: str) -> None:
        if part.path is not None:
            self._uses.append(Use(part.path, sign))

    def _operand(self) -> Operand:
        token = self._take()
        if token.word == "(":
            inner = self._deeper(self._either, token.at)
            self._expect(")")
            return inner
        if token.word in _CONSTANTS:
            return _CONSTANTS[token.word]
        if token.kind == "text":
            return literal(unquoted(token), "String")
        if token.kind == "number":
            return literal(Decimal(token.text), "Decimal")
        if token.word == "-" and self._next.kind == "number":
            return literal(-Decimal(self._take().text), "Decimal")
        if token.kind == "name" and token.word not in _JOINTS:
            return self._made(token) if self._next.word == "(" else self._path(token)
        raise refusal("Expression expected", token.at)

    def _made(self, token: Token) -> Operand:
        """Guid("…") and DateTime(…)."""
        arguments = self._arguments()
        kinds = {each.kind for each in arguments}
        if token.word == "guid" and kinds == {"text"} and len(arguments) == 1:
            return literal(guid_in(arguments[0]), "Guid")
        if token.word == "datetime" and kinds == {"number"}:
            return literal(moment_in(arguments), "DateTime")
        raise refusal(f"No applicable method '{token.text}' exists", token.at)

    def _path(self, token: Token) -> Operand:
        path: Path = (token.word,)
        kind = kind_in(self._owner, token.text, at=token.at)
        while self._takes("."):
            name = self._name()
            if self._next.word == "(":
                return self._methods(Operand(self._reader(path), kind, path), name)
            path, kind = (*path, name.word), kind_in(kind, name.text, at=name.at)
        return Operand(self._reader(path), kind, path)

    def _methods(self, owner: Operand, name: Token) -> Operand:
        """What is called on a field, one method after the other."""
        self._use(owner, "()")
        self._is_simple = False
        for _ in range(_DEEPEST):
            arguments = [unquoted(each) for each in self._arguments()]
            owner = called(owner, name.text, arguments, at=name.at)
            if not self._takes("."):
                return owner
            name = self._name()
        raise refusal("Expression is too deep", name.at)

    def _name(self) -> Token:
        name = self._take()
        if name.kind != "name":
            raise refusal("Identifier expected", name.at)
        return name

    def _arguments(self) -> list[Token]:
        self._expect("(")
        found: list[Token] = []
        while self._next.kind in ("text", "number"):
            found.append(self._take())
            if not self._takes(","):
                break
        self._expect(")")
        return found
