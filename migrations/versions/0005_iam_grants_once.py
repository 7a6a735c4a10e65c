"""A role is held once under the same conditions; of several rows that say the same, the one that lasts longest stays"""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0005_iam"
down_revision = "0004_openapi"
branch_labels = None
depends_on = None

GRANTS = sa.table(
    "iam_grant",
    sa.column("id", sa.String),
    sa.column("tenant_id", sa.String),
    sa.column("principal_type", sa.String),
    sa.column("principal_id", sa.String),
    sa.column("role", sa.String),
    sa.column("conditions", sa.JSON),
    sa.column("conditions_digest", sa.String),
    sa.column("expires_at", sa.DateTime),
)
HELD = ("tenant_id", "principal_type", "principal_id", "conditions_digest", "role")


def upgrade() -> None:
    op.add_column("iam_grant", sa.Column("conditions_digest", sa.String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    for conditions in connection.execute(sa.select(GRANTS.c.id, GRANTS.c.conditions)).all():
        digest = hashlib.sha256(json.dumps(conditions[1], sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        connection.execute(GRANTS.update().where(GRANTS.c.id == conditions[0]).values(conditions_digest=digest))
    held: set[tuple[str, ...]] = set()
    longest = sa.select(GRANTS).order_by(GRANTS.c.expires_at.is_not(None), GRANTS.c.expires_at.desc(), GRANTS.c.id)
    for row in connection.execute(longest).all():
        key = tuple(getattr(row, name) for name in HELD)
        if key in held:
            connection.execute(GRANTS.delete().where(GRANTS.c.id == row.id))
        held.add(key)
    with op.batch_alter_table("iam_grant") as table:
        table.alter_column(
            "conditions_digest", existing_type=sa.String(64), existing_nullable=False, server_default=None
        )
        table.drop_index("ix_iam_grant_holder")
        table.create_unique_constraint("uq_iam_grant_held", list(HELD))


def downgrade() -> None:
    with op.batch_alter_table("iam_grant") as table:
        table.create_index("ix_iam_grant_holder", ["tenant_id", "principal_type", "principal_id"])
        table.drop_constraint("uq_iam_grant_held", type_="unique")
        table.drop_column("conditions_digest")
