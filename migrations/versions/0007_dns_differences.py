"""DNS: history keeps differences alone, without the whole zone each time; domains are held while a zone is made."""

import sqlalchemy as sa
from alembic import op

revision = "0007_dns"
down_revision = "0006_core"
branch_labels = None
depends_on = None

VERSIONS = sa.table(
    "dns_zone_version", sa.column("id"), sa.column("zone_id"), sa.column("serial"), sa.column("changes", sa.JSON()),
    sa.column("records", sa.JSON()),
)  # fmt: skip
RECORDS = sa.table(
    "dns_record_set", sa.column("zone_id"), sa.column("name"), sa.column("type"), sa.column("ttl"),
    sa.column("values", sa.JSON()), sa.column("owner"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "dns_domain",
        sa.Column("name", sa.String(253), nullable=False),
        sa.Column("zones", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_dns_domain")),
    )
    with op.batch_alter_table("dns_zone_version") as batch:
        batch.drop_column("records")
        batch.drop_index("ix_dns_zone_version_zone_id")
        batch.create_unique_constraint("uq_dns_zone_version_zone_id_serial", ["zone_id", "serial"])


def downgrade() -> None:
    with op.batch_alter_table("dns_zone_version") as batch:
        batch.add_column(sa.Column("records", sa.JSON(), nullable=True))
        batch.create_index("ix_dns_zone_version_zone_id", ["zone_id"])
        batch.drop_constraint("uq_dns_zone_version_zone_id_serial", type_="unique")
    _write_whole_zones(op.get_bind())
    with op.batch_alter_table("dns_zone_version") as batch:
        batch.alter_column("records", existing_type=sa.JSON(), nullable=False)
    op.drop_table("dns_domain")


def _write_whole_zones(connection: sa.Connection) -> None:
    """What each zone was after each set of changes: today's records with the later changes undone, newest first."""
    for zone_id in connection.scalars(sa.select(VERSIONS.c.zone_id).distinct()).all():
        rows = connection.execute(sa.select(RECORDS).where(RECORDS.c.zone_id == zone_id)).mappings()
        state = {(row["name"], row["type"]): {key: row[key] for key in ("ttl", "values", "owner")} for row in rows}
        found = sa.select(VERSIONS.c.id, VERSIONS.c.changes).where(VERSIONS.c.zone_id == zone_id)
        for version, changes in connection.execute(found.order_by(VERSIONS.c.serial.desc())).all():
            whole = [{"name": name, "type": kind, "owner": "", **kept} for (name, kind), kept in sorted(state.items())]
            connection.execute(sa.update(VERSIONS).where(VERSIONS.c.id == version).values(records=whole))
            for item in changes:
                if item["before"]:
                    state[(item["name"], item["type"])] = item["before"]
                else:
                    state.pop((item["name"], item["type"]), None)
