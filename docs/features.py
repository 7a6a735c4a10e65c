"""Writes ``docs/features.md`` from the requirement marks of the tests: ``python docs/features.py``."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "features.md"
AREAS = {"C": "Core", "I": "IAM", "Y": "Yunyou", "K": "Captain", "D": "DNS", "O": "OpenAPI", "Q": "Quality"}
HEAD = """# Features

Generated from the tests by `python docs/features.py`: a requirement is here because a test shows it, and with the
tests that do. A test checks that this page is up to date.
"""


def marked() -> dict[str, list[str]]:
    """Requirement → tests that show it, as ``path::name``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text("utf-8"))
        of_all = _marks_of_module(module)
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for requirement in dict.fromkeys((*of_all, *_marks(node.decorator_list))):
                    found[requirement].append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def _marks_of_module(module: ast.Module) -> list[str]:
    """The marks in ``pytestmark``, which all tests of a file carry."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return _marks(node.value.elts if isinstance(node.value, ast.List) else [node.value])
    return []


def _marks(marks: list[ast.expr]) -> list[str]:
    found: list[str] = []
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.req":
            found += [argument.value for argument in mark.args if isinstance(argument, ast.Constant)]
    return found


def page() -> str:
    """The whole page."""
    found = marked()
    lines = [HEAD]
    for letter, area in AREAS.items():
        mine = sorted((r for r in found if r.startswith(f"{letter}-")), key=lambda r: int(r.partition("-")[2]))
        if mine:
            lines.append(f"\n## {area}\n\n| requirement | tests | shown by |\n| --- | --- | --- |")
            for requirement in mine:
                tests = found[requirement]
                shown = ", ".join(f"`{test.rpartition('::')[2]}`" for test in tests[:3]) + (
                    " …" if len(tests) > 3 else ""
                )
                lines.append(f"| {requirement} | {len(tests)} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.exit(0)
