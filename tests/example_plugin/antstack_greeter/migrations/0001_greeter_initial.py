"""Who was greeted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.db

revision = "0001_greeter"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "greeter_greeted",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("created_at", app.db.UTCDateTime(), nullable=False),
        sa.Column("tenant_id", sa.String(26), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_greeter_greeted")),
    )
    op.create_index(op.f("ix_greeter_greeted_created_at"), "greeter_greeted", ["created_at"])
    op.create_index(op.f("ix_greeter_greeted_tenant_id"), "greeter_greeted", ["tenant_id"])


def downgrade() -> None:
    op.drop_table("greeter_greeted")
