"""What a table shows: cells, things to do, and its columns, rows and filters as the templates get them (C-50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.web.language import exact, t
from app.words import Text, plain

PAGE, IDENTIFIER, NAME = "\ue001", "\ue002", "\ue003"  # of private use in Unicode: they stand in no text


@dataclass(slots=True)
class Cell:
    """What a table shows at one place; ``kind`` picks how.

    Kinds: text, link, mono, status, tone, time, number, bytes, labels, tags, progress, code, bool, percent.
    """

    kind: str = "text"
    text: str | Text = ""
    href: str = ""
    status: str = ""
    tone: str = ""
    items: Sequence[Any] = ()
    value: Any = None
    title: str = ""
    copy: bool = False

    def plain(self) -> str:
        """The cell as CSV has it."""
        if isinstance(self.value, datetime):
            return exact(self.value)
        if self.items:
            return " ".join(str(item) for item in self.items)
        text = t(self.text) if isinstance(self.text, Text) else self.text
        return text or ("" if self.value is None else str(self.value)) or self.status


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do with a row or with a page: a link, or a form that is sent."""

    title: Text
    url: str
    method: str = "get"
    danger: bool = False
    confirm: Text | None = None
    dialog: bool = False
    disabled_reason: Text | None = None
    icon: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what this is, why it is empty, the one thing to do next."""

    title: Text
    body: Text
    action: Action | None = None


@dataclass(slots=True)
class ShownColumn:
    """A column as the table's head needs it."""

    key: str
    title: Text
    kind: str
    sortable: bool
    narrow: bool
    sorted: str | None
    sort_url: str
    align: str
    visible: bool


@dataclass(slots=True)
class ShownRow:
    """A row as the table needs it."""

    id: str
    href: str
    cells: dict[str, Cell]
    actions: Sequence[Action]
    object: Any

    @property
    def menu(self) -> list[Action]:
        """What stands in the row's menu."""
        return [action for action in self.actions if not action.primary]

    def placed(self, text: str, name: str) -> str:
        """The text with placeholders for the row's page, its identifier and its *name*."""
        for own, placeholder in ((self.href, PAGE), (self.id, IDENTIFIER), (name, NAME)):
            text = text.replace(own, placeholder) if own else text
        return text

    def menu_key(self, name: str) -> tuple[tuple[Any, ...], ...]:
        """Equal for rows that can share one menu."""
        return tuple(
            (
                self.placed(a.url, name),
                str(a.title),
                a.icon,
                a.dialog,
                a.disabled_reason,
                a.confirm and self.placed(t(a.confirm), name),
            )
            for a in self.menu
        )

    def shared_menu(self, name: str) -> list[Action]:
        """The menu with placeholders, for all rows of one key."""
        return [
            replace(
                a, url=self.placed(a.url, name), confirm=plain(self.placed(t(a.confirm), name)) if a.confirm else None
            )
            for a in self.menu
        ]


@dataclass(slots=True)
class ShownFilter:
    """A filter with its options as links: (value, name, selected, url, count)."""

    key: str
    title: Text
    options: list[tuple[str, Text, bool, str, int | None]]
    value: str
    clear_url: str


@dataclass(slots=True)
class Chip:
    """An active filter that can be taken away."""

    title: Text
    label: Text
    remove_url: str
