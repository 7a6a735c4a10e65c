"""``python -m tests.mutants [MODULE]``: change a line, run the tests nearest to it, name the changes that none noticed.

Works on a copy of the files that git knows, so that the tree stays as it is, whenever this is stopped.
``mutants.toml`` says which modules have which tests, and holds mutations by hand. Exits with 1 when a mutation
survives.
"""

from __future__ import annotations

import argparse
import ast
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkItem

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.toml")
PYTEST = f"{shlex.quote(sys.executable)} -m pytest -x -q -n0 -p no:cacheprovider"
# Of the replacements for an operator, those that the others do not surpass: the opposite, and the next one.
REPLACED = frozenset(
    {
        "Eq_NotEq",
        "NotEq_Eq",
        "Lt_LtE",
        "Lt_GtE",
        "LtE_Lt",
        "LtE_Gt",
        "Gt_GtE",
        "Gt_LtE",
        "GtE_Gt",
        "GtE_Lt",
        "Is_IsNot",
        "IsNot_Is",
        "Add_Sub",
        "Sub_Add",
        "Mul_Div",
        "Div_Mul",
        "FloorDiv_Mul",
        "Mod_Mul",
        "Pow_Mul",
        "RShift_LShift",
        "LShift_RShift",
        "BitOr_BitAnd",
        "BitAnd_BitOr",
        "BitXor_BitAnd",
        "Delete_Not",
        "Delete_USub",
        "Delete_Invert",
    }
)


def main() -> int:
    """Run what the command line names; 1 when something survived, or when tests fail before anything is changed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("module", nargs="?", default="", help="a module of mutants.toml, 'named', or nothing for all")
    parser.add_argument("--at-most", type=float, default=600, help="seconds for each module; what is left is counted")
    chosen = parser.parse_args()
    listed = tomllib.loads(LIST.read_text())
    modules = {name: tests for name, tests in listed["modules"].items() if chosen.module in ("", name)}
    by_hand = [item for item in listed["named"] if chosen.module in ("", "named", item["module"])]
    if not modules and not by_hand:
        parser.error(f"{chosen.module} is not in {LIST.relative_to(ROOT)}")
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        _copy(Path(folder))
        os.chdir(folder)
        for item in by_hand:
            survivors += _by_hand(item)
        for name, tests in modules.items():
            survivors += _by_tool(name, tests, chosen.at_most)
    return 1 if survivors else 0


def _copy(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "app", "plugins", "tests"], cwd=folder, check=True)


def _by_hand(item: dict[str, str | list[str]]) -> int:
    """Whether the mutation survived; one whose line is gone counts as such, so that it is written anew."""
    path, before, after = Path(str(item["module"])), str(item["before"]), str(item["after"])
    text = path.read_text()
    if text.count(before) != 1:
        print(f"GONE      {item['module']}: {item['what']}: its line is not there once: {before.strip()}", flush=True)
        return 1
    path.write_text(text.replace(before, after))
    try:
        failed = _fails(list(item["tests"]))
    finally:
        path.write_text(text)
    print(f"{'killed' if failed else 'SURVIVED':9} {item['module']}: {item['what']}", flush=True)
    return 0 if failed else 1


def _fails(tests: list[str]) -> bool:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run([*shlex.split(PYTEST), *tests], env=env, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):  # 1: tests failed; 4, 5: no such test
        raise SystemExit(f"{' '.join(tests)}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
    return ended.returncode == 1


def _by_tool(name: str, tests: list[str], at_most: float) -> int:
    """How many of the tool's mutations of a module survived."""
    started = time.monotonic()
    if _fails(tests):
        print(f"FAILED    {name}: its tests fail before anything is changed", flush=True)
        return 1
    limit = 30 + 5 * (time.monotonic() - started)
    found, survived, tried = list(_mutations(Path(name))), 0, 0
    for item in found:
        if time.monotonic() - started > at_most:
            break
        result = mutate_and_test(item.mutations, f"{PYTEST} {shlex.join(tests)}", limit)
        tried += 1
        if result.test_outcome is TestOutcome.SURVIVED:
            survived += 1
            print(
                f"SURVIVED  {name}:{item.mutations[0].start_pos[0]} {item.mutations[0].operator_name}\n{result.diff}",
                flush=True,
            )
    left = f", {len(found) - tried} not tried for want of time" if tried < len(found) else ""
    print(f"{name}: {tried} mutations, {survived} survived{left}", flush=True)
    return survived


def _mutations(path: Path) -> Iterator[WorkItem]:
    """The tool's mutations but those of annotations, which nothing runs, and replacements that show no more than
    another.
    """
    notes = [
        note
        for node in ast.walk(ast.parse(path.read_text()))
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if note is not None
    ]
    with use_db(f"{path.name}.sqlite") as work:
        init([path], work, {})
        items = work.work_items
    for item in sorted(items, key=lambda item: item.mutations[0].start_pos):
        change = item.mutations[0]
        if _is_telling(change) and not any(_is_within(change, note) for note in notes):
            yield item


def _is_telling(change: MutationSpec) -> bool:
    replaced = change.operator_name.partition("_")[2]
    return not replaced or replaced in REPLACED


def _is_within(change: MutationSpec, note: ast.expr) -> bool:
    begins, ends = (note.lineno, note.col_offset), (note.end_lineno or 0, note.end_col_offset or 0)
    return begins <= change.start_pos and change.end_pos <= ends


if __name__ == "__main__":
    raise SystemExit(main())
