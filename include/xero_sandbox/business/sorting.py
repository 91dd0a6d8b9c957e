"""What records are sorted by: tracking categories and contact groups.

Knows when they change. Must not know what is tracked (`style.py`) or the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

from xero_sandbox.books.documents import TrackingCategory, TrackingOption
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.paper_records import ContactGroup
from xero_sandbox.business.habits import DAY, Event
from xero_sandbox.business.office import Activity, Deed, Office

_CATEGORIES = (
    ("Region", ("North", "South", "Eastside", "West Coast", "Überland")),
    ("Kostenstelle / コスト", ("Café", "Werkstatt", "倉庫", "Online 🛒", "<None>")),
)
_NEW_CATEGORIES = (
    ("Channel", ("Web shop", "Market stall", "Wholesale")),
    ("Projekt", ("Alpha", "Ωmega", "Ünsal")),
)
_NEW_OPTIONS = ("Head Office", "Pop-up", "Северо-Запад", "الفرع الجديد", "Night shift")
_GROUPS = ("VIP", "Newsletter", "Contractors & Builders", "重要なお客様")


class Tracking(Activity):
    """Two categories, as many as Xero allows; options are renamed, added and archived."""

    feature = "tracking"

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self._replaced = 0

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "set_up_tracking": self._set_up,
            "rename_option": self._rename,
            "archive_option": self._archive,
            "add_option": self._add,
            "replace_category": self._replace,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """The categories are there from the first day; options change a few times in a year."""
        if day == self.office.first_day:
            return ["set_up_tracking"]
        kinds = ["rename_option"] * (dice.random() < 0.012)
        kinds += ["archive_option"] * (dice.random() < 0.012)
        kinds += ["add_option"] * (dice.random() < 0.012)
        return kinds + ["replace_category"] * (dice.random() < 0.003)

    def _set_up(self, event: Event, random: Random) -> None:
        for name, options in _CATEGORIES:
            self._categories.append(self._new(name, options, event=event, random=random))

    def _new(
        self, name: str, options: tuple[str, ...], *, event: Event, random: Random
    ) -> TrackingCategory:
        category = TrackingCategory(new_guid(random), name)
        category.options += [
            TrackingOption(new_guid(random), option, category) for option in options
        ]
        self.office.books.add_tracking_category(category, at=event.at)
        return category

    @property
    def _categories(self) -> list[TrackingCategory]:
        """Those that lines are tracked by."""
        return self.office.desk.style.categories

    def _replace(self, event: Event, random: Random) -> None:
        """Archive the second category, and track by a new one from now on; twice at most."""
        new = self._replaced
        if new < len(_NEW_CATEGORIES):
            self._replaced += 1
            self.office.books.archive_tracking_category(self._categories[1], at=event.at)
            name, options = _NEW_CATEGORIES[new]
            self._categories[1] = self._new(name, options, event=event, random=random)

    def _options(self) -> list[TrackingOption]:
        return [
            option
            for category in self._categories
            for option in category.options
            if option.status == "ACTIVE"
        ]

    def _rename(self, event: Event, random: Random) -> None:
        option = random.choice(self._options())
        name = f"{option.name.split(' – ')[0]} – {event.day.year % 100}"
        self.office.books.rename_option(option, name, at=event.at)

    def _archive(self, event: Event, random: Random) -> None:
        """Archive an option; a few always stay."""
        options = self._options()
        if len(options) > 6:
            self.office.books.archive_option(random.choice(options), at=event.at)

    def _add(self, _: Event, random: Random) -> None:
        category = random.choice(self._categories)
        name = random.choice(_NEW_OPTIONS)
        if name not in {option.name for option in category.options}:
            option = TrackingOption(new_guid(random), name, category)
            self.office.books.add_option(option)


class Groups(Activity):
    """Contact groups, which somebody fills when there is time."""

    feature = "groups"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"set_up_groups": self._set_up, "group_contact": self._group}

    def usual(self, day: date, dice: Random) -> list[str]:
        """Some groups in the first week; then now and then somebody is put in one."""
        kinds = ["set_up_groups"] * (day == self.office.first_day + DAY)
        return kinds + ["group_contact"] * (dice.random() < 0.1)

    def _set_up(self, _: Event, random: Random) -> None:
        people = self.office.people
        everyone = people.customers + people.suppliers
        for name in _GROUPS:
            chosen = random.sample(everyone, k=min(len(everyone), random.randrange(1, 6)))
            group = ContactGroup(new_guid(random), name, chosen)
            self.office.books.add_contact_group(group)

    def _group(self, _: Event, random: Random) -> None:
        groups = list(self.office.books.contact_groups.values())
        people = self.office.people
        everyone = people.customers + people.suppliers
        if not groups or not everyone:
            return
        group, contact = random.choice(groups), random.choice(everyone)
        if contact not in group.contacts:
            group.contacts.append(contact)
            self.office.books.add_contact_group(group)
