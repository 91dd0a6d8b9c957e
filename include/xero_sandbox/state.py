"""The state file: what a restart must not forget, as one JSON file that its owner alone can read.

Knows how the world is written and read back. Must not know why anything changed. Kept: the
signing key, clocks (as distance from the machine's), changes of the app, limits, users, sign-ins,
codes, refresh tokens (hashed), connections, and what organisations are built from. Not kept:
their data, which is built again, calls counted, faults, the request log. When it is written:
`saving.py`; what was answered is on disk, but for the first touches of the last second.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from xero_sandbox.api.limits import LimitSettings
from xero_sandbox.clock import wall_now
from xero_sandbox.errors import ControlError
from xero_sandbox.identity.grants import Grants
from xero_sandbox.identity.permits import (
    Authorization,
    Code,
    Connection,
    RefreshToken,
    Session,
    User,
)
from xero_sandbox.identity.signing import Signer
from xero_sandbox.world import Action, Plan, World

_VERSION = 1
_T = TypeVar("_T")


class StateFileError(Exception):
    """The state file cannot be read or written; the message says what to do."""


class StateFile:
    """One file on disk; the directory must exist."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, world: World) -> None:
        """Bring the world back to what was saved; nothing happens when there is no file yet.

        Raises StateFileError for a file that is not ours.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            message = f"the state file {self._path} cannot be read: {error.strerror}"
            raise StateFileError(message) from error
        try:
            _restore(world, json.loads(text))
        except (ValueError, TypeError, KeyError, ControlError) as error:
            message = f"{self._path} is not a state file of this sandbox: move it away or delete it"
            raise StateFileError(message) from error

    def save(self, world: World) -> None:
        """Write the world, all of it or nothing, readable by its owner alone.

        Raises StateFileError when the disk refuses.
        """
        # Without an indent it is written ten times as fast, which many organisations need.
        text = json.dumps(_snapshot(world), default=_plain, ensure_ascii=False)
        try:
            self._replace(text)
        except OSError as error:
            message = f"the state file {self._path} cannot be written: {error.strerror}"
            raise StateFileError(message) from error

    def _replace(self, text: str) -> None:
        # mkstemp creates with mode 600; renaming is atomic within the directory.
        handle, name = tempfile.mkstemp(prefix=".", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _snapshot(world: World) -> dict[str, object]:
    grants = world.grants
    return {
        "version": _VERSION,
        "seed": world.seed,
        "signing_key": world.signer.pem(),
        "business_offset_seconds": world.business.offset_seconds(),
        "identity_offset_seconds": world.identity.offset_seconds(),
        "app": world.app_changes,
        "limits": world.limits.settings,
        "users": list(grants.users.values()),
        "sessions": grants.sessions,
        "codes": grants.codes,
        "refresh_tokens": grants.refresh_tokens,
        "connections": list(grants.connections.values()),
        "granted": grants.granted,
        "auth_events": sorted(grants.auth_events),
        "organisations": list(world.plans.values()),
    }


def _restore(world: World, saved: Mapping[str, Any]) -> None:
    if saved["version"] != _VERSION:
        message = f"version {saved['version']} is not {_VERSION}"
        raise ValueError(message)
    plans = [_plan(each) for each in saved["organisations"]]
    signer = Signer(saved["signing_key"])
    signer.pem()
    settings = LimitSettings(**saved["limits"])
    world.start(seed=saved["seed"], demo=False)
    _restore_grants(world.grants, saved)
    world.signer = signer
    world.plans.update({plan.tenant_id: plan for plan in plans})
    world.change_app(saved.get("app", {}))
    world.limits.settings = settings
    now = wall_now()
    world.business.set(now + timedelta(seconds=saved["business_offset_seconds"]))
    world.identity.set(now + timedelta(seconds=saved["identity_offset_seconds"]))


def _restore_grants(grants: Grants, saved: Mapping[str, Any]) -> None:
    grants.users = {each["email"]: _revive(User, each) for each in saved["users"]}
    grants.sessions = {key: _revive(Session, each) for key, each in saved["sessions"].items()}
    grants.codes = {key: _authorized(Code, each) for key, each in saved["codes"].items()}
    grants.refresh_tokens = {
        key: _authorized(RefreshToken, each) for key, each in saved["refresh_tokens"].items()
    }
    grants.connections = {
        (each["email"], each["tenant_id"]): _revive(Connection, each)
        for each in saved["connections"]
    }
    grants.granted = {email: tuple(scopes) for email, scopes in saved["granted"].items()}
    grants.auth_events = set(saved["auth_events"])


def _plan(saved: Mapping[str, Any]) -> Plan:
    actions = tuple(_revive(Action, each) for each in saved["actions"])
    return _revive(Plan, {**saved, "actions": actions})


def _authorized(kind: type[_T], saved: Mapping[str, Any]) -> _T:
    return _revive(kind, {**saved, "authorization": _revive(Authorization, saved["authorization"])})


def _revive(kind: type[_T], saved: Mapping[str, Any]) -> _T:
    """A dataclass from its JSON: names that end in `_at` are moments, lists are tuples."""
    values = {item.name: saved[item.name] for item in fields(kind)}  # type: ignore[arg-type]
    for name, value in values.items():
        if name.endswith("_at") and value is not None:
            values[name] = datetime.fromisoformat(value)
        elif isinstance(value, list):
            values[name] = tuple(value)
    return kind(**values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return vars(value)
    message = f"{type(value).__name__} has no place in the state file"
    raise TypeError(message)
