"""The page of one thing: facts, cards with tables, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from app.web.render import render
from app.web.resources import Resource
from app.web.table import Action
from app.words import Text


def show(
    title: str | Text, trail: tuple[Text, str], facts: Sequence[tuple[Text, Any]] = (), **context: Any
) -> Response:
    """The page of one thing.

    :param trail: title and address of the list that it is in
    :param facts: what is told of it; a time is shown relative
    :param context: ``actions``, ``cards``, ``badge``, ``object_id`` (templates/core/show.html)
    """
    return render("core/show.html", title=title, trail=trail, fact_list=facts, **context)


def show_row(of: Resource[Any], row: Any, facts: Sequence[tuple[Text, Any]], *cards: dict[str, Any]) -> Response:
    """The page of one of a resource, with what can be done with it."""
    trail = (of.title, of.url(None, "list"))
    actions = sorted(of.actions(row), key=lambda action: action.danger)
    return show(of.name(row), trail, facts, actions=actions, object_id=row.id, cards=cards)


def card(
    title: Text, columns: Sequence[Text], rows: Sequence[Sequence[Any]], empty: Text, *actions: Action
) -> dict[str, Any]:
    """A table on the page of something."""
    return {"title": title, "columns": columns, "rows": rows, "empty": empty, "actions": actions}
