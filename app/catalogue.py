"""Loads the enabled plugins and freezes what they declare. One manager per application, no globals."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar, cast

import pluggy

from app import hooks, schema
from app.config import SettingsError
from app.contracts.declarations import (
    ChecklistItem,
    Command,
    Door,
    HealthCheck,
    Job,
    Metric,
    NavItem,
    NavSection,
    ObjectLink,
    Periodic,
    Permission,
    Role,
    SearchProvider,
    Service,
    Use,
)
from app.errors import ErrorCode
from app.guard import Operation
from app.schema import History
from app.words import catalogues

BUILT_IN = "plugins"
GROUP = "antstack.plugins"
OF_THE_CORE = ("core", "kube", "order")  # how tables of the core begin
T = TypeVar("T")


class PluginError(SettingsError):
    """A plugin that stops the start; the message names it and the cause."""


@dataclass(frozen=True)
class Catalogue:
    """Everything that the core and the enabled plugins declared, checked for duplicates."""

    plugins: tuple[str, ...]
    manager: pluggy.PluginManager
    permissions: Mapping[str, Permission]
    roles: Mapping[str, Role]
    operations: Mapping[str, Operation]
    errors: Mapping[str, ErrorCode]
    jobs: Mapping[str, Job]
    periodic: Mapping[str, Periodic]
    steps: Mapping[str, Any]
    order_types: Mapping[str, Any]
    services: Mapping[type, Any]
    sections: tuple[NavSection, ...]
    nav: tuple[NavItem, ...]
    search: tuple[SearchProvider, ...]
    checklist: tuple[ChecklistItem, ...]
    health: tuple[HealthCheck, ...]
    commands: tuple[Command, ...]
    metrics: tuple[Metric, ...]
    links: Mapping[str, ObjectLink]
    doors: Mapping[str, Door]
    uses: tuple[Use, ...]
    settings: tuple[type, ...]
    histories: tuple[History, ...]
    apis: tuple[Any, ...] = ()
    blueprints: tuple[Any, ...] = ()

    def offers_of_others(self) -> Iterator[tuple[str, Service]]:
        """What plugins that are here but not enabled would offer, each with its name. They are imported for it."""
        for name in (*bundled(), *outside()):
            if name not in self.plugins:
                with contextlib.suppress(PluginError):
                    offers: Iterable[Service] = getattr(_import(name), "register_services", tuple)()
                    yield from ((name, offer) for offer in offers)


def load(plugins: Iterable[str], core: ModuleType) -> Catalogue:
    """Load *plugins* by name and gather their declarations together with the core's own.

    :raises PluginError: a plugin cannot be found or loaded, a hook is misspelt, or two declare the same thing
    """
    names = tuple(plugins)
    return _gather(names, _manager(names, core))


def settings_of(plugins: Iterable[str], core: ModuleType) -> list[type]:
    """What can be set of *plugins*, for whoever sets it before the site starts.

    :raises PluginError: as :func:`load` does
    """
    return _all(_manager(plugins, core), "register_settings")


def bundled() -> tuple[str, ...]:
    """The plugins that come with the console, enabled or not."""
    return tuple(found.name for found in pkgutil.iter_modules(importlib.import_module(BUILT_IN).__path__))


@cache
def outside() -> dict[str, EntryPoint]:
    """The plugins that were installed besides."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _manager(names: Iterable[str], core: ModuleType) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(core, "core")
    for name in names:
        try:
            module = _import(name)
            manager.register(module, name)
            catalogues.add(Path(str(module.__file__)).parent)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {name!r} does not fit: {error}") from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"a plugin implements a hook that does not exist: {error}") from error
    return manager


def _import(name: str) -> ModuleType:
    installed = outside().get(name)
    try:
        if installed:
            return cast("ModuleType", installed.load())
        return importlib.import_module(f"{BUILT_IN}.{name}.plugin")
    except ModuleNotFoundError as error:
        if error.name in (f"{BUILT_IN}.{name}", f"{BUILT_IN}.{name}.plugin"):
            raise PluginError(f"there is no plugin {name!r}: neither in plugins/ nor installed") from error
        raise PluginError(f"plugin {name!r} cannot be loaded: {error}") from error
    except Exception as error:
        raise PluginError(f"plugin {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _histories(names: Iterable[str], manager: pluggy.PluginManager) -> Iterator[History]:
    """The migrations of plugins that were installed besides, each in the folder ``migrations`` of its package.

    :raises PluginError: a plugin has tables but no migrations, more than one newest, or tables that are not called
        after it
    """
    for name in names:
        module = cast("ModuleType", manager.get_plugin(name))
        if name not in outside() or not module.__package__:
            continue
        import_if_there(f"{module.__package__}.models")
        tables = schema.tables_of(module.__package__)
        history = History(Path(str(module.__file__)).parent / "migrations", name)
        for table in sorted(tables):
            if not table.startswith(history.prefix) or name in (*bundled(), *OF_THE_CORE):
                words = f"its own begin with its name, {history.prefix}…, and nobody else's do"
                raise PluginError(f"plugin {name!r} has the table {table!r}; {words}")
        if tables and len(history.heads) != 1 and (history.heads or not history.folder.is_dir()):
            raise PluginError(
                f"plugin {name!r} has tables, but not one newest migration in {history.folder}: {history.heads}; "
                f"the first one is written into that folder by antstack db revision --plugin {name}"
            )
        if history.heads or history.folder.is_dir():
            yield history


def import_if_there(module: str) -> None:
    """Import *module* where it exists; what it imports must."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise


def _gather(names: tuple[str, ...], manager: pluggy.PluginManager) -> Catalogue:
    nav = _all(manager, "register_nav")
    return Catalogue(
        plugins=names,
        manager=manager,
        permissions=_unique("permission", _all(manager, "register_permissions"), lambda p: p.name),
        roles=_joined_roles(_all(manager, "register_roles")),
        operations=_unique("operation", _all(manager, "register_operations"), lambda o: o.code),
        errors=_unique("error code", _all(manager, "register_errors"), lambda e: e.code),
        jobs=_unique("job", _all(manager, "register_jobs"), lambda j: j.name),
        periodic=_unique("periodic work", _all(manager, "register_periodic"), lambda p: p.name),
        steps=_unique("kind of step", _all(manager, "register_steps"), lambda s: s.name),
        order_types=_unique("order type", _all(manager, "register_order_types"), lambda o: o.plugin),
        services=_services(_all(manager, "register_services")),
        sections=tuple(sorted((n for n in nav if isinstance(n, NavSection)), key=lambda s: s.order)),
        nav=tuple(sorted((n for n in nav if isinstance(n, NavItem)), key=lambda i: i.order)),
        search=tuple(_all(manager, "register_search")),
        checklist=tuple(sorted(_all(manager, "register_checklist"), key=lambda c: c.order)),
        health=tuple(_all(manager, "register_health_checks")),
        commands=tuple(_all(manager, "register_commands")),
        metrics=tuple(_all(manager, "register_metrics")),
        links=_unique("object link", _all(manager, "register_object_links"), lambda x: x.type),
        doors=_unique("door", _all(manager, "register_doors"), lambda d: d.scheme.lower()),
        uses=tuple(_all(manager, "register_uses")),
        settings=tuple(_all(manager, "register_settings")),
        histories=tuple(_histories(names, manager)),
        apis=tuple(_all(manager, "register_apis")),
        blueprints=tuple(_all(manager, "register_blueprints")),
    )


def _all(manager: pluggy.PluginManager, hook: str) -> list[Any]:
    answers = getattr(manager.hook, hook)()
    return [item for answer in reversed(answers) for item in answer or ()]


def _unique(what: str, items: Iterable[T], key: Any) -> Mapping[str, T]:
    found: dict[str, T] = {}
    for item in items:
        name = key(item)
        if name in found and found[name] is not item:
            raise PluginError(f"two plugins declare the {what} {name!r}")
        found[name] = item
    return MappingProxyType(found)


def _joined_roles(roles: Iterable[Role]) -> Mapping[str, Role]:
    joined: dict[str, Role] = {}
    for role in roles:
        before = joined.get(role.code)
        if before:
            permissions = (*before.permissions, *role.permissions)
            grants = tuple(dict.fromkeys((*before.grants, *role.grants)))
            role = Role(role.code, before.title, permissions, before.description, grants)
        joined[role.code] = role
    return MappingProxyType(joined)


def _services(offers: Iterable[Service]) -> Mapping[type, Any]:
    found: dict[type, Any] = {}
    for offer in offers:
        if offer.contract in found:
            raise PluginError(f"two plugins offer the service {offer.contract.__name__}")
        found[offer.contract] = offer.implementation()
    return MappingProxyType(found)
