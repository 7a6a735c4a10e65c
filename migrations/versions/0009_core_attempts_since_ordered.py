"""Jobs: how many attempts there were before one was ordered again, so that it has all of its attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0009_core"
down_revision = "0008_iam"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("core_job", sa.Column("attempts_before", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("core_job") as table:
        table.alter_column("attempts_before", existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("core_job") as table:
        table.drop_column("attempts_before")
