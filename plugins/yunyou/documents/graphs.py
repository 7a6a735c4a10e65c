"""Finding circles in a graph of names, and its layers, without recursion."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def layers(needs: Mapping[Node, Iterable[Node]]) -> tuple[list[list[Node]], list[Node]]:
    """Nodes in layers, each needing only earlier ones, and those that a circle keeps from any layer.

    Order within a layer is that of *needs*. Names that are no keys of *needs* count as met.
    """
    waiting = {node: {need for need in wanted if need in needs} for node, wanted in needs.items()}
    wanted_by: dict[Node, list[Node]] = {node: [] for node in needs}
    for node, wanted in waiting.items():
        for need in wanted:
            wanted_by[need].append(node)
    place = {node: at for at, node in enumerate(needs)}
    made: list[list[Node]] = []
    layer = [node for node, wanted in waiting.items() if not wanted]
    while layer:
        made.append(layer)
        freed: list[Node] = []
        for node in layer:
            for other in wanted_by[node]:
                waiting[other].discard(node)
                if not waiting[other]:
                    freed.append(other)
        layer = sorted(freed, key=place.__getitem__)
    done = {node for layer in made for node in layer}
    return made, [node for node in needs if node not in done]


def circles(needs: Mapping[Node, Iterable[Node]]) -> list[list[Node]]:
    """One circle for each group of nodes that depend on each other, closed: ``[a, b, a]``.

    A node that merely needs one of a circle is in none.
    """
    stuck = dict.fromkeys(layers(needs)[1])
    found: list[list[Node]] = []
    seen: set[Node] = set()
    for start in stuck:
        path: list[Node] = []
        position: dict[Node, int] = {}
        node: Node | None = start
        while node is not None and node not in seen:
            seen.add(node)
            position[node] = len(path)
            path.append(node)
            node = next((need for need in needs[node] if need in stuck), None)
        if node is not None and node in position:
            found.append([*path[position[node] :], node])
    return found


def arrows(circle: Iterable[object]) -> str:
    """A circle as it is shown to a person: ``a → b → a``."""
    return " → ".join(map(str, circle))
