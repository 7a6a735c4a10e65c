"""What the resources of an environment are known to give to the values of parameters."""

from __future__ import annotations

from sqlalchemy import select

from app.db import rows
from plugins.yunyou.documents.variables import Output
from plugins.yunyou.resources.models import LoadBalancer, ResourceOutput


def known_outputs(environment_id: str) -> dict[str, Output]:
    """What resources of the environment are known to give: entered ones, and addresses of load balancers."""
    entered = rows(select(ResourceOutput).where(ResourceOutput.environment_id == environment_id))
    balancers = rows(
        select(LoadBalancer).where(LoadBalancer.environment_id == environment_id, LoadBalancer.address != "")
    )
    found = {row.name: Output(row.value, row.secret) for row in entered}
    return found | {f"lb.{row.name}.address": Output(row.address) for row in balancers}
