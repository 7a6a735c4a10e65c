"""The types of the API as a graph: which fields there are, and how each one merges."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("types.json")


@lru_cache(maxsize=1)
def definitions() -> dict[str, dict[str, Any]]:
    """All definitions by short name, as ``derive.py`` wrote them."""
    loaded: dict[str, dict[str, Any]] = json.loads(_FILE.read_text())["types"]
    return loaded


class Node:
    """One place in a type: a scalar, an object with fields, a list or a map."""

    __slots__ = ("_fields", "_item", "atomic", "code", "default", "free", "keys", "list_type", "merge_key", "strategy")

    def __init__(self, code: str, traits: dict[str, Any] | None = None) -> None:
        traits = traits or {}
        self.code = code
        self.list_type: str = traits.get("t", "")
        self.keys: list[str] = traits.get("k", [])
        self.merge_key: str = traits.get("m", "")
        self.strategy: str = traits.get("p", "")
        self.default = traits.get("d")
        self.atomic = bool(traits.get("a")) or (code[0] == "@" and bool(definitions()[code[1:]].get("a")))
        self.free = code == "o"
        self._fields: dict[str, Node] | None = None
        self._item: Node | None = None

    @property
    def kind(self) -> str:
        """``object``, ``list``, ``map``, ``free`` or ``scalar``."""
        first = self.code[0]
        if first == "@":
            return "object" if self.fields or "f" in definitions()[self.code[1:]] else "free"
        return {"[": "list", "%": "map", "o": "free"}.get(first, "scalar")

    @property
    def fields(self) -> dict[str, Node]:
        """The fields of an object, by name."""
        if self._fields is None:
            raw = definitions()[self.code[1:]].get("f", {}) if self.code[0] == "@" else {}
            self._fields = {name: parse(field) for name, field in raw.items()}
        return self._fields

    @property
    def item(self) -> Node:
        """What a list or map holds."""
        if self._item is None:
            self._item = parse(self.code[1:])
        return self._item

    @property
    def type_name(self) -> str:
        """The Go type's name, for messages: ``DeploymentSpec``."""
        return self.code.rsplit(".", 1)[-1].lstrip("@")

    @property
    def is_struct(self) -> bool:
        """Whether Go holds it by value, so that an empty one is there from the start."""
        return self.default == {}


@lru_cache(maxsize=4096)
def _bare(code: str) -> Node:
    return Node(code)


def parse(field: Any) -> Node:
    """A node of a field as written in ``types.json``."""
    return _bare(field) if isinstance(field, str) else Node(field[0], field[1])


FREE = _bare("o")
METADATA = _bare("@meta.v1.ObjectMeta")


@lru_cache(maxsize=1)
def _kinds() -> dict[tuple[str, str, str], str]:
    return {tuple(body["g"]): name for name, body in definitions().items() if "g" in body}


@lru_cache(maxsize=512)
def root_of(group: str, version: str, kind: str) -> Node:
    """The type of a kind; of a custom resource one that knows only the metadata."""
    name = _kinds().get((group, version, kind))
    if name:
        return _bare("@" + name)
    root = Node("o")
    root._fields = {"metadata": METADATA, "apiVersion": _bare("s"), "kind": _bare("s")}
    return root
