"""The place file: what a vault leaves with the front of its station's key servers, and what another one there means.

Every witness on the workstation goes back with a snapshot of the whole machine; this one does not. It names the end of the audit trail
and the header's generation, as they were committed, and how many reports the sealed spool has had, as the keyring counted them when the
vault took in what waited.

Rules:

- The entry it names must be in this trail, with that hash. Every opening appends an entry, so that an older state of the machine, and a
  twin of it, part from this trail with their first opening: no further counter is needed.
- It may lag behind: a workstation that was killed between its commit and its next witness did nothing wrong.
- It may not go back: what a front was known to keep, it has at least, or it was taken away there.
- The spool's count in the keyring may be ahead of it: reports are sealed while no vault is open. It may not be behind: then the keyring was
  put back, or its entry taken away, and what was sealed since can be gone unseen. Of a header of another generation it says nothing: a
  keyring made anew counts from nothing, and it takes a binding, which is a new generation, to open with it.
- A file that nobody with the vault's key wrote says so by itself, and says nothing else.
- A front knows a workstation by its certificate's name: under another name there is no file to compare with, so that is told of by itself.

A restored backup, a snapshot of the machine and a twin that was open meanwhile look alike at an opening; once this process has written,
another history is a twin's.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vault.domain.breach import SignalKind


class PlaceFinding(enum.Enum):
    """What a place file says that it should not; the value is the report's code."""

    ROLLED_BACK = "place-file.rolled-back"  # it knows another history than this vault, which has just been opened
    TWIN = "place-file.twin"  # it was written by another history while this vault was open
    HEADER_ROLLED_BACK = "place-file.header-rolled-back"  # it knows a newer header
    SPOOL_ROLLED_BACK = "place-file.spool-rolled-back"  # it knows of more sealed reports than the keyring counted
    MISSING = "place-file.missing"  # there was one
    OLDER = "place-file.older"  # there was a newer one
    ALTERED = "place-file.altered"  # it is none of this vault's
    OTHER_IDENTITY = "place-file.other-identity"  # it is asked for under another name than before, where it is another file


KINDS: Final[Mapping[PlaceFinding, SignalKind]] = {
    PlaceFinding.ROLLED_BACK: SignalKind.STORE_TAMPERED,
    PlaceFinding.TWIN: SignalKind.STORE_TAMPERED,
    PlaceFinding.HEADER_ROLLED_BACK: SignalKind.STORE_TAMPERED,
    PlaceFinding.SPOOL_ROLLED_BACK: SignalKind.STORE_TAMPERED,
    PlaceFinding.MISSING: SignalKind.PLACE_FILE_ALTERED,
    PlaceFinding.OLDER: SignalKind.PLACE_FILE_ALTERED,
    PlaceFinding.ALTERED: SignalKind.PLACE_FILE_ALTERED,
    PlaceFinding.OTHER_IDENTITY: SignalKind.PLACE_FILE_ALTERED,
}


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """What stands in a place file."""

    seq: int  # of the newest audit entry
    entry_hash: bytes  # its hash, 32 bytes
    generation: int  # of the header
    witnessed_us: int  # UTC microseconds, by the workstation's clock
    spooled: int | None = None  # reports that the sealed spool ever had; None: not known then, or from before this was kept


@dataclass(frozen=True, slots=True)
class KnownHere:
    """What this vault knows when it looks at a place file."""

    entry_hash: bytes  # of its own entry with the number that the place file names; empty if it has none
    generation: int  # of its header
    kept_seq: int | None  # the newest entry that this front was known to keep; None: it never kept one
    wrote: bool  # this process has written there
    spooled: int | None = None  # reports that the sealed spool ever had, by the keyring; None: nothing was taken in yet


def judge(outside: PlaceRecord | None, known: KnownHere) -> PlaceFinding | None:
    """Compare a place file that verified, or None where there is none, with what is known here; None if it is as it should be."""
    if outside is None:
        return PlaceFinding.MISSING if known.kept_seq is not None else None
    if outside.entry_hash != known.entry_hash:
        return PlaceFinding.TWIN if known.wrote else PlaceFinding.ROLLED_BACK
    if outside.generation > known.generation:
        return PlaceFinding.HEADER_ROLLED_BACK
    if _is_spool_behind(outside, known):
        return PlaceFinding.SPOOL_ROLLED_BACK
    if known.kept_seq is not None and outside.seq < known.kept_seq:
        return PlaceFinding.OLDER
    return None


def spooled_to_keep(outside: PlaceRecord | None, known: KnownHere) -> int | None:
    """What a new record says of the spool after a look that found nothing: what is counted here; until that is known, what stood there."""
    if known.spooled is not None or outside is None or outside.generation != known.generation:
        return known.spooled
    return outside.spooled


def facts_of(finding: PlaceFinding, outside: PlaceRecord | None, known: KnownHere, found_seq: int) -> tuple[tuple[str, str | int], ...]:
    """What a report says of a finding; `found_seq` is the newest entry here."""
    facts: list[tuple[str, str | int]] = [("code", finding.value), ("found_seq", found_seq), ("found_generation", known.generation)]
    if outside is not None:
        at = datetime.datetime.fromtimestamp(outside.witnessed_us / 1_000_000, datetime.UTC)
        facts += [
            ("witnessed_seq", outside.seq),
            ("witnessed_generation", outside.generation),
            ("witnessed_at", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
        ]
        if outside.spooled is not None:
            facts.append(("witnessed_spooled", outside.spooled))
    if known.spooled is not None:
        facts.append(("found_spooled", known.spooled))
    if known.kept_seq is not None:
        facts.append(("kept_seq", known.kept_seq))
    return tuple(facts)


def _is_spool_behind(outside: PlaceRecord, known: KnownHere) -> bool:
    if outside.spooled is None or known.spooled is None or outside.generation != known.generation:
        return False
    return known.spooled < outside.spooled
