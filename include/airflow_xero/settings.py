"""The settings a person gives in Airflow's configuration, section [xero].

Knows their names and what each must look like. Must not know Xero or the warehouse.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

from airflow.sdk.configuration import conf
from airflow.sdk.log import mask_secret

from airflow_xero.errors import XeroSetupError
from airflow_xero.provider_info import (
    DEFAULT_BACKFILL_CALLS,
    DEFAULT_CONN_ID,
    DEFAULT_RESERVED_CALLS,
)


def conn_id() -> str:
    """The Xero connection that the Dag, the pages and the commands use."""
    return conf.get("xero", "conn_id", fallback=DEFAULT_CONN_ID) or DEFAULT_CONN_ID


def first_day() -> datetime:
    """Midnight UTC of the first day that is published, written at installation.

    Raises XeroSetupError when it is missing or not a date: a moving start would publish other
    days with every restart.
    """
    text = conf.get("xero", "first_day", fallback="") or ""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise XeroSetupError(
            f"[xero] first_day is {text!r}. Set AIRFLOW__XERO__FIRST_DAY to the first day to"
            " publish, for example 2026-11-20, and never change it afterwards"
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def reserved_calls() -> int:
    """How many calls of an organisation's day are left to other programs of the app.

    Raises XeroSetupError when it is no whole number of at least 0.
    """
    return _calls("reserved_calls", DEFAULT_RESERVED_CALLS)


def backfill_calls() -> int:
    """How many calls a run of xero_backfill spends on past reports of one organisation.

    Raises XeroSetupError when it is no whole number of at least 0.
    """
    return _calls("backfill_calls", DEFAULT_BACKFILL_CALLS)


def _calls(name: str, default: str) -> int:
    text = conf.get("xero", name, fallback="") or default
    if not text.strip().isdecimal():
        raise XeroSetupError(
            f"[xero] {name} is {text!r}: set AIRFLOW__XERO__{name.upper()} to a whole number of"
            f" calls, for example {default}"
        )
    return int(text)


def dbt_project_dir() -> Path:
    """The folder that holds dbt_project.yml.

    Raises XeroSetupError when there is none.
    """
    configured = conf.get("xero", "dbt_project_dir", fallback="") or ""
    beside_dags = Path(conf.get("core", "dags_folder")).parent / "dbt"
    folder = Path(configured) if configured else beside_dags
    if not (folder / "dbt_project.yml").is_file():
        raise XeroSetupError(
            f"There is no dbt project in {folder}: set AIRFLOW__XERO__DBT_PROJECT_DIR"
        )
    return folder


def dbt_cache_dir() -> Path:
    """A folder that outlives a task, for dbt's partial parse."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / ".cache" / "xero_dbt"


def token_keys_from_environment() -> tuple[str, ...]:
    """The Fernet keys of the token store; the first encrypts.

    From XERO_TOKEN_KEYS, or [xero] token_keys with Airflow's _CMD and _SECRET variants.
    Raises XeroSetupError when there is none.
    """
    text = os.environ.get("XERO_TOKEN_KEYS") or conf.get("xero", "token_keys", fallback="") or ""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise XeroSetupError(
            "There is no key to encrypt Xero's tokens with: set XERO_TOKEN_KEYS to a Fernet key"
            ' (python -c "from cryptography.fernet import Fernet as F;'
            ' print(F.generate_key().decode())")'
        )
    for key in keys:
        mask_secret(key)
    return keys
