"""The order in which products, and the applications of one product, are released (guide 2.7.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.words import Text, _, plain
from plugins.yunyou.documents.graphs import arrows, circles, layers
from plugins.yunyou.documents.solution import Product
from plugins.yunyou.orders.rules.error_codes import SEQUENCE_CYCLE, SEQUENCE_REFUSED

Layers = list[list[str]]


def dependencies_of(products: Iterable[Product]) -> dict[str, list[str]]:
    """Which products each product needs."""
    return {product.code: [need.product for need in product.dependencies] for product in products}


def product_layers(needs: Mapping[str, Iterable[str]]) -> Layers:
    """Products in layers: those of one layer may run in parallel, each after all that it needs.

    A product that is needed but not among *needs* is taken for running already.

    :raises ConsoleError: ``YUNYOU/DEPENDENCY_CYCLE`` naming each circle
    """
    return _layers({code: list(wanted) for code, wanted in needs.items()})


def _layers(needs: Mapping[str, Sequence[str]]) -> Layers:
    made, stuck = layers(needs)
    if stuck:
        raise SEQUENCE_CYCLE(cycle="; ".join(arrows(circle) for circle in circles(needs)))
    return made


def check_sequence(sequence: Sequence[Sequence[str]], needs: Mapping[str, Iterable[str]]) -> list[Text]:
    """Judge an order of products that a person made: what is wrong is refused, what is unwise is told.

    :returns: a warning for each dependency that the sequence goes against, which is allowed
    :raises ConsoleError: ``YUNYOU/SEQUENCE_REFUSED`` when a product is unknown, missing or given twice
    """
    given = [code for layer in sequence for code in layer]
    _refuse_uneven(given, needs)
    place = {code: at for at, layer in enumerate(sequence) for code in layer}
    words = _("{product} needs {needed}, but would be released {when} it.")
    before, together = _("before"), _("at the same time as")
    return [
        words.format(product=code, needed=needed, when=before if place[code] < place[needed] else together)
        for code in given
        for needed in dict.fromkeys(needs[code])
        if needed in place and needed != code and place[code] <= place[needed]
    ]


def _refuse_uneven(given: Sequence[str], wanted: Collection[str]) -> None:
    twice = sorted({code for code in given if given.count(code) > 1}) if len(set(given)) < len(given) else []
    strange = [code for code in given if code not in wanted]
    missing = [code for code in wanted if code not in set(given)]
    for codes, words in (
        (twice, _("it names {codes} twice.")),
        (strange, _("{codes} is not part of this order.")),
        (missing, _("it leaves out {codes}.")),
    ):
        if codes:
            raise SEQUENCE_REFUSED(detail=words.format(codes=plain(", ".join(codes[:20]))))


@dataclass(frozen=True, slots=True)
class ApplicationOrder:
    """The applications of one product in layers, tests apart, with what is unwise about the order."""

    layers: Layers
    tests: tuple[str, ...] = ()
    warnings: tuple[Text, ...] = ()


def application_layers(
    product: Product, *, exclude: Collection[str] = (), after: Mapping[str, Sequence[str]] | None = None
) -> ApplicationOrder:
    """The applications of a product in layers by ``dependsOn``, with tasks before and after the standard ones.

    A task that runs *before* precedes every standard application, but for those that it depends on itself; one that
    runs *after* follows every standard application but those that depend on it. Leaving an application out does not
    change the order of the others.

    :param exclude: applications that this order leaves out
    :param after: per application, the applications it waits for in place of its own ``dependsOn``
    :raises ConsoleError: ``YUNYOU/DEPENDENCY_CYCLE``; ``YUNYOU/SEQUENCE_REFUSED`` for an unknown name
    """
    chosen = after or {}
    names = [app.name for app in product.applications]
    for name in [*chosen, *(other for others in chosen.values() for other in others)]:
        if name not in names:
            words = _("{name} is not an application of {code}.")
            raise SEQUENCE_REFUSED(detail=words.format(name=name, code=product.code))
    running = {app.name: app for app in product.applications if app.role != "test"}
    needs = {
        name: [need for need in chosen.get(name, app.depends_on) if need in running] for name, app in running.items()
    }
    _layers(needs)
    made = _layers(_with_tasks(product, needs))
    kept = [[name for name in layer if name not in exclude] for layer in made]
    return ApplicationOrder(
        [layer for layer in kept if layer],
        tuple(app.name for app in product.applications if app.role == "test" and app.name not in exclude),
        tuple(_against(product, made, chosen)),
    )


def _with_tasks(product: Product, needs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    tasks = {app.name: app.task.when for app in product.applications if app.role == "task"}
    first = [name for name, when in tasks.items() if when == "before"]
    last = [name for name, when in tasks.items() if when == "after"]
    wanted_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in needs.items():
        for need in wanted:
            wanted_by[need].append(name)
    earlier = _reached(first, needs)
    later = _reached(last, wanted_by)
    made = {name: list(wanted) for name, wanted in needs.items()}
    for name in needs:
        if name not in tasks and name not in earlier:
            made[name].extend(first)
        if name not in tasks and name not in later:
            for task in last:
                made[task].append(name)
    for task in last:
        made[task].extend(name for name in first if name not in later)
    return made


def _reached(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    stack = list(starts)
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack.extend(edges[name])
    return seen


def _against(product: Product, made: Layers, chosen: Mapping[str, Sequence[str]]) -> Iterable[Text]:
    place = {name: at for at, layer in enumerate(made) for name in layer}
    words = _("{app} waits for {needed} by default, but not in this order.")
    for app in product.applications:
        if app.name not in chosen:
            continue
        for needed in app.depends_on:
            if needed in place and app.name in place and place[app.name] <= place[needed]:
                yield words.format(app=app.name, needed=needed)
