"""Which failed task is tried again, and when: the only translator of our errors for Airflow.

Knows the error tree and Airflow's RetryPolicy. Must not know what a task does. Each retry uses
one of the task's `retries`; this policy shortens or delays, it never adds tries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision

from airflow_xero.errors import (
    TenantBusyError,
    XeroBusyError,
    XeroContractError,
    XeroSetupError,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

# Shorter waits belong into the client; Airflow's own restart of a task costs seconds, too.
_SHORTEST_WAIT_SECONDS = 15
_FIRST_WAIT_SECONDS = 60
# No wait blocks a run for longer: a day limit ends a task as waiting instead.
_LONGEST_WAIT_SECONDS = 600


class XeroRetryPolicy(RetryPolicy):
    """Setup and contract errors fail at once; a busy Xero is asked again later.

    Everything else (a lost warehouse, a killed worker) is left to the task's own settings.
    """

    def evaluate(  # noqa: PLR0917  # Airflow's signature
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide after a failed try; `try_number` counts from 1."""
        if isinstance(exception, XeroSetupError):
            return RetryDecision.fail(f"a person must act: {exception}")
        if isinstance(exception, XeroContractError):
            return RetryDecision.fail(f"trying again cannot help: {exception}")
        if isinstance(exception, XeroBusyError):
            delay = timedelta(seconds=wait_seconds(exception, try_number))
            return RetryDecision.retry(delay, f"trying again in {delay}: {exception}")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Nothing: the policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> XeroRetryPolicy:  # noqa: ARG003
        """The policy."""
        return cls()


def wait_seconds(error: XeroBusyError, try_number: int) -> int:
    """Seconds until the next try: Xero's own figure, else doubling from a minute.

    Who holds an organisation still after a minute reads its past or all of it, and is waited for
    as long as may be.
    """
    if error.retry_after_seconds is not None:
        wanted = error.retry_after_seconds
    elif isinstance(error, TenantBusyError) and try_number > 1:
        wanted = _LONGEST_WAIT_SECONDS
    else:
        wanted = _FIRST_WAIT_SECONDS * 2 ** (max(try_number, 1) - 1)
    return min(max(wanted, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS)
