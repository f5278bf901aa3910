"""The tables, in one place, for every engine: SQLAlchemy Core metadata of the register and of the content store.

Rules:

1. Sealed values are bytes here; the only things in clear are opaque ids, times, sizes, custody, audit, and the people and units directory.
2. What may not happen is refused by the engine, not only by the services: unique indexes and the triggers below. A trigger raises a code
   (``room.reason``) and nothing else; `vault.storage.failures` turns it into the error of that code.
3. Times are UTC microseconds (INTEGER, 0 = not yet), identifiers are 32 hexadecimal characters (TEXT).
4. This module is what the tables are now. How a file came to be so is told by the migrations, which import nothing from here; a test
   compares the two.
5. No count over a big table and no OFFSET: every list of the register has an index in its own order (PERFORMANCE §4).
"""

from __future__ import annotations

import sqlalchemy as sa

REGISTER = sa.MetaData()
CONTENT = sa.MetaData()

# SQLite's rowid is 64 bits whatever it is called, but STRICT tables and rowid aliases want the word INTEGER.
Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _table(name: str, metadata: sa.MetaData, *parts: sa.schema.SchemaItem) -> sa.Table:
    """A table that refuses values of another type than its column's."""
    return sa.Table(name, metadata, *parts, sqlite_strict=True)


def _text(name: str, *args: sa.schema.SchemaItem, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *args, nullable=nullable, primary_key=primary_key)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, Whole, nullable=nullable)


def _sealed(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _ordinal(name: str) -> sa.Column[int]:
    """A number the engine gives, in the order of insertion."""
    return sa.Column(name, Whole, primary_key=True, autoincrement=True)


# ---- people, units, sessions

vault = _table("vault", REGISTER, _text("vault_id", primary_key=True), _whole("founded_us"))

person = _table(
    "person",
    REGISTER,
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

unit = _table(
    "unit",
    REGISTER,
    _text("unit_id", primary_key=True),
    _text("name"),
    _text("kind"),
    _sealed("kem_public"),
    _text("signed_by"),
    _sealed("signature"),
    sa.UniqueConstraint("name", name="unit_name"),
)

membership = _table(
    "membership",
    REGISTER,
    _text("unit_id", sa.ForeignKey("unit.unit_id"), primary_key=True),
    _text("person_id", primary_key=True),
    _sealed("unit_key_sealed"),
)
sa.Index("membership_of_person", membership.c.person_id)

sign_in_failure = _table("sign_in_failure", REGISTER, _ordinal("failure_no"), _sealed("badge_no_blind"), _whole("at_us"))
sa.Index("sign_in_failure_of_badge", sign_in_failure.c.badge_no_blind, sign_in_failure.c.at_us)

session = _table(
    "session",
    REGISTER,
    _text("session_id", primary_key=True),
    _text("person_id"),
    _text("workstation_id"),
    _whole("opened_us"),
    _whole("locked_us"),
    _whole("ended_us"),
)
_open = sa.text("ended_us = 0")
sa.Index("session_one_open_a_person", session.c.person_id, unique=True, sqlite_where=_open, postgresql_where=_open)
sa.Index("session_one_open_a_workstation", session.c.workstation_id, unique=True, sqlite_where=_open, postgresql_where=_open)

# ---- cases, grants, documents

case_file = _table(
    "case_file",
    REGISTER,
    _text("case_id", primary_key=True),
    _sealed("number_blind"),
    _sealed("card_sealed"),
    _sealed("label_sealed"),
    _whole("registered_us"),
    _text("registered_by"),
    sa.UniqueConstraint("number_blind", name="case_file_number_blind"),
)

# `registered_us` repeats the case's own, so that the first page of a person's cases is one range of one index however many there are.
case_grant = _table(
    "case_grant",
    REGISTER,
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
_standing = sa.text("removed_us = 0 AND effect = 'allow'")
sa.Index("case_grant_of_case", case_grant.c.case_id)
sa.Index(
    "case_grant_of_grantee",
    case_grant.c.grantee_id,
    case_grant.c.registered_us,
    case_grant.c.case_id,
    sqlite_where=_standing,
    postgresql_where=_standing,
)

_denies = sa.text("removed_us = 0 AND effect = 'deny'")
sa.Index("case_grant_denies", case_grant.c.grantee_id, sqlite_where=_denies, postgresql_where=_denies)

document = _table(
    "document",
    REGISTER,
    _ordinal("document_no"),
    _text("document_id"),
    _text("case_id", sa.ForeignKey("case_file.case_id")),
    _sealed("card_sealed"),
    _sealed("chunk_salt"),
    _whole("chunk_count"),
    _whole("size_bytes"),
    sa.UniqueConstraint("document_id", name="document_document_id"),
)
sa.Index("document_of_case", document.c.case_id)

# ---- custody

check_out = _table(
    "check_out",
    REGISTER,
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
    _whole("opened_seq"),  # newest audit entry when custody began: what was read under it comes after
    sa.UniqueConstraint("check_out_id", name="check_out_check_out_id"),
)
_out = sa.text("returned_us = 0")
sa.Index("check_out_one_a_case", check_out.c.case_id, unique=True, sqlite_where=_out, postgresql_where=_out)
sa.Index("check_out_of_case", check_out.c.case_id)
sa.Index("check_out_held_by", check_out.c.holder_id, sqlite_where=_out, postgresql_where=_out)
sa.Index("check_out_due_back", check_out.c.due_back_us, sqlite_where=_out, postgresql_where=_out)
_back = sa.text("returned_us > 0")
sa.Index("check_out_returned_by", check_out.c.holder_id, check_out.c.returned_us, sqlite_where=_back, postgresql_where=_back)

waiting = _table(
    "waiting",
    REGISTER,
    _ordinal("waiting_no"),
    _text("case_id", sa.ForeignKey("case_file.case_id")),
    _text("person_id"),
    _whole("since_us"),
    sa.UniqueConstraint("case_id", "person_id", name="waiting_once"),
)
sa.Index("waiting_of_person", waiting.c.person_id)

# ---- breaches

breach = _table(
    "breach",
    REGISTER,
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
    _text("triaged_by", nullable=True),  # who changed it last; the trigger compares it with the officer named
    sa.UniqueConstraint("breach_id", name="breach_breach_id"),
    sa.UniqueConstraint("report_year", "report_of_year", name="breach_report_no"),
)
_urgent = sa.text("state = 'open' AND severity >= 3")
sa.Index("breach_urgent", breach.c.breach_no, sqlite_where=_urgent, postgresql_where=_urgent)
sa.Index("breach_by_state", breach.c.state)
sa.Index("breach_of_officer", breach.c.officer_id, breach.c.last_us)
sa.Index("breach_of_check_out", breach.c.check_out_id)

breach_fact = _table(
    "breach_fact",
    REGISTER,
    _ordinal("fact_no"),
    _text("breach_id", sa.ForeignKey("breach.breach_id")),
    _sealed("facts_sealed"),
)
sa.Index("breach_fact_of_breach", breach_fact.c.breach_id)

breach_note = _table(
    "breach_note",
    REGISTER,
    _ordinal("note_no"),
    _text("breach_id", sa.ForeignKey("breach.breach_id")),
    _whole("at_us"),
    _text("author_id"),
    _text("kind"),
    _sealed("text_sealed"),
)
sa.Index("breach_note_of_breach", breach_note.c.breach_id)

# The outbox: one row a report and one each time its severity rises, delivered when a channel accepted it (DESIGN §5).
alert = _table(
    "alert",
    REGISTER,
    _ordinal("alert_no"),
    _text("breach_id", sa.ForeignKey("breach.breach_id")),
    _whole("severity"),
    _whole("raised_us"),
    _whole("delivered_us"),
)
_undelivered = sa.text("delivered_us = 0")
sa.Index("alert_undelivered", alert.c.alert_no, sqlite_where=_undelivered, postgresql_where=_undelivered)

# ---- audit

# What is hashed is what is stored: `entry` is the canonical form, letter for letter. `at_us` repeats its second field, for time windows.
audit = _table(
    "audit",
    REGISTER,
    sa.Column("seq", Whole, primary_key=True, autoincrement=False),
    _whole("at_us"),
    _text("entry"),
    _sealed("entry_hash"),
)

# Which entries name a case, a person, a document or are of a kind. Written with each checkpoint, not with each entry: an index on `audit`
# itself would cost every append pages of its own. Entries after the newest checkpoint are looked through instead.
audit_about = sa.Table(
    "audit_about",
    REGISTER,
    _text("subject", primary_key=True),
    sa.Column("seq", Whole, primary_key=True, autoincrement=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

audit_checkpoint = _table(
    "audit_checkpoint",
    REGISTER,
    sa.Column("seq", Whole, primary_key=True, autoincrement=False),
    _sealed("head"),
    _sealed("root"),
    _whole("at_us"),
    _text("workstation_id"),
    _sealed("signature"),
    _sealed("peaks"),  # Merkle frontier, so that the next checkpoint reads only what came after; its root is the signed one
)

# ---- content

# Which vault the chunks belong to.
content_vault = _table("content_vault", CONTENT, _text("vault_id", primary_key=True), _whole("founded_us"))

content = sa.Table(
    "content",
    CONTENT,
    _ordinal("ordinal"),
    _text("document_id"),
    _whole("finished"),
    sa.UniqueConstraint("document_id", name="content_document_id"),
    sqlite_strict=True,
    sqlite_autoincrement=True,  # an ordinal is never given twice, so a remembered one cannot come to mean another document
)

# The key is ordinal << 20 | chunk number: a document's chunks lie together and in order (PERFORMANCE §1).
chunk = _table("chunk", CONTENT, sa.Column("chunk_key", Whole, primary_key=True, autoincrement=False), _sealed("sealed"))

pending_intake = _table(
    "pending_intake",
    CONTENT,
    _text("document_id", sa.ForeignKey("content.document_id"), primary_key=True),
    _text("case_id"),
    _sealed("chunk_salt"),
    _whole("chunk_count"),
    _whole("chunks_stored"),
    _sealed("source_sealed"),
    _whole("started_us"),
)


# ---- triggers of the SQLite engines


def _refuse(name: str, table: str, code: str, *, event: str = "UPDATE", of: tuple[str, ...] = (), when: str = "") -> str:
    """A trigger that aborts the statement with `code` before `event` on `table` (on those columns, on that condition)."""
    columns = f" OF {', '.join(of)}" if of else ""
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} BEFORE {event}{columns} ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{code}'); END"


def _kept(table: str) -> str:
    """Nothing is removed from `table`."""
    return _refuse(f"{table}_kept", table, f"{table.replace('_', '-')}.kept", event="DELETE")


def _fixed(table: str, *columns: str) -> str:
    """Those columns of `table` never change (all, if none is named)."""
    return _refuse(f"{table}_fixed", table, f"{table.replace('_', '-')}.fixed", of=columns)


_DECIDED = ("state", "owner_id", "acknowledged_us", "disposed_us", "finding")

REGISTER_TRIGGERS: tuple[str, ...] = (
    # the audit trail: appended and nothing else. No trigger fires on an insert: it would cost every append a third (memory security locks
    # each allocation of the trigger's program), the primary key refuses a number twice, and the verifier names a gap.
    _kept("audit"),
    _fixed("audit"),
    _kept("audit_about"),
    _fixed("audit_about"),
    _kept("audit_checkpoint"),
    _fixed("audit_checkpoint"),
    # custody: recalled once, returned once, never removed
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
    # cases, grants and documents stay; a grant is removed by saying so
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
    # the directory
    _kept("unit"),
    _fixed("unit"),
    _kept("person"),
    _fixed("person", "person_id", "badge_no", "enrolled_us", "administrator_id", "administrator_signature"),
    _kept("session"),
    _fixed("session", "session_id", "person_id", "workstation_id", "opened_us"),
    _refuse("session_final", "session", "session.ended", when="OLD.ended_us <> 0"),
    # breaches: never removed, never lowered, never decided by the officer named, final when disposed
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
    _refuse("breach_own_report", "breach", "breach.own-report", of=(*_DECIDED, "triaged_by"), when="NEW.triaged_by = OLD.officer_id"),
    _refuse("breach_triaged_by_somebody", "breach", "breach.fixed", of=_DECIDED, when="NEW.triaged_by IS NULL"),
    _refuse("breach_final", "breach", "breach.disposed", of=_DECIDED, when="OLD.state = 'disposed'"),
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

CONTENT_TRIGGERS: tuple[str, ...] = (
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
