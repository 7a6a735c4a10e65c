"""Kinds of steps that Yunyou's orders are made of."""

from plugins.yunyou.orders.steps import common, resources
from plugins.yunyou.orders.steps.applications import Finish, Group, Start
from plugins.yunyou.orders.steps.resources import Baseline, Domain, LoadBalancer, Namespace, Remove, Task

KINDS = (Namespace(), LoadBalancer(), Start(), Group(), Finish(), Task(), Domain(), Baseline(), Remove())
ERRORS = (*common.ERRORS, *resources.ERRORS)

__all__ = ["ERRORS", "KINDS"]
