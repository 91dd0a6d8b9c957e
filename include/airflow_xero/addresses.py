"""Which addresses a secret may be sent to: encrypted ones, and those that stay on the machine.

Knows URLs only. Must not know who sends what.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow_xero.errors import XeroSetupError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def require_private(url: str, field_name: str) -> None:
    """Raise XeroSetupError, naming the field, for an address that strangers could listen to."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    # RFC 6761 keeps every name below .localhost on the machine (or within a Compose network).
    is_local = host in _LOOPBACK or host.endswith(".localhost")
    if parts.scheme == "https" or (parts.scheme == "http" and is_local):
        return
    raise XeroSetupError(f"{field_name} must begin with https:// (http only on localhost)")
