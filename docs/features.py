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
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for requirement in _marks(node):
                    found[requirement].append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def _marks(node: ast.FunctionDef) -> list[str]:
    marks: list[str] = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.req":
            marks += [argument.value for argument in decorator.args if isinstance(argument, ast.Constant)]
    return marks


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
                shown = ", ".join(f"`{test.rpartition('::')[2]}`" for test in tests[:3]) + (" …" if len(tests) > 3 else "")
                lines.append(f"| {requirement} | {len(tests)} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.exit(0)
