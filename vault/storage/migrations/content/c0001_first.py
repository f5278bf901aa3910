"""The content store as first founded.

Self-contained: imports nothing of the project, so that it makes the same tables for ever.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *args: sa.schema.SchemaItem, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *args, nullable=nullable, primary_key=primary_key)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, Whole, nullable=False)


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, Whole, primary_key=True, autoincrement=False)


def _ordinal(name: str) -> sa.Column[int]:
    return sa.Column(name, Whole, primary_key=True, autoincrement=True)


def _sealed(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _table(name: str, *parts: sa.schema.SchemaItem, **options: bool) -> None:
    op.create_table(name, *parts, sqlite_strict=True, **options)


def _index(name: str, table: str, *columns: str, unique: bool = False, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)


def _refuse(name: str, table: str, code: str, *, event: str = "UPDATE", of: tuple[str, ...] = (), when: str = "") -> str:
    columns = f" OF {', '.join(of)}" if of else ""
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} BEFORE {event}{columns} ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{code}'); END"


def _kept(table: str) -> str:
    return _refuse(f"{table}_kept", table, f"{table.replace('_', '-')}.kept", event="DELETE")


def _fixed(table: str, *columns: str) -> str:
    return _refuse(f"{table}_fixed", table, f"{table.replace('_', '-')}.fixed", of=columns)


TRIGGERS = (
    _fixed("chunk"),
    _fixed("content", "ordinal", "document_id"),
    _refuse("content_kept", "content", "content.kept", event="DELETE", when="OLD.finished = 1"),
    _refuse(
        "chunk_kept",
        "chunk",
        "chunk.kept",
        event="DELETE",
        when="(SELECT finished FROM content WHERE ordinal = OLD.chunk_key >> 20) = 1",
    ),
    _kept("content_vault"),
    _fixed("content_vault"),
)


def upgrade() -> None:
    """Make the tables, their indexes and their triggers."""
    _table(
        "chunk",
        _key("chunk_key"),
        _sealed("sealed"),
    )
    _table(
        "content",
        _ordinal("ordinal"),
        _text("document_id"),
        _whole("finished"),
        sa.UniqueConstraint("document_id", name="content_document_id"),
        sqlite_autoincrement=True,
    )
    _table(
        "content_vault",
        _text("vault_id", primary_key=True),
        _whole("founded_us"),
    )
    _table(
        "pending_intake",
        _text("document_id", sa.ForeignKey("content.document_id"), primary_key=True),
        _text("case_id"),
        _sealed("chunk_salt"),
        _whole("chunk_count"),
        _whole("chunks_stored"),
        _sealed("source_sealed"),
        _whole("started_us"),
    )
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Refuse: nothing is ever removed from a vault."""
    raise NotImplementedError
