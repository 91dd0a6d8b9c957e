"""Certificates for the names of the real Xero, for clients whose addresses cannot be changed.

Knows the files of one folder: `ca.pem`, the authority that a client is told to trust, and
`server.pem` with `server.key`, which it signed. The key of the authority is thrown away once it
has signed, so that nobody can ever use it to pose as anybody else.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from xero_sandbox.hosts import REAL_HOSTS

NAMES = (*REAL_HOSTS, "localhost", "127.0.0.1", "::1")


class TlsError(Exception):
    """There is no certificate to serve with; the message says what to do."""


@dataclass(frozen=True)
class Certificates:
    """The files of one folder."""

    authority: Path
    chain: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    """The certificates of a folder, made if there are none: a client trusts them once for all.

    Raises TlsError when the folder cannot be used, or the package trustme is missing.
    """
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    try:
        if not (files.authority.exists() and files.chain.exists() and files.key.exists()):
            folder.mkdir(parents=True, exist_ok=True)
            _make(files)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.chain, files.key)
    except ssl.SSLError as error:
        message = f"{folder} holds no certificates of this sandbox: name another folder"
        raise TlsError(message) from error
    except OSError as error:
        message = f"the folder {folder} cannot be used: {error.strerror}"
        raise TlsError(message) from error
    return files


def _make(files: Certificates) -> None:
    try:
        import trustme
    except ImportError as error:
        message = "--tls needs a package that is not installed: pip install trustme"
        raise TlsError(message) from error
    authority = trustme.CA(organization_name="Xero sandbox", organization_unit_name="for tests")
    server = authority.issue_cert(*NAMES, organization_name="Xero sandbox")
    _write(files.key, server.private_key_pem.bytes(), mode=0o600)
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    _write(files.chain, chain, mode=0o644)
    _write(files.authority, authority.cert_pem.bytes(), mode=0o644)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    # A new file, so that the mode is never that of an older one.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
