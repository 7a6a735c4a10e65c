"""All parameters of a solution or baseline, rendered, so that two sides can be compared as containers see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plugins.yunyou.documents.changes import Change, shown
from plugins.yunyou.documents.parameters import Entries, Entry, entries_of
from plugins.yunyou.documents.rendering import Rendering
from plugins.yunyou.documents.solution import Solution
from plugins.yunyou.documents.variables import Output, render_names, setting_of


@dataclass(frozen=True)
class Rendered:
    """One side of a comparison."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    values: Mapping[str, Rendering] = field(default_factory=dict)
    by_product: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)
    by_application: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def changes(self, old: Rendered, product: str, application: str) -> Iterator[Change]:
        """How the start-up parameters of an application differ from those of the *old* side."""
        mine = self.by_application.get((product, application), ())
        theirs = old.by_application.get((product, application), ())
        for name in [*mine, *(name for name in theirs if name not in self.entries)]:
            change = self.change(old, name)
            if change:
                yield Change(f"parameters.{name.partition('.')[2]}", change.before, change.after, change.secret)

    def change(self, old: Rendered, name: str) -> Change | None:
        """How one parameter differs from the *old* side, as rendered; None when it doesn't."""
        before, after = old.values.get(name), self.values.get(name)
        if before == after or _text(before) == _text(after):
            return None
        secret = any(value.secret for value in (before, after) if value)
        return Change(name, shown(_text(before)), shown(_text(after)), secret)


def _text(value: Rendering | None) -> str | None:
    if value is None or value.absent:
        return None
    return "".join(map(str, value.pieces)) if not value.error else f"({value.error!s})"


def rendered(solution: Solution | None, entries: Entries | None, outputs: Mapping[str, Output] | None) -> Rendered:
    """Render one side; *entries* are its parameters where decisions were made about them."""
    if solution is None:
        return Rendered()
    chosen = entries_of(solution) if entries is None else entries
    by_product: dict[str, dict[str, Entry]] = {}
    by_application: dict[tuple[str, str], list[str]] = {}
    for entry in chosen:
        place = entry.address
        by_product.setdefault(place.product, {})[entry.name] = entry
        if place.application:
            by_application.setdefault((place.product, place.application), []).append(entry.name)
    return Rendered(
        {entry.name: entry for entry in chosen},
        render_names(chosen, setting_of(solution, outputs)),
        by_product,
        {place: tuple(names) for place, names in by_application.items()},
    )
