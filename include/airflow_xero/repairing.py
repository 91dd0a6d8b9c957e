"""Pages that Postgres refuses as they are, made storable: one character for another.

Knows JSON's escapes and UTF-8; must not know what a page says or where it is stored.
"""

from __future__ import annotations

import re

# An escape that Postgres refuses: NUL, or half of a surrogate pair. The lookbehind and the even
# number of backslashes keep an escaped backslash before a harmless "u0000" as it is; a whole
# pair is matched first and kept.
_ESCAPE = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_WHOLE_PAIR = 12
_SUSPECTS = (b"\\u0000", b"\\ud", b"\\uD")
# Half a pair that was not escaped but written as bytes, which are no UTF-8.
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def repaired(body: bytes) -> tuple[bytes, int]:
    """Replace characters that Postgres cannot store by U+FFFD; the body and how many there were.

    The body keeps its length. Where nothing is replaced it is the one that was given, not a copy.
    """
    whole, halves = _RAW_HALF.subn("\ufffd".encode(), body) if b"\xed" in body else (body, 0)
    body = whole if halves else body
    # Most pages hold no escape at all, and one search costs a third of three.
    if b"\\u" not in body or not any(escape in body for escape in _SUSPECTS):
        return body, halves
    repairs = halves

    def replacement(match: re.Match[bytes]) -> bytes:
        nonlocal repairs
        if len(match.group(2)) == _WHOLE_PAIR:
            return match.group(0)
        repairs += 1
        return match.group(1) + b"\\ufffd"

    whole = _ESCAPE.sub(replacement, body)
    return (body if repairs == halves else whole), repairs
