"""Kinds of steps that Yunyou's orders are made of."""

from plugins.yunyou.orders.steps import common, tasks
from plugins.yunyou.orders.steps.applications import Finish, Start
from plugins.yunyou.orders.steps.environments import Baseline, Namespace, Remove
from plugins.yunyou.orders.steps.groups import Group
from plugins.yunyou.orders.steps.load_balancers import Domain, LoadBalancer
from plugins.yunyou.orders.steps.tasks import Task

KINDS = (Namespace(), LoadBalancer(), Start(), Group(), Finish(), Task(), Domain(), Baseline(), Remove())
ERRORS = (*common.ERRORS, *tasks.ERRORS)

__all__ = ["ERRORS", "KINDS"]
