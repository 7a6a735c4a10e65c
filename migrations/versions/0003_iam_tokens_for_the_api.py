"""What clients may do at the API, and which need no PKCE: those that were there keep what they could do without it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_iam"
down_revision = "0002_core"
branch_labels = None
depends_on = None

CLIENTS = sa.table(
    "iam_oidc_client",
    sa.column("public", sa.Boolean),
    sa.column("site", sa.Boolean),
    sa.column("without_pkce", sa.Boolean),
)
TOKENS = sa.table("iam_token", sa.column("client_id", sa.String), sa.column("scope", sa.String))
KEYS = sa.table("iam_access_key", sa.column("id", sa.String))


def upgrade() -> None:
    with op.batch_alter_table("iam_oidc_client") as table:
        table.add_column(sa.Column("api_scope", sa.String(32), nullable=False, server_default=""))
        table.add_column(sa.Column("without_pkce", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("iam_oidc_client") as table:
        table.alter_column("api_scope", existing_type=sa.String(32), existing_nullable=False, server_default=None)
        table.alter_column("without_pkce", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.execute(CLIENTS.update().where(~CLIENTS.c.public, ~CLIENTS.c.site).values(without_pkce=True))
    op.execute(TOKENS.update().where(TOKENS.c.client_id.in_(sa.select(KEYS.c.id))).values(scope="antstack.api"))


def downgrade() -> None:
    with op.batch_alter_table("iam_oidc_client") as table:
        table.drop_column("without_pkce")
        table.drop_column("api_scope")
