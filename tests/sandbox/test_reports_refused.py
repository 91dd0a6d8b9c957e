"""Over HTTP, a parameter of a report that cannot be understood is refused, never ignored."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import App

NAMES = ("balancesheet", "banksummary", "budgetsummary", "profitandloss", "trialbalance")
SCOPES = " ".join(("accounting.journals.read", *(f"accounting.reports.{n}.read" for n in NAMES)))
NOWHERE = "8bd8b0b3-0000-4000-8000-000000000000"

REFUSED: list[tuple[str, dict[str, str]]] = [
    ("Reports/BalanceSheet", {"date": "2026-02-30"}),
    ("Reports/BalanceSheet", {"date": "garbage"}),
    ("Reports/BalanceSheet", {"date": "0001-01-01"}),
    ("Reports/BalanceSheet", {"trackingOptionID1": NOWHERE}),
    ("Reports/BalanceSheet", {"standardLayout": "perhaps"}),
    ("Reports/TrialBalance", {"date": "20-11-2026"}),
    ("Reports/TrialBalance", {"paymentsOnly": "perhaps"}),
    ("Reports/ProfitAndLoss", {"fromDate": "2026-06-02", "toDate": "2026-06-01"}),
    ("Reports/ProfitAndLoss", {"fromDate": "2025-06-01", "toDate": "2026-06-02"}),
    ("Reports/ProfitAndLoss", {"periods": "12"}),
    ("Reports/ProfitAndLoss", {"periods": "99999"}),
    ("Reports/ProfitAndLoss", {"timeframe": "DAY"}),
    ("Reports/ProfitAndLoss", {"trackingCategoryID": NOWHERE}),
    ("Reports/ProfitAndLoss", {"standardLayout": "perhaps"}),
    ("Reports/BankSummary", {"fromDate": "x"}),
    ("Reports/BudgetSummary", {"periods": "-1"}),
    ("Reports/BudgetSummary", {"timeframe": "99"}),
    ("Journals", {"offset": "x"}),
]


@pytest.mark.parametrize(
    ("path", "asked"), REFUSED, ids=lambda part: part if isinstance(part, str) else urlencode(part)
)
def test_what_cannot_be_understood_is_a_400_that_names_it(
    app: App, tiny: str, path: str, asked: dict[str, str]
) -> None:
    app.sandbox.control("POST", "limits", {"tier": "advanced"})
    answer = app.read(app.connect(scopes=SCOPES), f"{path}?{urlencode(asked)}", tiny)
    assert answer.status_code == 400
    assert next(iter(asked)) in answer.text


def test_what_lies_just_within_is_answered(app: App, tiny: str) -> None:
    app.sandbox.control("POST", "limits", {"tier": "advanced"})
    tokens = app.connect(scopes=SCOPES)
    for asked in (
        "ProfitAndLoss?periods=11&timeframe=year&standardLayout=True",
        "ProfitAndLoss?fromDate=2025-06-01&toDate=2026-06-01",
        "BudgetSummary?periods=12&timeframe=3",
        "BalanceSheet?date=2026-02-28&unheard=x",
    ):
        assert app.read(tokens, f"Reports/{asked}", tiny).status_code == 200, asked
