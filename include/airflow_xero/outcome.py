"""How a run went, in the few lines that a person reads.

Knows what the tasks of a run left behind, as plain values. Must not know Airflow, SQL or Xero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from airflow_xero.errors import XeroError

FAILURE_KEY = "failure"
UNTIED_KEY = "untied"
LOST_CONSENT = "lost_consent"
CONNECT_FIRST = "No organisation is connected yet: open the page Xero and press Connect to Xero."


@dataclass(frozen=True)
class Outcome:
    """One run of one day.

    `tenants` are the organisations that were to be extracted (`tenant_id`, `tenant_name`);
    `results` what the extractions returned (`tenant_id`, `state`, perhaps `resume_at`, `gaps`,
    `drifts`);
    `failures` the reasons they left (`tenant_id`, `reason`, perhaps `advice` and `kind` as
    `causes.py` words them, and LOST_CONSENT where that is it);
    `skipped` organisations that must be reconnected (`tenant_name`, `reason`). An organisation that
    left no result has failed.
    `not_published` says why the statistics could not be renewed; None when they could, and then
    `published` counts the extractions that came into them. `untied` says which published statistics
    differ from Xero's reports by more than a person tolerates; None when none do.
    """

    day: date
    tenants: Sequence[Mapping[str, str]]
    results: Sequence[Mapping[str, Any]] = ()
    failures: Sequence[Mapping[str, str]] = ()
    skipped: Sequence[Mapping[str, str]] = field(default=())
    not_published: str | None = None
    published: int = 0
    untied: str | None = None

    def complete(self) -> list[Mapping[str, str]]:
        """The organisations that were extracted."""
        return self._left("complete")

    def waiting(self) -> list[Mapping[str, str]]:
        """The organisations that wait for a limit of Xero's; they fail nothing."""
        return self._left("waiting_for_limit")

    def failed(self) -> list[Mapping[str, str]]:
        """The organisations whose extraction failed, or ended without a word."""
        return self._left(None)

    def headline(self) -> str:
        """The figures of the run in one line."""
        statistics = "published" if self.published else "as they were"
        if self.not_published:
            statistics = "NOT published"
        elif self.untied:
            statistics = "published, tie-out BROKEN"
        return (
            f"{self.day}: {len(self.complete())} complete, {len(self.waiting())} waiting,"
            f" {len(self.failed())} failed, {len(self.skipped)} skipped;"
            f" statistics {statistics}."
        )

    def remarks(self) -> list[str]:
        """A line for each organisation that is not complete."""
        if not self.tenants and not self.skipped:
            return [CONNECT_FIRST]
        opens = {result["tenant_id"]: result.get("resume_at") for result in self.results}
        reasons = {failure["tenant_id"]: failure["reason"] for failure in self.failures}
        waiting = [
            f"WAITING {tenant['tenant_name']}: Xero's limit opens"
            f" {opens[tenant['tenant_id']] or 'later'}"
            for tenant in self.waiting()
        ]
        failed = [
            f"FAILED {tenant['tenant_name']}:"
            f" {reasons.get(tenant['tenant_id'], 'its task ended without a word, see its log')}"
            for tenant in self.failed()
        ]
        gaps = [
            f"GAP {result['tenant_name']}: {endpoint}: {reason}"
            for result in self.results
            for endpoint, reason in result.get("gaps", {}).items()
        ]
        skipped = [
            f"SKIPPED {tenant['tenant_name']}: {tenant['reason']}" for tenant in self.skipped
        ]
        drifts = [f"NEW AT XERO {drift}" for drift in self.drifts()]
        return waiting + failed + gaps + skipped + drifts

    def drifts(self) -> list[str]:
        """What Xero sent for the first time and does not document, each once."""
        return sorted({drift for result in self.results for drift in result.get("drifts", ())})

    def complaint(self) -> str | None:
        """Why the run must turn red, or None."""
        complaints = []
        if self.failed():
            names = ", ".join(tenant["tenant_name"] for tenant in self.failed())
            complaints.append(f"extraction failed for {names}")
        if self.not_published:
            complaints.append(f"the statistics were not published: {self.not_published}")
        elif self.untied:
            complaints.append(self.untied)
        return "; ".join(complaints) or None

    def _left(self, state: str | None) -> list[Mapping[str, str]]:
        states = {result["tenant_id"]: result["state"] for result in self.results}
        return [each for each in self.tenants if states.get(each["tenant_id"]) == state]


def reason_of(error: BaseException) -> str:
    """What failed and why, in one line for a person; see `message_of`."""
    return _one_line(error.told()) if isinstance(error, XeroError) else message_of(error)


def message_of(error: BaseException) -> str:
    """Why it failed, in one line, without a database error's details: they may quote data."""
    if isinstance(error, XeroError):
        return _one_line(error.message)
    return _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: str) -> str:
    return text.strip().splitlines()[0][:300]
