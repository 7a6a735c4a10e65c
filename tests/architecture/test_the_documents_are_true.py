"""What the documents say is what the code has."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pluggy
import pytest

from app import hooks

ROOT = Path(__file__).parents[2]


def _script(name: str) -> Any:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_features_is_up_to_date() -> None:
    assert (ROOT / "docs" / "features.md").read_text("utf-8") == _script("features").page(), (
        "run: python docs/features.py"
    )


def test_the_drawing_of_the_architecture_is_up_to_date() -> None:
    drawn = (ROOT / "docs" / "architecture.svg").read_text("utf-8")

    assert drawn == _script("drawing").drawn(), "run: python docs/drawing.py"


@pytest.mark.req("C-3")
def test_every_hook_has_a_section_in_the_documents() -> None:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    names = {name for name in vars(manager.hook) if not name.startswith("_")}
    sections = set(re.findall(r"^## `(\w+)", (ROOT / "docs" / "hooks.md").read_text("utf-8"), flags=re.M))

    assert sections == names


def test_every_dependency_is_explained() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    names = [re.split(r"[<>=\[ ]", d)[0].lower() for d in project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        names += [re.split(r"[<>=\[ ]", d)[0].lower() for d in extra if not d.startswith("antstack")]

    assert [name for name in names if f"`{name}`" not in text] == []
