"""Audit append against a bare insert with the same durability.

Rules: one entry a transaction on both sides, WAL and FULL, page 4096; the bare row is as wide. The hash chain, the canonical entry and the
clock are what the difference pays for.
"""

from __future__ import annotations

from tests.bench import stations
from tests.bench.bare_store import BareTrail
from tests.bench.measures import Report, at_least, interleaved, median, seconds
from vault.domain.audit import AuditDraft, AuditKind, chained
from vault.domain.identity import CaseId, DocumentId, PersonId, SessionId

_BLOCKS, _BLOCK = 30, 100


def run(report: Report) -> None:
    """Measure item 7."""
    station = stations.inline("few")
    store = station.vault.store
    ids = "0123456789abcdef" * 2
    draft = AuditDraft(
        AuditKind.PAGE_VIEWED, PersonId(ids), SessionId(ids), CaseId(ids), DocumentId(ids), page_no=17, facts=(("check_out_id", ids),)
    )
    entry, _ = chained(draft, 10_000, station.clock.now_us(), station.clock.boot_us(), store.workstation_id(), bytes(32))
    bare = BareTrail(stations.WORK / "bare-audit.db", entry)

    def ours() -> float:
        return seconds(lambda: [store.append_audit(draft) for _ in range(_BLOCK)])

    def theirs() -> float:
        return seconds(lambda: bare.append(_BLOCK))

    interleaved(2, ours, theirs)  # warm
    append, insert = interleaved(_BLOCKS, ours, theirs)
    bare.close()
    station.close()
    many = _BLOCKS * _BLOCK
    report.add("audit", "audit append, one entry a commit", 1e6 * median(append) / _BLOCK, "us", many, note=f"medians of {_BLOCKS} blocks")
    report.add("audit", "bare insert of a row as wide, same durability", 1e6 * median(insert) / _BLOCK, "us", many)
    report.add("audit", "audit append: rate over bare insert", median(insert) / median(append), "x", _BLOCKS, at_least(0.8))
