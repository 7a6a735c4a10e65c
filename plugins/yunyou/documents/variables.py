"""Every name that a value may refer to: parameters, products, and what resources and cells give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from app.words import _
from plugins.yunyou.documents.application import MASK
from plugins.yunyou.documents.rendering import Rendering, Source, render
from plugins.yunyou.documents.solution import Cell, Product, Solution
from plugins.yunyou.documents.values import as_text

if TYPE_CHECKING:
    from plugins.yunyou.documents.parameters import Entry

_SECRET_OUTPUTS = {"db": ("password",), "cache": ("password",), "bucket": ("secretKey",)}
_NOT_IN_CELL = _("it refers to a value of a cell, but the application is in no scaling group.")


class Output(Struct, frozen=True, gc=False):
    """What a resource gives; without a value it is planned, and known once the order has made it."""

    value: str | None = None
    secret: bool = False
    template: bool = False

    def __repr__(self) -> str:
        return f"Output({MASK if self.secret else self.value!r})"


@dataclass(frozen=True, slots=True)
class Setting:
    """What values are rendered in: outputs by name (``db.orders.host``), and the cell keys of grouped applications."""

    outputs: Mapping[str, Output]
    grouped: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def setting_of(solution: Solution, known: Mapping[str, Output] | None = None) -> Setting:
    """The setting of a solution: everything it plans, with what is *known* of it already laid over."""
    outputs: dict[str, Output] = {}
    grouped: dict[tuple[str, str], frozenset[str]] = {}
    for product in solution.products:
        outputs.update(planned_outputs(product))
        for group in product.scaling_groups:
            keys = frozenset({"name", "zone"}.union(*(cell.parameters for cell in group.cells)))
            grouped.update({(product.code, app): keys for app in group.applications})
    versions = {product.code: product.version for product in solution.products}
    return Setting({**outputs, **(known or {})}, grouped, versions)


def planned_outputs(product: Product) -> dict[str, Output]:
    """What the databases, load balancers, buckets and caches of a product will give, by the names of the contract."""
    made: dict[str, Output] = {}
    for database in product.databases:
        _plan(made, f"db.{database.name}", ("host", "port", "user", "password"))
        made[f"db.{database.name}.schema"] = Output(database.name)
    for cache in product.caches:
        _plan(made, f"cache.{cache.name}", ("host", "port", "password"))
    for bucket in product.buckets:
        _plan(made, f"bucket.{bucket.name}", ("endpoint", "accessKey", "secretKey"))
        made[f"bucket.{bucket.name}.name"] = Output(bucket.name)
    for balancer in product.load_balancers:
        made[f"lb.{balancer.name}.address"] = Output()
        made[f"lb.{balancer.name}.domain"] = Output(balancer.domain or None, template=True)
        made[f"lb.{balancer.name}.port"] = Output(str(balancer.listeners[0].port))
    return made


def _plan(made: dict[str, Output], owner: str, attributes: tuple[str, ...]) -> None:
    hidden = _SECRET_OUTPUTS[owner.partition(".")[0]]
    made.update({f"{owner}.{name}": Output(secret=name in hidden) for name in attributes})


def render_names(entries: Iterable[Entry], setting: Setting) -> dict[str, Rendering]:
    """Render all values of a plan; what cells give stays open in grouped applications and is an error in others."""
    known = list(entries)
    sources = sources_of(known, setting)
    keys = frozenset({"name", "zone"}).union(*setting.grouped.values())
    sources |= {f"cell.{key}": Source(None) for key in keys}
    made = render(sources)
    for entry in known:
        rendering = made[entry.name]
        inside = setting.grouped.get((entry.address.product, entry.address.application))
        asked = [name.partition(".")[2] for name in rendering.open if name.startswith("cell.")]
        if asked and entry.address.level == "application" and not inside:
            made[entry.name] = Rendering(secret=rendering.secret, error=_NOT_IN_CELL)
    return made


def sources_of(entries: Iterable[Entry], setting: Setting) -> dict[str, Source]:
    """What every name of a plan stands for."""
    return _shared(setting) | {entry.name: _source(entry) for entry in entries}


def render_cell(entries: Iterable[Entry], setting: Setting, cell: Cell) -> dict[str, Rendering]:
    """Render all values for one cell."""
    sources = sources_of(entries, setting)
    values = {"name": cell.name, "zone": cell.zone, **{key: as_text(value) for key, value in cell.parameters.items()}}
    sources |= {f"cell.{key}": Source(value, literal=True) for key, value in values.items()}
    return render(sources)


class Renderings:
    """All values of a plan as applications get them: rendered once without a cell, and once for each cell."""

    def __init__(self, entries: Iterable[Entry], setting: Setting) -> None:
        self._entries, self._setting = list(entries), setting
        self._made: dict[tuple[str, str] | None, dict[str, Rendering]] = {}

    def of(self, product: str, cell: Cell | None) -> dict[str, Rendering]:
        """The values in one cell of a product, or outside of cells."""
        key = (product, cell.name) if cell else None
        if key not in self._made:
            self._made[key] = (
                render_cell(self._entries, self._setting, cell) if cell else render_names(self._entries, self._setting)
            )
        return self._made[key]


def _shared(setting: Setting) -> dict[str, Source]:
    sources = {
        name: Source(output.value, output.secret, literal=not output.template)
        for name, output in setting.outputs.items()
    }
    for code, version in setting.versions.items():
        sources[f"product.{code}.version"] = Source(version, literal=True)
    return sources


def _source(entry: Entry) -> Source:
    kind = entry.parameter.type
    value = None if entry.value is None else as_text(entry.value, kind)
    return Source(value, kind == "secret", absent=value is None, kind=kind, options=entry.parameter.options)
