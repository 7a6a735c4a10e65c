"""``mutants.toml`` names what is there: a module that moved or a line that was rewritten takes its mutation along."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())


@pytest.mark.parametrize("module", LIST["modules"])
def test_a_module_that_is_listed_is_there_with_its_tests(module: str) -> None:
    assert [name for name in (module, *LIST["modules"][module]) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("item", LIST["named"], ids=lambda item: item["what"])
def test_a_mutation_by_hand_changes_one_place(item: dict[str, str]) -> None:
    assert (ROOT / item["module"]).read_text().count(item["before"]) == 1
    assert item["before"] != item["after"]
    assert [name for name in item["tests"] if not (ROOT / name).exists()] == []
