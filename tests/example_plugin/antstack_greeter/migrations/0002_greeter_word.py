"""With which word"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_greeter"
down_revision = "0001_greeter"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("greeter_greeted") as batch:
        batch.add_column(sa.Column("word", sa.String(255), nullable=False, server_default="hello"))
    with op.batch_alter_table("greeter_greeted") as batch:
        batch.alter_column("word", existing_type=sa.String(255), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("greeter_greeted") as batch:
        batch.drop_column("word")
