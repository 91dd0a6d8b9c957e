"""Actions of the control door on items, tracking, budgets, branding themes, users and lock dates.

Knows their names and fields. Must not know HTTP, clocks, or what a change does.

    create_item         code, name?, sale_price?, purchase_price?, is_tracked?
    edit_item           code, and any of name, description, purchase_description, sale_price,
                        purchase_price
    delete_item         code
    create_tracking_category    name, options?: [names]
    add_option          category (id or name), name
    rename_option       option (id or name), name
    archive_option      option
    archive_tracking_category   category
    create_budget       description?, amounts: {account code: monthly amount}, months?, date?
    create_branding_theme   name
    create_user         first_name, last_name, email, role?
    lock_books          period?, year_end?: the last days that are locked; the door's person is an
                        adviser, who may change what is locked
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from xero_sandbox.books.action_fields import Act, Changed, Deed, option_of
from xero_sandbox.books.lines import TrackingCategory, TrackingOption
from xero_sandbox.books.paper_records import BrandingTheme, Budget, Item, StaffMember
from xero_sandbox.books.refusals import BooksError, found


def _create_item(act: Act) -> Changed:
    is_tracked, books = act.flag("is_tracked", False), act.books
    code = act.text("code")
    item = Item(
        item_id=act.new_id(),
        code=code,
        name=act.text("name", code),
        updated_at=act.at,
        sale_price=act.amount("sale_price") if "sale_price" in act.fields else None,
        sale_account=books.account("200"),
        sale_tax_type=books.country.sales_tax,
        purchase_price=act.amount("purchase_price") if "purchase_price" in act.fields else None,
        purchase_account=books.account("310"),
        purchase_tax_type=books.country.purchase_tax,
        inventory_account=books.account("630") if is_tracked else None,
    )
    books.add_item(item, at=act.at)
    return "Items", item.item_id


def _item(act: Act) -> Item:
    return found(act.books.items.get(act.text("code")), "item", act.text("code"))


def _edit_item(act: Act) -> Changed:
    item = _item(act)
    names = ("name", "description", "purchase_description")
    act.books.edit_item(
        item,
        at=act.at,
        sale_price=act.amount("sale_price") if "sale_price" in act.fields else None,
        purchase_price=act.amount("purchase_price") if "purchase_price" in act.fields else None,
        **{name: act.text(name, "") for name in names if name in act.fields},
    )
    return "Items", item.item_id


def _delete_item(act: Act) -> Changed:
    item = _item(act)
    act.books.delete_item(item)
    return {"ItemID": item.item_id, "Code": item.code}


def _create_tracking_category(act: Act) -> Changed:
    names = act.fields.get("options", ())
    if not isinstance(names, list | tuple) or len(set(names)) < len(names):
        raise BooksError("The field options must be a list of different names.")
    category = TrackingCategory(act.new_id(), act.text("name"))
    category.options = [TrackingOption(act.new_id(), str(name), category) for name in names]
    act.books.add_tracking_category(category, at=act.at)
    return "TrackingCategories", category.category_id


def _category(act: Act) -> TrackingCategory:
    asked = act.text("category")
    for category in act.books.tracking_categories.values():
        if asked in (category.category_id, category.name):
            return category
    raise BooksError(f"There is no tracking category {asked}.")


def _add_option(act: Act) -> Changed:
    category = _category(act)
    act.books.add_option(TrackingOption(act.new_id(), act.text("name"), category))
    return "TrackingCategories", category.category_id


def _rename_option(act: Act) -> Changed:
    option = option_of(act.books, act.text("option"))
    act.books.rename_option(option, act.text("name"), at=act.at)
    return "TrackingCategories", option.category.category_id


def _archive_option(act: Act) -> Changed:
    option = option_of(act.books, act.text("option"))
    act.books.archive_option(option, at=act.at)
    return "TrackingCategories", option.category.category_id


def _archive_tracking_category(act: Act) -> Changed:
    category = _category(act)
    act.books.archive_tracking_category(category, at=act.at)
    return "TrackingCategories", category.category_id


def _create_budget(act: Act) -> Changed:
    first = act.day("date", act.books.today).replace(day=1)
    months = [first]
    for _ in range(act.whole("months", 12) - 1):
        months.append((months[-1] + timedelta(days=31)).replace(day=1))
    accounts = {act.books.account(code).account_id: n for code, n in act.amounts("amounts").items()}
    budget = Budget(
        budget_id=act.new_id(),
        type="OVERALL",
        description=act.text("description", "Overall Budget"),
        updated_at=act.at,
        amounts={key: dict.fromkeys(months, amount) for key, amount in accounts.items()},
    )
    act.books.add_budget(budget)
    return "Budgets", budget.budget_id


def _create_branding_theme(act: Act) -> Changed:
    order = len(act.books.branding_themes)
    theme = BrandingTheme(act.new_id(), act.text("name"), order, act.at)
    act.books.add_branding_theme(theme)
    return "BrandingThemes", theme.theme_id


def _create_user(act: Act) -> Changed:
    member = StaffMember(
        user_id=act.new_id(),
        email=act.text("email"),
        first_name=act.text("first_name"),
        last_name=act.text("last_name"),
        role=act.text("role", "STANDARD"),
        updated_at=act.at,
    )
    act.books.add_staff(member)
    return "Users", member.user_id


def _lock_books(act: Act) -> Changed:
    period, year_end = act.told_day("period"), act.told_day("year_end")
    if period is None and year_end is None:
        raise BooksError("lock_books needs a day up to which it locks.")
    return "Organisations", act.books.lock(period=period, year_end=year_end)


_PRICES = frozenset(("name", "sale_price", "purchase_price"))

DEEDS: Mapping[str, Deed] = {
    "create_item": (_create_item, _PRICES | {"code", "is_tracked"}),
    "edit_item": (_edit_item, _PRICES | {"code", "description", "purchase_description"}),
    "delete_item": (_delete_item, frozenset(("code",))),
    "create_tracking_category": (_create_tracking_category, frozenset(("name", "options"))),
    "add_option": (_add_option, frozenset(("category", "name"))),
    "rename_option": (_rename_option, frozenset(("option", "name"))),
    "archive_option": (_archive_option, frozenset(("option",))),
    "archive_tracking_category": (_archive_tracking_category, frozenset(("category",))),
    "create_budget": (_create_budget, frozenset(("description", "amounts", "months", "date"))),
    "create_branding_theme": (_create_branding_theme, frozenset(("name",))),
    "create_user": (
        _create_user,
        frozenset(("first_name", "last_name", "email", "role")),
    ),
    "lock_books": (_lock_books, frozenset(("period", "year_end"))),
}
