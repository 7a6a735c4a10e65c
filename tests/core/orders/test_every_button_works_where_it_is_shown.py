"""A model-based test: random sequences of commands, faults and ticks; every command that is offered is taken (Y-31)."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.db import db
from app.orders import commands, engine, tree, verbs
from app.orders.tree import Tree
from tests.core.orders import world
from tests.core.orders.world import nodes, order, read

PRODUCTS = {"A": ["web", "db"], "B": ["api"]}
KEYS = ("A/web/act", "A/db/act", "B/api/act")
PLAIN = tuple(v for v in verbs.TITLES if v != verbs.ROLLBACK)


class Orders(RuleBasedStateMachine):
    """One order under random hands."""

    @initialize(beta=st.booleans())
    def begin(self, beta: bool) -> None:
        world.WORLD = world.World()
        self.id = order(PRODUCTS, beta=beta, after={"B": ["A"]})

    @rule()
    def tick(self) -> None:
        engine.tick(self.id)

    @rule(key=st.sampled_from(KEYS))
    def breaks(self, key: str) -> None:
        world.WORLD.broken.add(key)

    @rule(key=st.sampled_from(KEYS))
    def is_mended(self, key: str) -> None:
        world.WORLD.broken.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def slows(self, key: str) -> None:
        world.WORLD.slow ^= {key}

    @rule(verb=st.sampled_from(PLAIN))
    def tells_the_order(self, verb: str) -> None:
        if verb in verbs.of_order(read(self.id)):
            commands.give(read(self.id), verb)
            db.session.commit()

    @rule(verb=st.sampled_from(PLAIN), at=st.integers(0, 20))
    def tells_a_node(self, verb: str, at: int) -> None:
        found = list(nodes(self.id).values())
        node = found[at % len(found)]
        if verb in verbs.of_node(read(self.id), node, Tree(found).under(node)):
            commands.give(read(self.id), verb, node.id)
            db.session.commit()

    @precondition(lambda self: hasattr(self, "id"))
    @invariant()
    def parents_agree_with_their_children(self) -> None:
        found = Tree(list(nodes(self.id).values()))
        for node in found.nodes:
            assert node.state in {*tree.DONE, "pending", "running", "waiting", "failed", "cancelled"}
        made = read(self.id)
        if made.state == tree.SUCCEEDED:
            assert {leaf.state for leaf in found.leaves} <= tree.DONE
        if made.state in tree.TERMINAL:
            assert made.finished_at is not None
            assert not [leaf for leaf in found.leaves if leaf.state in ("running", "waiting", "pending")]
        assert all(count == 1 for count in world.WORLD.done.values())

    def teardown(self) -> None:
        """However it was treated, an order comes to an end once nothing is broken and somebody confirms."""
        if not hasattr(self, "id"):
            return
        world.WORLD.broken.clear()
        world.WORLD.slow.clear()
        for _ in range(12):
            made = read(self.id)
            if made.state in tree.TERMINAL:
                return
            for verb in (verbs.RESUME, verbs.RETRY):
                if verb in verbs.of_order(read(self.id)):
                    commands.give(read(self.id), verb)
            for node in nodes(self.id).values():
                if (
                    node.state == "waiting"
                    and node.step
                    and made.state not in tree.TERMINAL
                    and made.state != tree.CANCELLING
                ):
                    commands.give(read(self.id), verbs.CONFIRM, node.id)
            db.session.commit()
            engine.tick(self.id)
        assert read(self.id).state in tree.TERMINAL


@pytest.mark.req("Y-31")
def test_every_command_that_is_offered_is_taken_in_every_state(app_context: Flask) -> None:
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=25, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
