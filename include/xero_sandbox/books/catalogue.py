"""What lines refer to and papers look like: items, tracking, budgets, branding themes, staff.

Knows what may be changed of them. Must not know what is posted, clocks or HTTP.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from xero_sandbox.books.documents import TrackingCategory, TrackingOption
from xero_sandbox.books.holdings import Holdings
from xero_sandbox.books.paper_records import BrandingTheme, Budget, Item, StaffMember
from xero_sandbox.books.refusals import BooksError

_MOST_CATEGORIES = 2
_ITEM_FIELDS = frozenset(("name", "description", "purchase_description"))


class Catalogue(Holdings):
    """What can be done to items, tracking categories, budgets, themes and staff."""

    def add_item(self, item: Item, *, at: datetime) -> Item:
        """Add an item; a tracked one needs an account for the cost of goods sold."""
        if item.code in self.items:
            raise BooksError(f"The item code {item.code} is already used.")
        if item.is_tracked and item.purchase_account is None:
            raise BooksError(f"{item.code} has no account for the cost of goods sold.")
        self.items[item.code] = item
        self._noted(item.item_id, "Created", at)
        self._shelving.item(item)
        return item

    def edit_item(
        self,
        item: Item,
        *,
        at: datetime,
        sale_price: Decimal | None = None,
        purchase_price: Decimal | None = None,
        **changes: str,
    ) -> None:
        """Change names, descriptions or prices of an item; bumps UpdatedDateUTC."""
        if not changes.keys() <= _ITEM_FIELDS:
            raise BooksError("Of an item, name, descriptions and prices can be edited.")
        for name, value in changes.items():
            setattr(item, name, value)
        item.sale_price = item.sale_price if sale_price is None else sale_price
        item.purchase_price = item.purchase_price if purchase_price is None else purchase_price
        item.updated_at = at
        self._noted(item.item_id, "Edited", at)
        self._shelving.item(item)

    def delete_item(self, item: Item) -> None:
        """Delete an item that is not in stock: it is gone."""
        if item.quantity:
            raise BooksError(f"{item.code} is in stock and cannot be deleted.")
        if self.items.pop(item.code, None) is None:
            raise BooksError(f"There is no item {item.code}.")
        self._shelving.remove("Items", item.item_id)

    def add_tracking_category(self, category: TrackingCategory, *, at: datetime) -> None:
        """Add a tracking category with its options; Xero allows two active ones."""
        active = [c for c in self.tracking_categories.values() if c.status == "ACTIVE"]
        if len(active) >= _MOST_CATEGORIES:
            raise BooksError("There are two active tracking categories already.")
        self.tracking_categories[category.category_id] = category
        self._noted(category.category_id, "Created", at)
        self._shelving.tracking_category(category)

    def add_option(self, option: TrackingOption) -> TrackingOption:
        """Add an option to its category."""
        if option.name in {other.name for other in option.category.options}:
            raise BooksError(f"The option name {option.name} is already used.")
        option.category.options.append(option)
        self._shelving.tracking_category(option.category)
        return option

    def rename_option(self, option: TrackingOption, name: str, *, at: datetime) -> None:
        """Rename an option: it shows everywhere, and bumps nothing."""
        if not name or name in {other.name for other in option.category.options}:
            raise BooksError(f"The option name {name} is already used.")
        self._noted(option.category.category_id, "Edited", at, "{} is now {}.", option.name, name)
        option.name = name
        self._shelving.tracking_category(option.category)

    def archive_option(self, option: TrackingOption, *, at: datetime) -> None:
        """Archive an option: what is tracked by it stays so."""
        if option.status != "ACTIVE":
            raise BooksError(f"The option {option.name} is already archived.")
        option.status = "ARCHIVED"
        self._noted(option.category.category_id, "Edited", at, "{} is archived.", option.name)
        self._shelving.tracking_category(option.category)

    def archive_tracking_category(self, category: TrackingCategory, *, at: datetime) -> None:
        """Archive a tracking category: what is tracked by it stays so."""
        if category.status != "ACTIVE":
            raise BooksError(f"The tracking category {category.name} is already archived.")
        category.status = "ARCHIVED"
        self._noted(category.category_id, "Archived", at)
        self._shelving.tracking_category(category)

    def add_budget(self, budget: Budget) -> Budget:
        """Add a budget, or show what changed of it."""
        self.budgets[budget.budget_id] = budget
        self._shelving.budget(budget)
        return budget

    def add_branding_theme(self, theme: BrandingTheme) -> BrandingTheme:
        """Add a branding theme."""
        self.branding_themes[theme.theme_id] = theme
        self._shelving.branding_theme(theme)
        return theme

    def add_staff(self, member: StaffMember) -> StaffMember:
        """Add a user of the organisation, or show what changed of one."""
        self.staff[member.user_id] = member
        self._shelving.user(member)
        return member
