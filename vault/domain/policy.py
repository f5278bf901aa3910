"""The station's settings, with their bounds. A value outside its bounds is refused, not clipped.

Source of bounds: CJIS AC-11 (lock after at most 30 min), AC-7 (5 failures in 15 min), IA-11 (re-authentication every 12 h).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

from vault.domain.breach import Severity, SignalKind
from vault.domain.casefile import Marking, is_restricted
from vault.domain.place import ApprovedPlace, places_from
from vault.domain.protection import TrustLevel
from vault.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings a station may choose."""

    idle_lock_seconds: int = 600
    session_hours: int = 12
    failed_sign_ins: int = 5
    failure_window_seconds: int = 900
    check_out_default_hours: int = 8
    check_out_ceiling_hours: int = 72
    witness_seconds: int = 60
    premises_proof_seconds: int = 10
    premises_lease_seconds: int = 30
    premises_contact: str = ""  # whom to call where no key server answers; shown to whoever tries to open the vault there
    bulk_pages: int = 30
    bulk_dwell_ms: int = 2000
    outside_assignment_cases: int = 1
    restricted_needs_trust: str = "reduced"
    fence_reading: str = "never"
    fence_band_percent: int = 9
    shift_hours: Mapping[str, str] = field(default_factory=dict)
    copies_watched_folders: tuple[str, ...] = (
        "~/Downloads",
        "~/Desktop",
        "~/Documents",
        "~/Pictures",
        "/tmp",  # noqa: S108 - watched, never written
        "/media",
        "/run/media",
    )
    capture_allowed_programs: tuple[str, ...] = ()  # absolute paths of programs and scripts that may be at the screen beside a page
    synthetic_input_reported: bool = True
    remote_session_refused: bool = True
    virtual_machine_refused: bool = False
    virtual_machine_reported: bool = False
    approved_places: tuple[ApprovedPlace, ...] = ()  # evidence of a report; on a workstation bound to no key server, what fits none is one
    raised_severity: Mapping[str, int] = field(default_factory=dict)


_BOUNDS = {
    "idle_lock_seconds": (30, 1800),
    "session_hours": (1, 12),
    "failed_sign_ins": (1, 5),
    "failure_window_seconds": (900, 86_400),
    "check_out_default_hours": (1, 72),
    "check_out_ceiling_hours": (1, 24 * 14),
    "witness_seconds": (5, 3600),
    "premises_proof_seconds": (3, 60),
    "premises_lease_seconds": (10, 300),
    "bulk_pages": (10, 500),
    "bulk_dwell_ms": (200, 10_000),
    "outside_assignment_cases": (1, 50),
    "fence_band_percent": (4, 25),
}

_PROOF_DEADLINE_SECONDS = 2  # of one question to the key servers (`vault.crypto.tang`)
_LINE_MOST = 120  # characters

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHIFT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def policy_from(values: Mapping[str, object], base: Policy | None = None, *, kept: bool = False) -> Policy:
    """Make a policy of a parsed file, laid over `base`.

    Args:
        values: the settings it names.
        base: what it is laid over; the defaults unless said.
        kept: a vault was founded with it. Then a lease too short for its proofs is as long as they need, and is not refused.

    Raises:
        RefusedError: policy.unknown, a name there is not; policy.out-of-bounds, a number that may not be, or a lease too short for the
            proofs; policy.wrong-value; policy.place, an approved place that is written wrongly; policy.places, their list is.
    """
    known = {one.name for one in fields(Policy)}
    given: dict[str, object] = {}
    for name, value in values.items():
        if name not in known:
            raise RefusedError("policy.unknown", setting=name)
        if name == "approved_places":
            given[name] = places_from(value)
            continue
        if name in _BOUNDS:
            low, high = _BOUNDS[name]
            if not _whole(value, low, high):
                raise RefusedError("policy.out-of-bounds", setting=name, low=low, high=high)
        elif not _CHECKED[name](value):
            raise RefusedError("policy.wrong-value", setting=name)
        given[name] = tuple(value) if isinstance(value, list) else value
    policy = replace(base or Policy(), **given)  # type: ignore[arg-type]
    least = policy.premises_proof_seconds + _PROOF_DEADLINE_SECONDS  # below, the lease is over before the next proof can hold
    if policy.premises_lease_seconds >= least:
        return policy
    if not kept:
        raise RefusedError("policy.out-of-bounds", setting="premises_lease_seconds", low=least, high=_BOUNDS["premises_lease_seconds"][1])
    return replace(policy, premises_lease_seconds=least)


def least_trust(policy: Policy, marking: Marking) -> TrustLevel:
    """What a workstation must be worth for a case of that marking to be checked out and read here."""
    if not is_restricted(marking) or policy.restricted_needs_trust == "never":
        return TrustLevel.LOW
    return TrustLevel[policy.restricted_needs_trust.upper()]


def fenced(policy: Policy, marking: Marking) -> bool:
    """Whether pages of a case of that marking are shown one band at a time."""
    return policy.fence_reading == "always" or (policy.fence_reading == "restricted" and is_restricted(marking))


def shift_minutes(shift: str) -> tuple[int, int] | None:
    """The first minute of a day's shift and the one after its last, 0…1439 each; an end before the beginning is on the next day.

    None for what is not a shift, and for one that begins when it ends.
    """
    found = _SHIFT.fullmatch(shift)
    if found is None:
        return None
    begin_hour, begin_minute, end_hour, end_minute = (int(one) for one in found.groups())
    begin, end = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
    return None if begin == end else (begin, end)


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _severities(value: object) -> bool:
    kinds = {kind.value for kind in SignalKind}
    return isinstance(value, Mapping) and all(
        name in kinds and _whole(severity, Severity.CONTEXT, Severity.BULK) for name, severity in value.items()
    )


def _folders(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _shifts(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        day in WEEKDAYS and isinstance(shift, str) and shift_minutes(shift) is not None for day, shift in value.items()
    )


def _line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LINE_MOST and value.isprintable()


def _programs(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.startswith("/") for one in value)


# A mistake here must show when the vault opens, not when a breach is recorded.
_CHECKED: Mapping[str, Callable[[object], bool]] = {
    "raised_severity": _severities,
    "copies_watched_folders": _folders,
    "shift_hours": _shifts,
    "restricted_needs_trust": lambda value: value in ("never", *(level.name.lower() for level in TrustLevel)),
    "premises_contact": _line,
    "fence_reading": lambda value: value in ("never", "restricted", "always"),
    "capture_allowed_programs": _programs,
    "synthetic_input_reported": lambda value: isinstance(value, bool),
    "remote_session_refused": lambda value: isinstance(value, bool),
    "virtual_machine_refused": lambda value: isinstance(value, bool),
    "virtual_machine_reported": lambda value: isinstance(value, bool),
}
