"""The audit: seals in a table of their own, so that rows are written once; signed checkpoints; counts; indexes.

Rows that were sealed before are sealed anew, over every column: their old digests left three columns out.
"""

import sqlalchemy as sa
from alembic import op

import app.db
from app.audit import search

revision = "0006_core"
down_revision = "0005_iam"
branch_labels = None
depends_on = None

FILTERED = (
    "operation", "operator_key", "login", "operator", "source_ip", "access_key_id", "trace_id", "plugin", "result",
    "resource_type", "resource_id",
)  # fmt: skip
LONG = sa.Text().with_variant(sa.Text(length=2**24), "mysql")


def upgrade() -> None:
    op.create_table(
        "core_audit_seal",
        sa.Column("tenant_id", sa.String(26), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(26), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sealed_after", app.db.UTCDateTime(), nullable=True),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_core_audit_seal")),
        sa.UniqueConstraint("event_id", name=op.f("uq_core_audit_seal_event_id")),
    )
    op.create_table(
        "core_audit_waiting",
        sa.Column("event_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_core_audit_waiting")),
    )
    op.create_table(
        "core_audit_head",
        sa.Column("tenant_id", sa.String(26), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("newest", app.db.UTCDateTime(), nullable=False),
        sa.Column("stated", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_core_audit_head")),
    )
    op.create_table(
        "core_audit_checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", app.db.UTCDateTime(), nullable=False),
        sa.Column("statement", LONG, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_core_audit_checkpoint")),
    )
    op.create_table(
        "core_audit_key",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", app.db.UTCDateTime(), nullable=False),
        sa.Column("private", app.db.Sealed(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_audit_key")),
    )
    op.create_table(
        "core_audit_count",
        sa.Column("tenant_id", sa.String(26), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "kind", "name", name=op.f("pk_core_audit_count")),
    )
    with op.batch_alter_table("core_audit_event") as batch:
        for name in ("access_key_id", "created_at", "resource_type", "source_ip", "trace_id"):
            batch.drop_index(f"ix_core_audit_event_{name}")
        for name in ("operation", "operator", "time"):
            batch.drop_index(f"ix_core_audit_event_tenant_{name}")
        batch.drop_constraint("uq_core_audit_event_tenant_id_seq", type_="unique")
        batch.drop_constraint("uq_core_audit_event_tenant_id_previous", type_="unique")
        for name in ("seq", "previous", "digest"):
            batch.drop_column(name)
    with op.batch_alter_table("core_audit_event") as batch:
        batch.create_index("ix_core_audit_event_by_time", ["tenant_id", "created_at", "id"])
        for name in FILTERED:
            batch.create_index(f"ix_core_audit_event_by_{name}", ["tenant_id", name, "created_at", "id"])
    op.execute("INSERT INTO core_audit_waiting (event_id) SELECT id FROM core_audit_event")
    search.install(op.get_bind())


def downgrade() -> None:
    search.remove(op.get_bind())
    with op.batch_alter_table("core_audit_event") as batch:
        batch.drop_index("ix_core_audit_event_by_time")
        for name in FILTERED:
            batch.drop_index(f"ix_core_audit_event_by_{name}")
    with op.batch_alter_table("core_audit_event") as batch:
        batch.add_column(sa.Column("seq", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("previous", sa.String(64), nullable=True))
        batch.add_column(sa.Column("digest", sa.String(64), nullable=True))
        batch.create_unique_constraint("uq_core_audit_event_tenant_id_seq", ["tenant_id", "seq"])
        batch.create_unique_constraint("uq_core_audit_event_tenant_id_previous", ["tenant_id", "previous"])
        for name in ("access_key_id", "created_at", "resource_type", "source_ip", "trace_id"):
            batch.create_index(f"ix_core_audit_event_{name}", [name])
        batch.create_index("ix_core_audit_event_tenant_operation", ["tenant_id", "operation", "created_at"])
        batch.create_index("ix_core_audit_event_tenant_operator", ["tenant_id", "operator_key", "created_at"])
        batch.create_index("ix_core_audit_event_tenant_time", ["tenant_id", "created_at"])
    for name in ("count", "key", "checkpoint", "head", "waiting", "seal"):
        op.drop_table(f"core_audit_{name}")
