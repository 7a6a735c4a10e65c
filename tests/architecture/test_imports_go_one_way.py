"""No module needs itself, over whatever ways: each can be read, tested and moved after those below it. The order of the
parts of ``app/`` is a contract of import-linter, in ``pyproject.toml``.
"""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp
import pytest


def _and_packages(imported: str, importer: str) -> set[str]:
    """A module with the packages that are run before it, but for those that the importer is in itself."""
    parts = imported.split(".")
    packages = {".".join(parts[:at]) for at in range(1, len(parts))}
    return {imported} | {package for package in packages if not f"{importer}.".startswith(f"{package}.")}


@pytest.mark.parametrize("root", ["app", "plugins", "sandbox"])
def test_no_module_imports_itself_at_run_time(root: str) -> None:
    graph = grimp.build_graph(root, exclude_type_checking_imports=True)
    needed = {
        module: set().union(
            *(_and_packages(other, module) for other in graph.find_modules_directly_imported_by(module))
        )
        for module in graph.modules
    }

    TopologicalSorter(needed).prepare()  # raises CycleError, naming the modules of a circle
