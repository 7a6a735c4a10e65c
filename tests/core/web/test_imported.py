"""Rows of a file as those of a Struct."""

from __future__ import annotations

from typing import Annotated

import pytest
from flask import Flask

from app.contracts.shapes import Ask
from app.web.api import In
from app.web.imported import Columns
from app.words import Text, kept, plain


def kinds() -> list[tuple[str, Text | str]]:
    return [("car", kept({"en": "Car", "zh": "汽车"})), ("bus", "Omnibus")]


class Vehicle(In):
    """Something of a kind."""

    name: Annotated[str, Ask(plain("Name"))]
    kind: Annotated[str, Ask(plain("Kind"), "select", {"options": kinds})] = "bus"


@pytest.mark.req("C-60")
def test_a_choice_is_named_by_its_value_or_as_people_see_it(app_context: Flask) -> None:
    rows = "name,kind\na,car\nb,Car\nc,汽车\nd,omnibus\ne,train\n".encode()

    lines, __, __ = Columns(Vehicle, "name", ()).read(rows)

    assert [line.wanted.kind for line in lines] == ["car", "car", "car", "bus", "train"]
