"""The words of a filter: signs, names, texts, numbers, and the values that are made of them.

Knows how .NET writes literals. Must not know grammar or records.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from xero_sandbox.api.operands import refusal

_TOKEN = re.compile(
    r"""(?:
        (?P<text>"(?:[^"\\]|\\.|"")*")
      | (?P<number>[0-9]+(?:\.[0-9]+)?)[mMdDfFlL]?(?![\w.])
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>==|!=|<>|<=|>=|&&|\|\||[=<>!(),.\-])
    )""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_ESCAPED = re.compile(r'""|\\(["\\])')
_SAME = MappingProxyType({"=": "==", "<>": "!=", "!": "not", "&&": "and", "||": "or"})
_LONGEST_NUMBER_OF_A_DATE = 4


@dataclass(frozen=True)
class Token:
    """One word of a filter: `text`, `number` (without its suffix), `name`, `sign` or `end`."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """What the grammar knows it as, one spelling for all; nothing for texts and numbers."""
        if self.kind == "sign":
            return _SAME.get(self.text, self.text)
        return self.text.lower() if self.kind == "name" else ""


def tokens_of(text: str) -> list[Token]:
    """The words of a filter, the last one `end`. Raises QueryParseError for what is none."""
    tokens = []
    at = _skipped(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refusal(_complaint(text[at]), at)
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind], at))
        at = _skipped(text, match.end())
    return [*tokens, Token("end", "", len(text))]


def _skipped(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _complaint(character: str) -> str:
    if character == '"':
        return "Unterminated string literal"
    if character == "'":
        return "Character literal must contain exactly one character"
    return f"Syntax error '{character}'"


def unquoted(token: Token) -> str:
    """The value of a text; of anything else what was written."""
    if token.kind != "text":
        return token.text
    return _ESCAPED.sub(lambda match: match[1] or '"', token.text[1:-1])


def guid_in(token: Token) -> str:
    """The GUID of a text, in lower case. Raises QueryParseError for another text."""
    try:
        return str(uuid.UUID(unquoted(token)))
    except ValueError:
        raise refusal("Guid should contain 32 digits with 4 dashes", token.at) from None


def moment_in(numbers: list[Token]) -> datetime:
    """The moment (UTC) of year, month, day, and maybe hours, minutes, seconds.

    Raises QueryParseError for a day or time that does not exist.
    """
    at = numbers[0].at
    is_whole = all(
        each.text.isdigit() and len(each.text) <= _LONGEST_NUMBER_OF_A_DATE for each in numbers
    )
    if not is_whole or len(numbers) not in (3, 6):
        raise refusal("No applicable constructor exists in type 'DateTime'", at)
    try:
        year, month, day, *clock = (int(each.text) for each in numbers)
        hour, minute, second = clock or (0, 0, 0)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise refusal("The DateTime represented does not exist", at) from None
