"""Derives ``types.json`` from Kubernetes' own OpenAPI v3 files.

    python -m sandbox.schema.derive FOLDER

FOLDER is ``api/openapi-spec/v3`` of a Kubernetes release (v1.37.2 when this was last
run; Apache-2.0). Only names, types, defaults of keys and merge behaviour are kept: no
descriptions. A field is its type code, or a list of the code and its traits:

``s i l d b`` string, int32, int64, number, boolean; ``q I t y o`` quantity,
int-or-string, time, base64, anything; ``@Type`` an object; ``[code`` a list;
``%code`` a map. Traits: ``t`` list type, ``k`` list map keys, ``m`` patch merge key,
``p`` patch strategy, ``a`` atomic map, ``d`` default.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SOURCE = "Kubernetes v1.37.2 api/openapi-spec/v3 (Apache-2.0)"
GROUPS = [
    "api__v1",
    "apis__admissionregistration.k8s.io__v1",
    "apis__apiextensions.k8s.io__v1",
    "apis__apps__v1",
    "apis__authentication.k8s.io__v1",
    "apis__authorization.k8s.io__v1",
    "apis__autoscaling__v2",
    "apis__batch__v1",
    "apis__coordination.k8s.io__v1",
    "apis__discovery.k8s.io__v1",
    "apis__networking.k8s.io__v1",
    "apis__policy__v1",
    "apis__rbac.authorization.k8s.io__v1",
    "apis__scheduling.k8s.io__v1",
    "apis__storage.k8s.io__v1",
]
PREFIXES = ("io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apiextensions-apiserver.pkg.apis.")
LEAVES = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "I",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "o",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "o",
}
FORMATS = {"int32": "i", "int64": "l", "double": "d", "byte": "y", "date-time": "t"}
PLAIN = {"string": "s", "integer": "i", "number": "d", "boolean": "b"}


def short(name: str) -> str:
    """The definition's name without its common beginning."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def code_of(schema: dict[str, Any], wanted: set[str]) -> str:
    """The type code of *schema*; definitions that it names are added to *wanted*."""
    reference = schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref")
    if reference:
        name = reference.rsplit("/", 1)[1]
        if name in LEAVES:
            return LEAVES[name]
        wanted.add(name)
        return "@" + short(name)
    if schema.get("type") == "array":
        return "[" + code_of(schema["items"], wanted)
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "%" + code_of(schema["additionalProperties"], wanted)
    return FORMATS.get(schema.get("format", "")) or PLAIN.get(schema.get("type", ""), "o")


def field_of(schema: dict[str, Any], wanted: set[str]) -> Any:
    """One field: its code, with traits where it has any."""
    traits = {
        "t": schema.get("x-kubernetes-list-type"),
        "k": schema.get("x-kubernetes-list-map-keys"),
        "m": schema.get("x-kubernetes-patch-merge-key"),
        "p": schema.get("x-kubernetes-patch-strategy"),
        "a": 1 if schema.get("x-kubernetes-map-type") == "atomic" else None,
        "d": schema.get("default"),
    }
    if traits["t"] == "atomic":  # what a list is when nothing is said
        traits["t"] = None
    kept = {name: value for name, value in traits.items() if value is not None and value != ""}
    code = code_of(schema, wanted)
    return [code, kept] if kept else code


def derive(folder: Path) -> dict[str, Any]:
    """All types that the served kinds reach."""
    schemas: dict[str, Any] = {}
    wanted: set[str] = set()
    for group in GROUPS:
        document = json.loads((folder / f"{group}_openapi.json").read_text())
        schemas.update(document["components"]["schemas"])
        for path in document["paths"].values():
            for verb in ("post", "get"):
                kind = path.get(verb, {}).get("x-kubernetes-group-version-kind")
                if kind:
                    wanted.update(names_of(schemas, kind))
    types: dict[str, Any] = {}
    while todo := [name for name in sorted(wanted) if short(name) not in types]:
        for name in todo:
            types[short(name)] = type_of(name, schemas.get(name, {}), wanted)
    return {"source": SOURCE, "types": dict(sorted(types.items()))}


def names_of(schemas: dict[str, Any], kind: dict[str, str]) -> set[str]:
    """The definitions that say they are this kind."""
    return {name for name, schema in schemas.items() if kind in schema.get("x-kubernetes-group-version-kind", [])}


def type_of(name: str, schema: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """One definition in the compact form."""
    made: dict[str, Any] = {"n": name}
    if "properties" in schema:
        made["f"] = {field: field_of(body, wanted) for field, body in schema["properties"].items()}
    else:
        made["c"] = code_of(schema, wanted)
    if schema.get("required"):
        made["r"] = schema["required"]
    if schema.get("x-kubernetes-map-type") == "atomic":
        made["a"] = 1
    kinds = schema.get("x-kubernetes-group-version-kind", [])
    if len(kinds) == 1:  # DeleteOptions and WatchEvent name every group there is
        made["g"] = [kinds[0]["group"], kinds[0]["version"], kinds[0]["kind"]]
    return made


if __name__ == "__main__":
    target = Path(__file__).with_name("types.json")
    target.write_text(json.dumps(derive(Path(sys.argv[1])), separators=(",", ":")).replace('"},"', '"},\n"') + "\n")
    print(f"{target}: {target.stat().st_size} bytes")  # noqa: T201 - the one line that callers wait for
