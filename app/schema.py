"""Which migrations this code needs: the console's, and those of each plugin that was installed besides.

Asked at every readiness probe, so without Alembic, which would cost 10 MiB a process.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Table, column, inspect, select, table

from app import site
from app.db import Model, db

REVISION = re.compile(r"^(down_)?revision\b[^=]*= *['\"]([\w-]+)['\"]", re.M)


@dataclass(frozen=True)
class History:
    """One line of migrations, and the table that keeps how far a database has come in it.

    The console's holds the core and every bundled plugin, enabled or not: its ``plugin`` is empty.
    """

    folder: Path
    plugin: str = ""

    @property
    def prefix(self) -> str:
        """How the plugin's tables begin."""
        return f"{self.plugin.replace('-', '_')}_"

    @property
    def version_table(self) -> str:
        """Alembic's table of this history."""
        return f"alembic_version_{self.prefix[:-1]}" if self.plugin else "alembic_version"

    @cached_property
    def heads(self) -> list[str]:
        """The revisions that no other one follows: one, or the history is broken."""
        found = [match for file in self.folder.glob("*.py") for match in REVISION.finditer(file.read_text("utf-8"))]
        return sorted({m[2] for m in found if not m[1]} - {m[2] for m in found if m[1]})


CORE = History(Path(__file__).parent.parent / "migrations" / "versions")


def histories() -> list[History]:
    """The console's history and those of its plugins, in the order in which they are brought up to date."""
    return [CORE, *site.catalogue().histories]


def is_current() -> bool:
    """Whether the database has every migration of the code."""
    known = inspect(db.session.connection())
    return all(known.has_table(history.version_table) and _reached(history) == history.heads for history in histories())


def _reached(history: History) -> list[str]:
    return list(db.session.scalars(select(column("version_num")).select_from(table(history.version_table))))


def tables_of(package: str) -> set[str]:
    """The tables that modules of *package* declare, as models or as such."""
    inside = [module for name, module in list(sys.modules.items()) if f"{name}.".startswith(f"{package}.")]
    bare = {item.name for module in inside for item in vars(module).values() if isinstance(item, Table)}
    models = [mapper for mapper in Model.registry.mappers if f"{mapper.class_.__module__}.".startswith(f"{package}.")]
    return bare | {str(mapper.local_table.description) for mapper in models}
