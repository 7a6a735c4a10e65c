"""Walks over the OpenAPI document: every answer has a shape, every field is described, and nothing breaks callers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import msgspec
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.application import create_app
from app.config import PLUGINS, load_settings
from app.web import openapi
from app.web.compatibility import breaks

BASELINE = Path(__file__).parents[2] / "docs" / "openapi-baseline.json"


def document_of(app: Flask) -> dict[str, Any]:
    """What the site answers at ``/api/v1/openapi.json``."""
    with app.app_context():
        return json.loads(json.dumps(openapi.document()))


def undescribed(schema: Any, where: str) -> Iterator[str]:
    """Where a schema has properties without a description."""
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                yield f"{where}.{name}"
        for key, inner in schema.items():
            yield from undescribed(inner, where if key == "properties" else f"{where}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from undescribed(inner, where)


@pytest.mark.req("C-60")
def test_every_operation_answers_a_shape(site: Flask) -> None:
    with site.app_context():
        found = openapi.operations()
    shapeless = [
        operation.id
        for _, operation in found
        for shape in openapi.returned(operation) or (None,)
        if not is_shape(shape) and operation.status != 204 and not operation.answers
    ]

    assert shapeless == [], "declare a Struct in `returns`, media types in `answers`, or status 204"


def is_shape(shape: Any) -> bool:
    origin = get_origin(shape)
    if origin is list:
        return all(is_shape(item) for item in shape.__args__)
    if origin is not None and issubclass(origin, msgspec.Struct):
        return all(is_shape(item) for item in shape.__args__)
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


@pytest.mark.req("C-60")
def test_every_field_and_parameter_is_described(site: Flask) -> None:
    document = document_of(site)
    fields = [
        place for name, schema in document["components"]["schemas"].items() for place in undescribed(schema, name)
    ]
    parameters = [
        f"{operation['operationId']}: {parameter['name']}"
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]

    assert (fields, parameters) == ([], []), 'write Annotated[type, doc("…")]'


class Inner(msgspec.Struct):
    told: str


class Outer(msgspec.Struct):
    inner: list[Inner]


@pytest.mark.req("C-60")
def test_a_field_without_a_description_is_found() -> None:
    _, components = msgspec.json.schema_components([Outer])

    found = [place for name, schema in components.items() for place in undescribed(schema, name)]
    assert found == ["Outer.inner", "Inner.told"]


@pytest.mark.req("C-60")
def test_the_document_of_the_whole_site_is_valid(site: Flask) -> None:
    OpenAPIV31SpecValidator(document_of(site)).validate()


@pytest.mark.req("C-60", "C-1")
@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_document_of_a_site_with_one_plugin_is_valid(plugin: str, tmp_path: Path) -> None:
    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": plugin,
            "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
            "OIDC_ISSUER": "" if plugin == "iam" else "https://iam.example",
        }
    )

    document = document_of(create_app(settings))

    OpenAPIV31SpecValidator(document).validate()
    areas = {path.split("/")[3] for path in document["paths"]}
    assert plugin in areas
    assert areas.isdisjoint(set(PLUGINS) - {plugin})


@pytest.mark.req("C-60")
def test_nothing_breaks_callers_of_the_last_baseline(site: Flask) -> None:
    found = [str(item) for item in breaks(json.loads(BASELINE.read_text("utf-8")), document_of(site))]

    assert found == [], "docs/api.md tells how a break is made on purpose"


@pytest.mark.req("C-45", "C-60")
def test_an_operation_that_looks_at_the_version_names_if_match(site: Flask) -> None:
    """Those of a resource do both by themselves."""
    with site.app_context():
        found = [operation for __, operation in openapi.operations() if "_on_one" not in operation.run.__qualname__]
    looks = {one.id for one in found if "need_version" in inspect.unwrap(one.run).__code__.co_names}

    assert looks == {one.id for one in found if one.versioned}
    assert len(looks) > 5
