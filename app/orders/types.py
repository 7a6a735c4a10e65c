"""What a plugin says of its orders: who may read and control them, what they are called, what of them can be left out
or taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app import site
from app.contracts.declarations import Permission
from app.orders.models import Order, OrderNode
from app.words import Text, _, plain

if TYPE_CHECKING:
    from app.orders.tree import Tree

READ = Permission("core.order.read", _("See orders of plugins that are not enabled"), reads=True)
CONTROL = Permission("core.order.control", _("Control orders of plugins that are not enabled"))


@dataclass(frozen=True, slots=True)
class NodeKind:
    """What holds for nodes of one kind.

    :param whole: can be left out as a whole although the steps in it need each other
    :param rolls_back: can be taken back by itself
    :param closed: the tree of the page ends here, and what is below is about one thing that is not named again
    :param opens: the tree is open here while something is done below
    :param counted: states of such nodes are counted above the tree, under this title
    """

    whole: bool = False
    rolls_back: bool = False
    closed: bool = False
    opens: bool = False
    counted: Text | None = None


@dataclass(frozen=True, slots=True)
class Rollback:
    """How an order is taken back: by an order of its own.

    :param wanted: the Struct of its settings
    :param make: makes the order that takes back what is below the node with this identifier; empty: all of it
    :param page: endpoint of the page where people see it before; of an ``order_id`` and perhaps a ``node``; by default
        one that only asks, and names what is done by what *says* says
    """

    wanted: type
    make: Callable[[Order, Any, str], Order]
    page: str = "orders.order_rollback"
    says: Callable[[Order], Text] | None = None


def _the_order(_order: Order) -> Sequence[Mapping[str, str]]:
    return ({},)


@dataclass(frozen=True, slots=True)
class Details:
    """What the page of an order shows besides what all have.

    :param node: template of the details of the node that is looked at; it is given what *context* returns, too
    :param failure: template beside the buttons of a step that failed, ``leaf``
    """

    node: str
    context: Callable[[Order, Tree, OrderNode], Mapping[str, Any]]
    failure: str = ""


def _of_nothing(_node: OrderNode) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class OrderType:
    """The orders of a plugin. What is left out, they do not have.

    :param resources: what an order acts on: whoever controls it may do so for each, as conditions on grants have it
    :param titles: what people call its types
    :param kinds: its kinds of nodes
    :param about: what a step is about, to tell it from others of its name
    :param adopt: takes over what others made, for a retry of a node (without one, of all that failed); it is offered
        after the errors *adopts_after*
    """

    plugin: str
    read: Permission
    control: Permission
    resources: Callable[[Order], Sequence[Mapping[str, str]]] = _the_order
    titles: Mapping[str, Text] = field(default_factory=dict)
    kinds: Mapping[str, NodeKind] = field(default_factory=dict)
    rollback: Rollback | None = None
    details: Details | None = None
    about: Callable[[OrderNode], str] = _of_nothing
    adopts_after: Sequence[str] = ()
    adopt: Callable[[Order, OrderNode | None], None] | None = None
    before_retry: Callable[[Order, Sequence[OrderNode]], None] | None = None
    before_start: Callable[[Order], None] | None = None

    def kind(self, node: OrderNode) -> NodeKind:
        """What holds for a node."""
        return self.kinds.get(node.kind, NOTHING)

    def title(self, type: str) -> Text:
        """What people call a type of its orders."""
        return self.titles.get(type) or plain(type)


NOTHING = NodeKind()


def of_plugin(plugin: str) -> OrderType:
    """What a plugin says of its orders; one that is not enabled says nothing."""
    found: OrderType | None = site.catalogue().order_types.get(plugin)
    return found or OrderType(plugin, READ, CONTROL)


def type_of(order: Order) -> OrderType:
    """What the order's plugin says of it."""
    return of_plugin(order.plugin)


def is_known(plugin: str) -> bool:
    """Whether a plugin of this site says what its orders are."""
    return plugin in site.catalogue().order_types
