"""What an order makes true: the baseline as it will be, and which applications are sent or leave for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from msgspec.structs import replace

from app.contracts.json import Json
from app.db import new_id
from app.errors import ConsoleError, ErrorCode
from app.words import Text, _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import LoadBalancer, Product
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.orders.rules.error_codes import ORDER_INVALID
from plugins.yunyou.products import baseline
from plugins.yunyou.products.rules import baseline as baseline_rules
from plugins.yunyou.solutions.models import Solution

NOTHING_TO_DO = ErrorCode(
    "YUNYOU/NOTHING_TO_DO",
    409,
    _("Nothing differs there, so there is nothing to send."),
    _("Name applications under force to send them again."),
)
OF_PRODUCT = ("version", "scalingGroups", "loadBalancers")


@dataclass
class Target:
    """What is to be true after an order.

    ``change`` tells how the baseline changes for each product when it is done; it is kept sealed with the order.
    ``removed`` are applications ``PRODUCT/app`` that go, ``removed_cells`` such and the cell in which they go.
    """

    environment: Environment
    title: str
    solution: Document
    applications: list[str]
    change: Json
    subject: tuple[str, str]
    baseline_hash: str
    mode: str = ""
    with_resources: bool = False
    rollback_of: str | None = None
    removed: list[str] = field(default_factory=list)
    removed_cells: list[tuple[str, str]] = field(default_factory=list)
    gone: list[Product] = field(default_factory=list)
    warnings: list[Text] = field(default_factory=list)
    run_id: str = field(default_factory=lambda: new_id()[-8:])
    source: Solution | None = None

    @property
    def products(self) -> dict[str, Product]:
        """The products that the order is about, as they will be; those that go, as they are."""
        codes = {key.partition("/")[0] for key in (*self.applications, *self.removed)}
        return {p.code: p for p in (*self.gone, *self.solution.products) if p.code in codes}

    def balancers_of(self, product: Product, applications: Collection[str]) -> list[LoadBalancer]:
        """Load balancers of a product that the order makes or brings up to date, beside these *applications* of it."""
        wanted = product.load_balancers if self.with_resources else ()
        return [balancer for balancer in wanted if balancer.application in applications or self.rollback_of]

    @property
    def leaving(self) -> dict[str, Json]:
        """What is removed, applications and cells, as the removing step is told: by key, with name and cell."""
        whole = {key: {"application": key, "name": key.partition("/")[2], "cell": ""} for key in self.removed}
        cells = {
            f"{key}-{cell}": {"application": key, "name": key.partition("/")[2], "cell": cell}
            for key, cell in self.removed_cells
        }
        return whole | cells

    def kept(self) -> Json:
        """What the order keeps of it: how the baseline will change, and what it was for its own rollback."""
        before = baseline.document_of(self.environment)
        touched = [*self.applications, *self.removed]
        return {
            "change": self.change,
            "document": self.solution.document,
            "run": self.run_id,
            "before": {key: baseline_rules.application_of(before, *key.split("/", 1)) for key in touched},
            "products": {p["code"]: {name: p.get(name) for name in OF_PRODUCT} for p in before["products"]},
        }


def checked(after: Json, before: Json, left: Document | None = None) -> Document:
    """The environment as it will be; as *left*, but without products, where nothing is in it any more.

    :param before: as it is: an order costs what it touches, so that what stays the same is not checked again

    :raises ConsoleError: YUNYOU/ORDER_INVALID with every problem in its ``errors``
    """
    if not after["products"] and left is not None:
        return parsing.Solution(replace(left.body, products=()), after)
    try:
        return parsing.of(after, before=before)
    except ConsoleError as error:
        raise ORDER_INVALID(count=len(error.errors), errors=error.errors) from error
