"""What a list of parameters must keep beyond its shape."""

from __future__ import annotations

from collections.abc import Iterator

from app.contracts.json import Json
from app.errors import FieldError
from app.words import _
from plugins.yunyou.documents.json_file import pointer
from plugins.yunyou.documents.schema import shown
from plugins.yunyou.documents.validation.untyped import objects, text, texts
from plugins.yunyou.documents.values import misfit


def check(owner: Json, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    """The rules that the list ``owner["parameters"]`` breaks; *path* is where the list stands."""
    seen: set[str] = set()
    for at, parameter in objects(owner, "parameters"):
        key, kind = text(parameter, "key"), text(parameter, "type", "string")
        options = [option for __, option in texts(parameter, "options")]
        if key and key in seen:
            words = _("The parameter {key} stands here twice.")
            yield FieldError(pointer(*path, at, "key"), words.format(key=shown(key)))
        seen.add(key)
        if kind == "enum" and not options:
            words = _("A parameter of type enum needs options.")
            yield FieldError(pointer(*path, at, "options"), words)
        elif isinstance(parameter.get("value"), str | int | float):
            problem = misfit(parameter["value"], kind, options)
            if problem:
                yield FieldError(pointer(*path, at, "value"), problem)
