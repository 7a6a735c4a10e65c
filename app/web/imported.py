"""The rows of a file that is brought in: what each holds by the fields of a Struct, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from app.contracts.shapes import Ask, ask_of
from app.errors import ConsoleError, FieldError, invalid, pointer_of
from app.web import sheets
from app.web.forms import constrained, parse
from app.words import Text, _

VERBS = CREATED, OVERWRITTEN, UNCHANGED, REFUSED = "created", "overwritten", "unchanged", "refused"
TWICE, NO_ROWS = _("Row {n} has the same."), _("it has no rows below the names of its columns.")
UNKNOWN_COLUMNS = _("it has columns that nothing is called here: {names}.")
TWO_COLUMNS, NO_COLUMN = _("it has two columns for {name}."), _("it has no column {name}.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row, or would: made, with its secret if it got one; overwritten, and what its fields were
    before; or refused.
    """

    verb: str
    before: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    refusal: ConsoleError | None = None


@dataclass(slots=True)
class Line:
    """A row of the file: its number, what it holds by field, and what became of it."""

    number: int
    values: Mapping[str, str]
    wanted: Any = None
    outcome: Outcome = field(default_factory=lambda: Outcome(REFUSED))

    def refuse(self, error: ConsoleError) -> None:
        self.outcome = Outcome(REFUSED, refusal=error)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file of such rows can have.

    :param wanted: the Struct that a row is; its fields that say how they are asked for are the columns
    :param key: the field that no two rows share
    :param others: what columns are called that may be there and are not read
    """

    wanted: type[msgspec.Struct]
    key: str
    others: Collection[str]

    @property
    def asks(self) -> dict[str, Ask]:
        """Fields with how they are asked for."""
        return {name: ask for name, hint in constrained(self.wanted).items() if (ask := ask_of(hint))}

    def read(self, raw: bytes) -> tuple[list[Line], set[str], list[str]]:
        """The rows of a file: those that are none have been refused.

        :returns: the rows, the fields that the file has, and the titles of columns that were not read
        :raises ConsoleError: CORE/TABLE_UNREADABLE, CORE/TABLE_TOO_LONG, CORE/TOO_LARGE
        """
        sheet = sheets.read(raw)
        fields, passed = self._fields(sheet.header)
        if not sheet.rows:
            raise sheets.UNREADABLE(detail=NO_ROWS)
        choices = self._choices(fields.values())
        lines = [self._line(row, fields, choices) for row in sheet.rows]
        self._refuse_repeated(lines)
        return lines, set(fields.values()), passed

    def _fields(self, header: Sequence[str]) -> tuple[dict[int, str], list[str]]:
        """Fields by the place of their column, and the columns of the list that an import does not read."""
        names = {called: name for name, ask in self.asks.items() for called in self._called(name, ask)}
        others = {_folded(title) for title in self.others}
        fields = {at: names[_folded(title)] for at, title in enumerate(header) if _folded(title) in names}
        rest = [title for at, title in enumerate(header) if at not in fields and title]
        if unknown := [title for title in rest if _folded(title) not in others]:
            raise sheets.UNREADABLE(detail=UNKNOWN_COLUMNS.format(names=", ".join(unknown)))
        found = list(fields.values())
        for name, ask in self.asks.items():
            if found.count(name) > 1:
                raise sheets.UNREADABLE(detail=TWO_COLUMNS.format(name=ask.label))
            if name not in found and self._required(name):
                raise sheets.UNREADABLE(detail=NO_COLUMN.format(name=ask.label))
        return fields, rest

    def _called(self, name: str, ask: Ask) -> set[str]:
        shown = [*ask.label.in_all().values(), name, name.replace("_", "")]
        return {_folded(text) for text in shown}

    def _required(self, name: str) -> bool:
        return any(item.name == name and item.required for item in msgspec.structs.fields(self.wanted))

    def _line(self, row: sheets.Row, fields: Mapping[int, str], choices: Mapping[str, Mapping[str, str]]) -> Line:
        values = {name: row.cells[at] if at < len(row.cells) else "" for at, name in fields.items()}
        line = Line(row.number, values)
        wrong = [FieldError(pointer_of(fields[at]), told, "cell") for at, told in row.problems.items() if at in fields]
        try:
            if wrong:
                raise invalid(wrong)
            meant = {name: choices[name].get(_folded(text), text) for name, text in values.items()}
            line.wanted = parse(self.wanted, MultiDict(meant))
        except ConsoleError as error:
            line.refuse(error)
        return line

    def _choices(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        """Of each field the values of its choices by what people see, such as a list gives it as CSV."""
        asks, found = self.asks, {}
        for name in names:
            offered = asks[name].more.get("options", ())
            options = offered() if callable(offered) else offered
            found[name] = {_folded(word): one[0] for one in options for word in _all_words(one[1])}
        return found

    def _refuse_repeated(self, lines: Sequence[Line]) -> None:
        first: dict[str, int] = {}
        for line in lines:
            name = _folded(line.values[self.key])
            if line.wanted is not None and first.setdefault(name, line.number) != line.number:
                line.wanted = None
                line.refuse(invalid([FieldError(pointer_of(self.key), TWICE.format(n=first[name]), "twice")]))


def counted(lines: Sequence[Line]) -> dict[str, int]:
    """How many rows became what."""
    return {verb: sum(line.outcome.verb == verb for line in lines) for verb in VERBS}


def _all_words(label: Text | str) -> Collection[str]:
    return [label] if isinstance(label, str) else label.in_all().values()


def _folded(title: str) -> str:
    return title.strip(" *＊").casefold()


def refused(error: ConsoleError) -> Outcome:
    """A row that is left out, and why."""
    return Outcome(REFUSED, refusal=error)
