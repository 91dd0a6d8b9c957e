"""The secrets of one local stack: generated once, each in a file of mode 0600.

Knows nothing of who uses them. Values leave this module only through `value`, and `redacted`
removes them from text that is about to be printed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from local_stack.state import write_private


def _fernet_key() -> str:
    return Fernet.generate_key().decode()


def _password() -> str:
    return secrets.token_urlsafe(24)


def _signing_key() -> str:
    # Airflow signs with SHA-512, which wants a key of at least 64 bytes.
    return secrets.token_urlsafe(64)


def _short_password() -> str:
    # Typed by a person into the login page of a loopback-only Airflow.
    return secrets.token_urlsafe(12)


_MAKERS: dict[str, Callable[[], str]] = {
    "airflow_admin_password": _short_password,
    "airflow_api_secret_key": _signing_key,
    "airflow_database_password": _password,
    "airflow_fernet_key": _fernet_key,
    "airflow_jwt_secret": _signing_key,
    "bi_reader_password": _password,
    "warehouse_password": _password,
    "xero_token_keys": _fernet_key,
}


class SecretFiles:
    """One file per secret in one 0700 folder."""

    def __init__(self, folder: Path) -> None:
        """Generate every secret that is missing; those that exist are never changed."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, make in _MAKERS.items():
            if not (folder / name).exists():
                write_private(folder / name, make())

    def value(self, name: str) -> str:
        """Return one secret."""
        return self.path(name).read_text().strip()

    def path(self, name: str) -> Path:
        """Return the file that holds it."""
        return self._folder / name

    def redacted(self, text: str) -> str:
        """Return the text with every secret replaced by stars."""
        for name in _MAKERS:
            text = text.replace(self.value(name), "***")
        return text
