"""DNS: a zone keeps its domain, in which others are looked for; a registered name is of one environment."""

import sqlalchemy as sa
from alembic import op

revision = "0010_dns"
down_revision = "0009_core"
branch_labels = None
depends_on = None

ZONE = sa.table("dns_zone", sa.column("id"), sa.column("tenant_id"), sa.column("name"), sa.column("domain"))
RECORD = sa.table("dns_record_set", sa.column("id"), sa.column("zone_id"), sa.column("name"), sa.column("owner"))
BALANCER = sa.table(
    "yunyou_load_balancer", sa.column("tenant_id"), sa.column("environment_id"), sa.column("product"),
    sa.column("application"), sa.column("domain"),
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("dns_zone") as batch:
        batch.add_column(sa.Column("domain", sa.String(253), nullable=False, server_default=""))
    connection = op.get_bind()
    for zone_id, name in connection.execute(sa.select(ZONE.c.id, ZONE.c.name)).all():
        domain = ".".join(name.split(".")[-2:])
        connection.execute(sa.update(ZONE).where(ZONE.c.id == zone_id).values(domain=domain))
    with op.batch_alter_table("dns_zone") as batch:
        batch.alter_column("domain", existing_type=sa.String(253), existing_nullable=False, server_default=None)
        batch.create_index("ix_dns_zone_domain", ["domain"])
    with op.batch_alter_table("dns_domain") as batch:
        batch.drop_column("zones")
    _name_environments(connection)


def _name_environments(connection: sa.Connection) -> None:
    """The environment of a registered name, where the load balancers of one alone have it."""
    here = sa.and_(BALANCER.c.tenant_id == ZONE.c.tenant_id, BALANCER.c.domain == RECORD.c.name)
    found = sa.select(
        RECORD.c.id, RECORD.c.owner, BALANCER.c.environment_id, BALANCER.c.product, BALANCER.c.application
    )
    found = (
        found.join_from(RECORD, ZONE, ZONE.c.id == RECORD.c.zone_id).join(BALANCER, here).where(RECORD.c.owner != "")
    )
    environments: dict[tuple[str, str], set[str]] = {}
    for record, owner, environment, product, application in connection.execute(found).all():
        if owner == f"{product}/{application}":
            environments.setdefault((record, owner), set()).add(environment)
    for (record, owner), ids in environments.items():
        if len(ids) == 1:
            named = sa.update(RECORD).where(RECORD.c.id == record).values(owner=f"{owner}@{ids.pop()}")
            connection.execute(named)


def downgrade() -> None:
    connection = op.get_bind()
    for record, owner in connection.execute(
        sa.select(RECORD.c.id, RECORD.c.owner).where(RECORD.c.owner.contains("@"))
    ).all():
        connection.execute(sa.update(RECORD).where(RECORD.c.id == record).values(owner=owner.partition("@")[0]))
    with op.batch_alter_table("dns_domain") as batch:
        batch.add_column(sa.Column("zones", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("dns_domain") as batch:
        batch.alter_column("zones", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("dns_zone") as batch:
        batch.drop_index("ix_dns_zone_domain")
        batch.drop_column("domain")
