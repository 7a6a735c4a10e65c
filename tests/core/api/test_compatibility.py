"""``antstack openapi check``: each kind of break between two documents is named, and what is added is none."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.web.compatibility import breaks

PET = {
    "type": "object",
    "required": ["id", "name", "state"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "state": {"enum": ["here", "gone"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "mother": {"anyOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "null"}]},
    },
}
NEW_PET = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 64},
        "kind": {"enum": ["cat", "dog"]},
        "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "security": [{"bearer": []}, {"signature": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "pets.list",
                "security": [],
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 500}}],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}
                            }
                        },
                    }
                },
            },
            "post": {
                "operationId": "pets.create",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewPet"}}}},
                "responses": {
                    "201": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    }
                },
            },
        },
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "delete": {
                "operationId": "pets.delete",
                "responses": {"204": {"description": ""}, "409": {"description": ""}},
            },
        },
    },
    "components": {"schemas": {"Pet": PET, "NewPet": NEW_PET}},
}
LIST, CREATE, DELETE = "GET /pets", "POST /pets", "DELETE /pets/{id}"


def changed(change: Callable[[Any, Any, Any, Any], object]) -> set[tuple[str, str, str]]:
    """What breaks when *change* is made to paths, the shape of a pet, that of a new one, and the document."""
    after = copy.deepcopy(DOCUMENT)
    change(after["paths"], after["components"]["schemas"]["Pet"], after["components"]["schemas"]["NewPet"], after)
    return {(found.kind, found.operation, found.where) for found in breaks(DOCUMENT, after)}


BREAKS: dict[str, tuple[Callable[[Any, Any, Any, Any], object], set[tuple[str, str, str]]]] = {
    "an operation is gone": (lambda paths, *_: paths["/pets"].pop("get"), {("operation-gone", LIST, "")}),
    "a path is gone": (lambda paths, *_: paths.pop("/pets/{id}"), {("operation-gone", DELETE, "")}),
    "an operationId is another": (
        lambda paths, *_: paths["/pets"]["get"].update(operationId="pets.all"),
        {("operation-id-changed", LIST, "pets.list → pets.all")},
    ),
    "a parameter is gone": (
        lambda paths, *_: paths["/pets"]["get"].update(parameters=[]),
        {("parameter-gone", LIST, "query limit")},
    ),
    "a parameter became required": (
        lambda paths, *_: paths["/pets"]["get"]["parameters"][0].update(required=True),
        {("parameter-required", LIST, "query limit")},
    ),
    "a new parameter is required": (
        lambda paths, *_: paths["/pets/{id}"]["delete"].update(
            parameters=[*paths["/pets/{id}"]["parameters"], {"name": "uid", "in": "query", "required": True}]
        ),
        {("parameter-required", DELETE, "query uid")},
    ),
    "a parameter is of a narrower type": (
        lambda paths, *_: paths["/pets/{id}"]["parameters"][0].update(schema={"type": "integer"}),
        {("parameter-type-narrowed", DELETE, "path id")},
    ),
    "a parameter takes less": (
        lambda paths, *_: paths["/pets"]["get"]["parameters"][0]["schema"].update(maximum=100),
        {("parameter-limit-tightened", LIST, "query limit")},
    ),
    "a body became required": (
        lambda paths, *_: paths["/pets"]["post"]["requestBody"].update(required=True),
        {("request-body-required", CREATE, "")},
    ),
    "a body is not taken any more": (
        lambda paths, *_: paths["/pets"]["post"].pop("requestBody"),
        {("request-body-gone", CREATE, "application/json")},
    ),
    "a field of a request is gone": (
        lambda _p, _s, new, _d: new["properties"].pop("age"),
        {("request-field-gone", CREATE, "/age")},
    ),
    "a field of a request became required": (
        lambda _p, _s, new, _d: new["required"].append("kind"),
        {("request-field-required", CREATE, "/kind")},
    ),
    "a new field of a request is required": (
        lambda _p, _s, new, _d: (new["required"].append("owner"), new["properties"].update(owner={"type": "string"})),
        {("request-field-required", CREATE, "/owner")},
    ),
    "a field of a request is of another type": (
        lambda _p, _s, new, _d: new["properties"].update(name={"type": "integer"}),
        {("request-type-narrowed", CREATE, "/name")},
    ),
    "a field of a request takes no null": (
        lambda _p, _s, new, _d: new["properties"].update(age={"type": "integer"}),
        {("request-null-refused", CREATE, "/age")},
    ),
    "a field of a request takes fewer values": (
        lambda _p, _s, new, _d: new["properties"]["kind"].update(enum=["cat"]),
        {("request-enum-narrowed", CREATE, "/kind")},
    ),
    "a field of a request may be shorter only": (
        lambda _p, _s, new, _d: new["properties"]["name"].update(maxLength=32),
        {("request-limit-tightened", CREATE, "/name")},
    ),
    "a field of an answer is gone": (
        lambda _p, pet, *_: (pet["properties"].pop("name"), pet["required"].remove("name")),
        {("response-field-gone", LIST, "200/*/name"), ("response-field-gone", CREATE, "201/name")},
    ),
    "an optional field of an answer is gone": (
        lambda _p, pet, *_: pet["properties"].pop("tags"),
        {("response-field-gone", LIST, "200/*/tags"), ("response-field-gone", CREATE, "201/tags")},
    ),
    "a field of an answer may be left out": (
        lambda _p, pet, *_: pet["required"].remove("name"),
        {("response-field-optional", LIST, "200/*/name"), ("response-field-optional", CREATE, "201/name")},
    ),
    "a field of an answer may be null": (
        lambda _p, pet, *_: pet["properties"].update(name={"type": ["string", "null"]}),
        {("response-became-nullable", LIST, "200/*/name"), ("response-became-nullable", CREATE, "201/name")},
    ),
    "a field of an answer is of another type": (
        lambda _p, pet, *_: pet["properties"].update(tags={"type": "array", "items": {"type": "integer"}}),
        {("response-type-changed", LIST, "200/*/tags/*"), ("response-type-changed", CREATE, "201/tags/*")},
    ),
    "a field of an answer has more values": (
        lambda _p, pet, *_: pet["properties"]["state"].update(enum=["here", "gone", "lost"]),
        {("response-enum-widened", LIST, "200/*/state"), ("response-enum-widened", CREATE, "201/state")},
    ),
    "a status is another": (
        lambda paths, *_: paths["/pets"]["post"].update(responses={"202": paths["/pets"]["post"]["responses"]["201"]}),
        {("status-gone", CREATE, "201")},
    ),
    "an answer has no content": (
        lambda paths, *_: paths["/pets"]["post"]["responses"]["201"].pop("content"),
        {("response-gone", CREATE, "201 application/json")},
    ),
    "what was open asks who calls": (
        lambda paths, *_: paths["/pets"]["get"].pop("security"),
        {("security-tightened", LIST, "")},
    ),
    "one way in is shut": (
        lambda *all: all[3].update(security=[{"bearer": []}]),
        {("security-tightened", CREATE, ""), ("security-tightened", DELETE, "")},
    ),
}


@pytest.mark.req("C-60")
@pytest.mark.parametrize(("change", "named"), BREAKS.values(), ids=BREAKS.keys())
def test_a_break_is_named(change: Callable[[Any, Any, Any, Any], object], named: set[tuple[str, str, str]]) -> None:
    assert changed(change) == named


ADDITIONS: dict[str, Callable[[Any, Any, Any, Any], object]] = {
    "nothing": lambda *_: None,
    "a path": lambda paths, *_: paths.update({"/cats": {"get": {"operationId": "cats.list", "responses": {}}}}),
    "an optional parameter": lambda paths, *_: paths["/pets"]["get"]["parameters"].append({"name": "q", "in": "query"}),
    "an optional field of a request": lambda _p, _s, new, _d: new["properties"].update(color={"type": "string"}),
    "a field of an answer": lambda _p, pet, *_: (pet["required"].append("color"), pet["properties"].update(color={})),
    "more values in a request": lambda _p, _s, new, _d: new["properties"]["kind"].update(enum=["cat", "dog", "cow"]),
    "any value in a request": lambda _p, _s, new, _d: new["properties"].update(kind={"type": "string"}),
    "a longer value in a request": lambda _p, _s, new, _d: new["properties"]["name"].update(maxLength=128),
    "fewer values in an answer": lambda _p, pet, *_: pet["properties"]["state"].update(enum=["here"]),
    "a status for an error": lambda paths, *_: paths["/pets"]["post"]["responses"].update({"409": {"description": ""}}),
    "an error's status less": lambda paths, *_: paths["/pets/{id}"]["delete"]["responses"].pop("409"),
    "a way in": lambda *all: all[3]["security"].append({"cookie": []}),
    "no question who calls": lambda paths, *_: paths["/pets"]["post"].update(security=[]),
    "another name of a shape": lambda paths, _s, _n, document: (
        document["components"]["schemas"].update(Animal=document["components"]["schemas"]["Pet"]),
        paths["/pets"]["post"]["responses"]["201"]["content"]["application/json"].update(
            schema={"$ref": "#/components/schemas/Animal"}
        ),
    ),
}


@pytest.mark.req("C-60")
@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS.keys())
def test_an_addition_breaks_nobody(change: Callable[[Any, Any, Any, Any], object]) -> None:
    assert changed(change) == set()


@pytest.mark.req("C-60")
def test_the_command_names_breaks_and_fails(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(DOCUMENT))
    new.write_text(json.dumps({**DOCUMENT, "paths": {}}))

    same = CliRunner().invoke(main, ["openapi", "check", str(old), str(old)])
    broken = CliRunner().invoke(main, ["openapi", "check", str(old), str(new)])

    assert (same.exit_code, same.output) == (0, "nothing breaks\n")
    assert broken.exit_code == 1
    assert broken.output.splitlines() == [
        "GET /pets: operation-gone",
        "POST /pets: operation-gone",
        "DELETE /pets/{id}: operation-gone",
        "3 break(s)",
    ]
