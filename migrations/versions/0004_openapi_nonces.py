"""Nonces of signed calls stand in the database: Redis may be emptied"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.db

revision = "0004_openapi"
down_revision = "0003_iam"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openapi_nonce",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", app.db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_openapi_nonce")),
    )
    op.create_index(op.f("ix_openapi_nonce_used_at"), "openapi_nonce", ["used_at"])


def downgrade() -> None:
    op.drop_table("openapi_nonce")
