"""What stops the local stack: one message a person can act on.

Knows nothing of Postgres, Airflow or the sandbox.
"""

from __future__ import annotations


class StackError(Exception):
    """A step failed; the message says what happened and what to do, and holds no secret."""
