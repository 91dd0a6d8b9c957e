"""A consent that was begun over HTTP, and what tests ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass
class Visit:
    """A browser that began a consent: its client and where Xero wants to see it."""

    client: httpx.Client
    authorize_url: str


def organisations_of(airflow: Any, user: str = "admin") -> dict[str, dict[str, Any]]:
    with airflow.client(user) as client:
        found = client.get("/xero/api/organisations").raise_for_status().json()
    return {one["name"]: one for one in found["organisations"]}


def state_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def count(warehouse: Any, table: str) -> int:
    return int(warehouse.execute(f"select count(*) from xero_ops.{table}").fetchone()[0])
