"""The script and style of `static/`, and the version of them all together.

An address that names the version may be kept by a browser for a year, so that the second visit of
the page asks for no file. Knows the folder, and nothing of who asks. Must not import Airflow, nor
a web framework: whatever loads the plugin loads this.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

PUBLIC_FILES = frozenset({"icon.svg", "invitation.js", "notice.css"})

_STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = MappingProxyType(
    {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent; the etag changes with its content."""

    body: bytes
    media_type: str
    etag: str


def asset(name: str) -> Asset | None:
    """The file of this name, or None: of what is beside the folder or hidden nothing is given."""
    file = _STATIC / name
    if file not in _files():
        return None
    body = file.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Asset(body, _MEDIA_TYPES[file.suffix], etag)


def bundle_url() -> str:
    """The address of the page's script below Airflow's, with the version of all its files."""
    return f"xero/static/{version()}/page.js"


def version() -> str:
    """What changes with every change of a file, also while the server runs."""
    return _digest(tuple((file, file.stat().st_mtime_ns) for file in _files()))


def _files() -> list[Path]:
    return sorted(file for file in _STATIC.iterdir() if file.suffix in _MEDIA_TYPES)


@lru_cache(maxsize=4)
def _digest(stamped: tuple[tuple[Path, int], ...]) -> str:
    """Of names and contents; the stamps say when to read them again."""
    digest = hashlib.sha256()
    for file, _ in stamped:
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
