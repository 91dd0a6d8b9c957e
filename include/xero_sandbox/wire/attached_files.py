"""The bytes of attached files: made when asked for, always the same for one attachment.

Knows the kinds of file that hang on records. Must not know records, JSON or HTTP.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from random import Random

from xero_sandbox.books.paper_records import Attachment
from xero_sandbox.wire.pdf_pages import page_of

_PIXELS = 16


@lru_cache(maxsize=256)
def bytes_of(attachment: Attachment) -> bytes:
    """Return the file: a PDF, a PNG, or text for any other kind."""
    if attachment.mime_type == "application/pdf":
        return page_of(attachment.file_name, (f"Scan {attachment.seed}",))
    if attachment.mime_type == "image/png":
        return _image(Random(attachment.seed))
    return f"{attachment.file_name}\r\nScan {attachment.seed}\r\n".encode()


def _image(random: Random) -> bytes:
    """A square of grey dots."""
    rows = b"".join(b"\0" + random.randbytes(_PIXELS) for _ in range(_PIXELS))
    header = struct.pack(">IIBBBBB", _PIXELS, _PIXELS, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
