"""Whether a document has the shape of the format, and which of its fields the format doesn't know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.contracts.json import Json
from app.errors import FieldError
from app.words import Text, _, plain
from plugins.yunyou.documents.json_file import pointer
from plugins.yunyou.documents.solution import Body

MOST_ERRORS = 2000

_TYPES = {
    "object": _("an object"),
    "array": _("a list"),
    "string": _("a text"),
    "number": _("a number"),
    "integer": _("a whole number"),
    "boolean": _("true or false"),
    "null": _("null"),
}
_PATTERNS = {
    "name": _("must be 1 to 63 lower-case letters, digits or hyphens, and begin and end with a letter or digit"),
    "quantity": _("must be a Kubernetes quantity such as 500m, 2 or 4Gi"),
    "cpu": _("must be a number of cores such as 500m (half a core), 1 or 2.5"),
    "memory": _("must be an amount of memory such as 512Mi or 4Gi"),
    "key": _("must begin with a letter or underscore and hold only letters, digits, '_', '.' and '-'"),
    "code": _("must begin with a letter and hold only letters, digits and hyphens, 63 at most"),
    "mountPath": _("must be an absolute path"),
    "database": _("must begin with a lower-case letter and hold only lower-case letters, digits and '_', 63 at most"),
}


@cache
def schema() -> Json:
    """The JSON Schema of the format, as it ships with the console."""
    text = files(__package__).joinpath("solution.schema.json").read_text("utf-8")
    loaded: Json = json.loads(text)
    return loaded


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def body_of(document: Json) -> tuple[Body | None, list[FieldError]]:
    """The typed body of a document, or None with every place where its shape is wrong.

    A document that converts to the structs has the right shape, which costs a fiftieth of asking the
    JSON Schema; only one that doesn't is put to the schema, which names every problem at once.
    """
    try:
        return msgspec.convert(document, Body), []
    except msgspec.ValidationError as error:
        complaint = str(error)
    errors: list[FieldError] = []
    for problem in _validator().iter_errors(document):
        if len(errors) >= MOST_ERRORS:
            errors.append(FieldError("", _("There are more problems of this kind.")))
            break
        errors.extend(_in_words(problem))
    if errors:
        return None, errors
    try:  # JSON Schema takes 2.0 for a whole number
        return msgspec.convert(_whole(document), Body), []
    except msgspec.ValidationError:
        return None, [FieldError("", plain(complaint))]


def _whole(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _whole(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner, key) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() and key != "value" else value


def _in_words(problem: ValidationError) -> Iterator[FieldError]:
    at = pointer(*problem.absolute_path)
    found, limit, kind = problem.instance, problem.validator_value, str(problem.validator)
    if kind == "required":  # told once for each missing field, without saying which
        name = next(name for name in limit if repr(name) in problem.message and name not in found)
        words = _("The field {name} is missing.")
        yield FieldError(at + pointer(name), words.format(name=name))
        return
    maker = _MAKERS.get(kind)
    yield FieldError(at, maker(found, limit, problem) if maker else plain(problem.message[:300]))


def _type(found: Any, limit: Any, __: ValidationError) -> Text:
    wanted = [limit] if isinstance(limit, str) else list(limit)
    either = _TYPES[wanted[0]]
    for name in wanted[1:]:
        either = _("{one} or {other}").format(one=either, other=_TYPES[name])
    words = _("This must be {wanted}, not {found}.")
    return words.format(wanted=either, found=_TYPES[_type_of(found)])


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names[type(value)]


def _pattern(found: Any, limit: Any, problem: ValidationError) -> Text:
    path = list(problem.absolute_schema_path)
    last = str(problem.absolute_path[-1]) if problem.absolute_path else ""
    named = next((name for name, rule in schema()["$defs"].items() if rule.get("pattern") == limit), last)
    meaning = "database" if "database" in path else last if last in _PATTERNS else named
    words = _("“{found}” cannot be used: it {rule}.")
    rule = _PATTERNS.get(meaning) or _("must match {p}").format(p=limit)
    return words.format(found=shown(found), rule=rule)


def shown(value: Any) -> str:
    """A value as it is quoted in a sentence: short and in one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "…"


def _enum(found: Any, limit: Any, __: ValidationError) -> Text:
    words = _("“{found}” is not one of: {known}.")
    return words.format(found=shown(found), known=", ".join(map(str, limit)))


def _bound(words: Text) -> Any:
    def make(found: Any, limit: Any, __: ValidationError) -> Text:
        return words.format(found=shown(found), limit=limit)

    return make


_MAKERS: Json = {
    "type": _type,
    "pattern": _pattern,
    "enum": _enum,
    "minimum": _bound(_("{found} is too small: at least {limit}.")),
    "maximum": _bound(_("{found} is too large: at most {limit}.")),
    "minItems": _bound(_("There must be at least {limit} entry here.")),
    "minLength": _bound(_("This must not be empty.")),
    "maxLength": _bound(_("This is longer than {limit} characters.")),
}


def unknown_fields(document: Json) -> list[str]:
    """JSON pointers of the fields that the format doesn't know, in the order of the document.

    They are kept and shown, never dropped; free-form objects of the format are not looked into.
    """
    found: list[str] = []
    stack: list[tuple[tuple[str | int, ...], Any, Json]] = [((), document, schema())]
    while stack:
        path, value, rules = stack.pop()
        rules = _followed(rules)
        if isinstance(value, dict) and "properties" in rules:
            known = rules["properties"]
            found.extend(pointer(*path, name) for name in value if name not in known)
            inner = [((*path, name), item, known[name]) for name, item in value.items() if name in known]
            stack.extend(reversed(inner))
        elif isinstance(value, list) and "items" in rules:
            stack.extend(((*path, at), value[at], rules["items"]) for at in reversed(range(len(value))))
    return found


def _followed(rules: Json) -> Json:
    target = rules.get("$ref")
    return schema()["$defs"][target.rsplit("/", 1)[1]] if target else rules
