"""What a plugin is called stands in the plugin: whoever adds or removes one edits nothing in ``app/``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import catalogue

ROOT = Path(__file__).parents[2]
ALLOWED = {
    ("app/config.py", "iam"): "what a site enables that names nothing is configuration, as is the example in an error",
    ("app/config.py", "yunyou"): "the same",
    ("app/config.py", "captain"): "the same",
    ("app/config.py", "dns"): "the same",
    ("app/config.py", "openapi"): "the same",
    ("app/auth/snapshot.py", "iam"): "keys in Redis of what another site's IAM said",
    ("app/processes/memory.py", "dns"): "a module of dnspython",
    ("app/core/api.py", "openapi"): "the API's description, whose standard has this name",
    ("app/web/openapi.py", "openapi"): "the same",
}


def _named(source: str) -> Iterator[str]:
    """Words of the strings and imports of a module; its docstrings may speak of whom they like."""
    tree = ast.parse(source)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield from re.findall(r"[a-z]+", node.value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(catalogue.BUILT_IN):
            yield from f"{node.module}.{node.names[0].name}".split(".")
        elif isinstance(node, ast.Import):
            yield from (
                part for name in node.names if name.name.startswith(catalogue.BUILT_IN) for part in name.name.split(".")
            )


@pytest.mark.req("C-3")
def test_no_module_of_the_core_names_a_plugin() -> None:
    plugins = set(catalogue.bundled())
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / "app").rglob("*.py")
        for name in plugins.intersection(_named(path.read_text("utf-8")))
    }

    assert plugins >= {"iam", "dns"}
    assert found == set(ALLOWED)
