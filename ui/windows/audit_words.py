"""The audit trail in words: a sentence per kind of entry, groups of kinds for the filter, the chain's state as one line.

Rules of this module:

- Pure: values in, words out. Every `AuditKind` has a sentence and stands in exactly one group; a test proves both.
- A sentence may name a case number, which whoever shows it paints; it never names a title or a document.
- A kind that is not known (a later version wrote it) is shown as it stands, never dropped.
"""

from __future__ import annotations

import enum
import time

from ui import strings
from ui.windows.breach_words import fact_name
from vault.domain.audit import AuditKind
from vault.services.views import AuditLine, ChainLine


class KindGroup(enum.Enum):
    """What a filter chip chooses."""

    SESSIONS = "sessions"
    PEOPLE = "people"
    CASES = "cases"
    DOCUMENTS = "documents"
    CUSTODY = "custody"
    READING = "reading"
    REPORTS = "reports"
    TRAIL = "trail"


_ROOM_GROUP = {
    "vault": KindGroup.SESSIONS,
    "clock": KindGroup.SESSIONS,
    "protections": KindGroup.SESSIONS,
    "premises": KindGroup.SESSIONS,
    "policy": KindGroup.SESSIONS,
    "recovery": KindGroup.SESSIONS,
    "session": KindGroup.SESSIONS,
    "person": KindGroup.PEOPLE,
    "unit": KindGroup.PEOPLE,
    "accommodation": KindGroup.PEOPLE,
    "case": KindGroup.CASES,
    "decoy": KindGroup.CASES,
    "grant": KindGroup.CASES,
    "access": KindGroup.CASES,
    "document": KindGroup.DOCUMENTS,
    "custody": KindGroup.CUSTODY,
    "page": KindGroup.READING,
    "breach": KindGroup.REPORTS,
    "audit": KindGroup.TRAIL,
    "trace": KindGroup.TRAIL,
}


def group_of(kind: AuditKind) -> KindGroup:
    """Give the group a kind belongs to. A search within a document is reading."""
    return KindGroup.READING if kind is AuditKind.FIND_RAN else _ROOM_GROUP[kind.value.partition(".")[0]]


def kinds_of(groups: frozenset[KindGroup]) -> tuple[str, ...]:
    """Give the kinds to ask for; empty (= every kind) when no group or every group is chosen."""
    if not groups or len(groups) == len(KindGroup):
        return ()
    return tuple(kind.value for kind in AuditKind if group_of(kind) in groups)


def sentence(line: AuditLine) -> str:
    """Say what an entry records."""
    key = f"audit.sentence.{line.kind}"
    if not strings.has_text(key):
        return strings.text("audit.sentence.unknown", kind=line.kind)
    return " ".join(strings.text(key, case=line.case_label, page=strings.number(line.page_no)).split())


def outcome(line: AuditLine) -> str:
    """Name how the act ended."""
    key = f"audit.outcome.{line.outcome}"
    return strings.text(key) if strings.has_text(key) else line.outcome


def fact_row(name: str, value: str) -> tuple[str, str]:
    """Name a fact of an entry, with its value: lengths of time and moments are stored as bare counts, and are said as such."""
    key = f"audit.fact.{name}"
    label = strings.text(key) if strings.has_text(key) else fact_name(name)
    if value.isascii() and value.isdecimal():
        if name.endswith("_ms"):
            return label, strings.text("audit.fact_seconds", n=f"{int(value) / 1000:.1f}")
        if name.endswith("_us"):
            return label, strings.local_time_full(int(value)) if int(value) else strings.text("audit.fact_never")
    return label, value


def chain_sentence(chain: ChainLine | None) -> str:
    """Give the chain's state as one line; None: it was not verified since this page was opened."""
    if chain is None:
        return strings.text("audit.chain_unknown")
    if not chain.holds:
        reason = strings.text(f"audit.reason.{chain.reason if strings.has_text(f'audit.reason.{chain.reason}') else 'other'}")
        if chain.bad_seq:
            return strings.text("audit.chain_bad", seq=strings.number(chain.bad_seq), reason=reason)
        return strings.text("audit.chain_bad_whole", reason=reason)
    head, at = strings.number(chain.entries), strings.local_time(chain.verified_us)
    if chain.witnessed_seq:
        return strings.text("audit.chain_holds", head=head, time=at, witnessed=strings.number(chain.witnessed_seq))
    return strings.text("audit.chain_unwitnessed", head=head, time=at)


def day_us(typed: str) -> int | None:
    """Read a day as its first local moment.

    Args:
        typed: ``2026-11-22``; surrounding blanks do not matter.
    Returns:
        UTC microseconds; 0 for an empty field; None when it is not a day.
    """
    words = typed.strip()
    if not words:
        return 0
    return _moment(words, "%Y-%m-%d")


def moment_us(typed: str) -> int | None:
    """Read a local day or moment: ``2026-11-22`` or ``2026-11-22 08:00``; 0 for empty, None when it is neither."""
    words = typed.strip()
    return day_us(words) if len(words) <= len("2026-11-22") else _moment(words, "%Y-%m-%d %H:%M")


def _moment(words: str, shape: str) -> int | None:
    try:
        parsed = time.strptime(words, shape)
        return int(time.mktime((*parsed[:6], 0, 1, -1))) * 1_000_000
    except (ValueError, OverflowError):
        return None
