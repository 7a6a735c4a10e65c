"""Answers kept for repeated requests are sealed: those that stood there in plain text go"""

from __future__ import annotations

from alembic import op

revision = "0002_core"
down_revision = "0001_core"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM core_idempotent_answer")


def downgrade() -> None:
    op.execute("DELETE FROM core_idempotent_answer")
