"""What a table shows: cells, things to do, and its columns, rows and filters as the templates get them (C-50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.contracts.text import Text
from app.web.language import exact, t


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


@dataclass(slots=True)
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

    @property
    def words(self) -> tuple[Any, ...]:
        """All but where it leads, which in the rows of a list alone differs."""
        return self.title, self.icon, self.method, self.danger, self.confirm, self.dialog, self.disabled_reason


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

    @property
    def shared_menu(self) -> tuple[Any, ...]:
        """What this menu has in common with those of other rows; empty where an entry leads elsewhere than below the row's page."""
        start, menu = f"{self.href}/", self.menu
        if not self.href or not all(action.url.startswith(start) for action in menu):
            return ()
        return tuple((action.url[len(start) :], *action.words) for action in menu)


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
