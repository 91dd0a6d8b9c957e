"""Everything that is read in a way of its own: what hangs on a record, and special lists.

Knows which modules have such routes. Must not know what they answer.
"""

from __future__ import annotations

from xero_sandbox.api import attachments, budgets, history, journals, pdf, small_answers
from xero_sandbox.api.operation import Operation

routes: list[Operation] = [
    route
    for module in (attachments, budgets, history, journals, pdf, small_answers)
    for route in module.routes
]
