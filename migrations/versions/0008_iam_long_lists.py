"""Long lists of IAM: grants by time and by role, members by name, and found by any part of their names"""

from __future__ import annotations

from alembic import op

from app.audit.search import has_trigrams

revision = "0008_iam"
down_revision = "0007_dns"
branch_labels = None
depends_on = None

TRIGRAMS = "ix_iam_member_words"
SEARCHED = ("login", "name", "nickname")


def upgrade() -> None:
    op.create_index("ix_iam_grant_time", "iam_grant", ["tenant_id", "created_at", "id"])
    op.create_index("ix_iam_grant_role_time", "iam_grant", ["tenant_id", "role", "created_at"])
    op.create_index("ix_iam_member_name", "iam_member", ["name", "id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql" and has_trigrams(connection):
        columns = ", ".join(f"lower({column}) gin_trgm_ops" for column in SEARCHED)
        op.execute(f"CREATE INDEX {TRIGRAMS} ON iam_member USING gin ({columns})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP INDEX IF EXISTS {TRIGRAMS}")
    op.drop_index("ix_iam_member_name", "iam_member")
    op.drop_index("ix_iam_grant_role_time", "iam_grant")
    op.drop_index("ix_iam_grant_time", "iam_grant")
