"""The register as first founded.

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


DECIDED = ("state", "owner_id", "acknowledged_us", "disposed_us", "finding")

TRIGGERS = (
    _kept("audit"),
    _fixed("audit"),
    _kept("audit_about"),
    _fixed("audit_about"),
    _kept("audit_checkpoint"),
    _fixed("audit_checkpoint"),
    _kept("check_out"),
    _fixed(
        "check_out",
        "check_out_no",
        "check_out_id",
        "case_id",
        "holder_id",
        "workstation_id",
        "purpose",
        "flagged",
        "taken_us",
        "due_back_us",
        "signature",
        "opened_seq",
    ),
    _refuse("check_out_final", "check_out", "custody.not-held", when="OLD.returned_us <> 0"),
    _refuse("check_out_recalled_once", "check_out", "custody.already-recalled", of=("recalled_us",), when="OLD.recalled_us <> 0"),
    _refuse("check_out_closed_whole", "check_out", "check-out.fixed", when="(NEW.returned_us = 0) <> (NEW.return_kind IS NULL)"),
    _kept("case_file"),
    _fixed("case_file", "case_id", "number_blind", "registered_us", "registered_by"),
    _kept("case_grant"),
    _fixed(
        "case_grant",
        "grant_id",
        "case_id",
        "effect",
        "grantee_kind",
        "grantee_id",
        "from_us",
        "until_us",
        "granted_by",
        "granted_us",
        "case_key_sealed",
        "reason_sealed",
        "signature",
        "registered_us",
    ),
    _refuse("case_grant_removed_once", "case_grant", "grant.removed", of=("removed_us",), when="OLD.removed_us <> 0"),
    _kept("document"),
    _fixed("document"),
    _kept("unit"),
    _fixed("unit"),
    _kept("person"),
    _fixed("person", "person_id", "badge_no", "enrolled_us", "administrator_id", "administrator_signature"),
    _kept("session"),
    _fixed("session", "session_id", "person_id", "workstation_id", "opened_us"),
    _refuse("session_final", "session", "session.ended", when="OLD.ended_us <> 0"),
    _kept("breach"),
    _fixed(
        "breach",
        "breach_no",
        "breach_id",
        "report_year",
        "report_of_year",
        "kind",
        "officer_id",
        "check_out_id",
        "first_us",
        "workstation_id",
        "case_id",
        "detection_us",
    ),
    _refuse("breach_own_report", "breach", "breach.own-report", of=(*DECIDED, "triaged_by"), when="NEW.triaged_by = OLD.officer_id"),
    _refuse("breach_triaged_by_somebody", "breach", "breach.fixed", of=DECIDED, when="NEW.triaged_by IS NULL"),
    _refuse("breach_final", "breach", "breach.disposed", of=DECIDED, when="OLD.state = 'disposed'"),
    _refuse(
        "breach_only_rises", "breach", "breach.fixed", of=("severity", "count"), when="NEW.severity < OLD.severity OR NEW.count < OLD.count"
    ),
    _kept("breach_fact"),
    _fixed("breach_fact"),
    _kept("breach_note"),
    _fixed("breach_note"),
    _refuse(
        "breach_note_own_report",
        "breach_note",
        "breach.own-report",
        event="INSERT",
        when="NEW.kind <> 'account' AND NEW.author_id = (SELECT officer_id FROM breach WHERE breach_id = NEW.breach_id)",
    ),
    _kept("alert"),
    _fixed("alert", "alert_no", "breach_id", "severity", "raised_us"),
    _kept("vault"),
    _fixed("vault"),
)


def upgrade() -> None:
    """Make the tables, their indexes and their triggers."""
    _table(
        "audit",
        _key("seq"),
        _whole("at_us"),
        _text("entry"),
        _sealed("entry_hash"),
    )
    _table(
        "audit_about",
        _text("subject", primary_key=True),
        _key("seq"),
        sqlite_with_rowid=False,
    )
    _table(
        "audit_checkpoint",
        _key("seq"),
        _sealed("head"),
        _sealed("root"),
        _whole("at_us"),
        _text("workstation_id"),
        _sealed("signature"),
        _sealed("peaks"),
    )
    _table(
        "breach",
        _ordinal("breach_no"),
        _text("breach_id"),
        _whole("report_year"),
        _whole("report_of_year"),
        _text("kind"),
        _whole("severity"),
        _text("state"),
        _text("officer_id", nullable=True),
        _text("check_out_id", nullable=True),
        _text("owner_id", nullable=True),
        _whole("first_us"),
        _whole("last_us"),
        _whole("count"),
        _text("workstation_id"),
        _text("case_id", nullable=True),
        _whole("detection_us"),
        _whole("acknowledged_us"),
        _whole("disposed_us"),
        _text("finding", nullable=True),
        _text("triaged_by", nullable=True),
        sa.UniqueConstraint("breach_id", name="breach_breach_id"),
        sa.UniqueConstraint("report_year", "report_of_year", name="breach_report_no"),
    )
    _index("breach_by_state", "breach", "state")
    _index("breach_of_check_out", "breach", "check_out_id")
    _index("breach_of_officer", "breach", "officer_id", "last_us")
    _index("breach_urgent", "breach", "breach_no", where="state = 'open' AND severity >= 3")
    _table(
        "case_file",
        _text("case_id", primary_key=True),
        _sealed("number_blind"),
        _sealed("card_sealed"),
        _sealed("label_sealed"),
        _whole("registered_us"),
        _text("registered_by"),
        sa.UniqueConstraint("number_blind", name="case_file_number_blind"),
    )
    _table(
        "person",
        _text("person_id", primary_key=True),
        _text("badge_no"),
        _text("name"),
        _text("role"),
        _text("unit_id"),
        _text("state"),
        _sealed("kem_public"),
        _sealed("sign_public"),
        _sealed("slot"),
        _whole("enrolled_us"),
        _text("administrator_id"),
        _sealed("administrator_signature"),
        _text("supervisor_id", nullable=True),
        _sealed("supervisor_signature"),
        _whole("totp_last_step"),
        sa.UniqueConstraint("badge_no", name="person_badge_no"),
    )
    _table(
        "session",
        _text("session_id", primary_key=True),
        _text("person_id"),
        _text("workstation_id"),
        _whole("opened_us"),
        _whole("locked_us"),
        _whole("ended_us"),
    )
    _index("session_one_open_a_person", "session", "person_id", unique=True, where="ended_us = 0")
    _index("session_one_open_a_workstation", "session", "workstation_id", unique=True, where="ended_us = 0")
    _table(
        "sign_in_failure",
        _ordinal("failure_no"),
        _sealed("badge_no_blind"),
        _whole("at_us"),
    )
    _index("sign_in_failure_of_badge", "sign_in_failure", "badge_no_blind", "at_us")
    _table(
        "unit",
        _text("unit_id", primary_key=True),
        _text("name"),
        _text("kind"),
        _sealed("kem_public"),
        _text("signed_by"),
        _sealed("signature"),
        sa.UniqueConstraint("name", name="unit_name"),
    )
    _table(
        "vault",
        _text("vault_id", primary_key=True),
        _whole("founded_us"),
    )
    _table(
        "alert",
        _ordinal("alert_no"),
        _text("breach_id", sa.ForeignKey("breach.breach_id")),
        _whole("severity"),
        _whole("raised_us"),
        _whole("delivered_us"),
    )
    _index("alert_undelivered", "alert", "alert_no", where="delivered_us = 0")
    _table(
        "breach_fact",
        _ordinal("fact_no"),
        _text("breach_id", sa.ForeignKey("breach.breach_id")),
        _sealed("facts_sealed"),
    )
    _index("breach_fact_of_breach", "breach_fact", "breach_id")
    _table(
        "breach_note",
        _ordinal("note_no"),
        _text("breach_id", sa.ForeignKey("breach.breach_id")),
        _whole("at_us"),
        _text("author_id"),
        _text("kind"),
        _sealed("text_sealed"),
    )
    _index("breach_note_of_breach", "breach_note", "breach_id")
    _table(
        "case_grant",
        _text("grant_id", primary_key=True),
        _text("case_id", sa.ForeignKey("case_file.case_id")),
        _text("effect"),
        _text("grantee_kind"),
        _text("grantee_id"),
        _whole("from_us"),
        _whole("until_us"),
        _text("granted_by"),
        _whole("granted_us"),
        _whole("removed_us"),
        _sealed("case_key_sealed"),
        _sealed("reason_sealed"),
        _sealed("signature"),
        _whole("registered_us"),
    )
    _index("case_grant_denies", "case_grant", "grantee_id", where="removed_us = 0 AND effect = 'deny'")
    _index("case_grant_of_case", "case_grant", "case_id")
    _index("case_grant_of_grantee", "case_grant", "grantee_id", "registered_us", "case_id", where="removed_us = 0 AND effect = 'allow'")
    _table(
        "check_out",
        _ordinal("check_out_no"),
        _text("check_out_id"),
        _text("case_id", sa.ForeignKey("case_file.case_id")),
        _text("holder_id"),
        _text("workstation_id"),
        _text("purpose"),
        _whole("flagged"),
        _whole("taken_us"),
        _whole("due_back_us"),
        _whole("recalled_us"),
        _whole("returned_us"),
        _text("return_kind", nullable=True),
        _text("returned_by", nullable=True),
        _sealed("signature"),
        _sealed("statement_sealed"),
        _whole("opened_seq"),
        sa.UniqueConstraint("check_out_id", name="check_out_check_out_id"),
    )
    _index("check_out_due_back", "check_out", "due_back_us", where="returned_us = 0")
    _index("check_out_held_by", "check_out", "holder_id", where="returned_us = 0")
    _index("check_out_of_case", "check_out", "case_id")
    _index("check_out_one_a_case", "check_out", "case_id", unique=True, where="returned_us = 0")
    _index("check_out_returned_by", "check_out", "holder_id", "returned_us", where="returned_us > 0")
    _table(
        "document",
        _ordinal("document_no"),
        _text("document_id"),
        _text("case_id", sa.ForeignKey("case_file.case_id")),
        _sealed("card_sealed"),
        _sealed("chunk_salt"),
        _whole("chunk_count"),
        _whole("size_bytes"),
        sa.UniqueConstraint("document_id", name="document_document_id"),
    )
    _index("document_of_case", "document", "case_id")
    _table(
        "membership",
        _text("unit_id", sa.ForeignKey("unit.unit_id"), primary_key=True),
        _text("person_id", primary_key=True),
        _sealed("unit_key_sealed"),
    )
    _index("membership_of_person", "membership", "person_id")
    _table(
        "waiting",
        _ordinal("waiting_no"),
        _text("case_id", sa.ForeignKey("case_file.case_id")),
        _text("person_id"),
        _whole("since_us"),
        sa.UniqueConstraint("case_id", "person_id", name="waiting_once"),
    )
    _index("waiting_of_person", "waiting", "person_id")
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Refuse: nothing is ever removed from a vault."""
    raise NotImplementedError
