"""Need-to-know: deny wins, periods hold, and no decision comes without the reason that decided it."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from vault.domain.access import Effect, GranteeKind, GrantTerms, Reason, ReasonCode, decide
from vault.domain.identity import CaseId, GrantId, PersonId, Role, UnitId

NOW = 1_000
ME, OTHER = PersonId("me"), PersonId("other")
UNITS = (UnitId("unit-a"), UnitId("unit-b"))
READERS = (Role.OFFICER, Role.SUPERVISOR, Role.CUSTODIAN)
_numbers = itertools.count()


def grant(
    effect: Effect = Effect.ALLOW,
    kind: GranteeKind = GranteeKind.PERSON,
    grantee: str = ME,
    from_us: int = 0,
    until_us: int = 0,
    removed_us: int = 0,
) -> GrantTerms:
    return GrantTerms(
        GrantId(f"g{next(_numbers)}"), CaseId("case"), effect, kind, grantee, from_us, until_us, PersonId("grantor"), 0, removed_us
    )


TIMES = st.sampled_from([0, NOW - 1, NOW, NOW + 1])
GRANTS = st.builds(
    grant,
    effect=st.sampled_from(Effect),
    kind=st.sampled_from(GranteeKind),
    grantee=st.sampled_from([ME, OTHER, *UNITS]),
    from_us=TIMES,
    until_us=TIMES,
    removed_us=st.sampled_from([0, 0, NOW - 1]),
)


def in_force(one: GrantTerms, unit_ids: tuple[UnitId, ...]) -> bool:
    """The rule said once more, as directly as it can be."""
    mine = one.grantee_id == ME if one.grantee_kind is GranteeKind.PERSON else one.grantee_id in unit_ids
    return mine and one.removed_us == 0 and one.from_us <= NOW and (one.until_us == 0 or one.until_us > NOW)


@given(st.lists(GRANTS, max_size=8), st.sampled_from(Role), st.sets(st.sampled_from(UNITS)))
def test_the_decision_is_the_rule(grants: list[GrantTerms], role: Role, units: set[UnitId]) -> None:
    unit_ids = tuple(sorted(units))
    standing = [one for one in grants if in_force(one, unit_ids)]
    allowed = (
        role in READERS
        and any(one.effect is Effect.ALLOW for one in standing)
        and not any(one.effect is Effect.DENY for one in standing)
    )  # fmt: skip
    decision = decide(ME, role, unit_ids, grants, NOW)
    assert decision.allowed is allowed


@given(st.lists(GRANTS, max_size=8), st.sampled_from(Role), st.sets(st.sampled_from(UNITS)))
def test_every_decision_is_explained_decisive_reasons_first(grants: list[GrantTerms], role: Role, units: set[UnitId]) -> None:
    decision = decide(ME, role, tuple(units), grants, NOW)
    marks = [reason.decisive for reason in decision.reasons]
    assert marks
    assert marks[0]
    assert marks == sorted(marks, reverse=True), "a decisive reason after one that is not"
    codes = {reason.code for reason in decision.reasons if reason.decisive}
    granting = {ReasonCode.GRANTED_TO_PERSON, ReasonCode.GRANTED_TO_UNIT}
    assert codes <= granting if decision.allowed else not codes & granting
    if decision.allowed:
        assert all(reason.grant_id for reason in decision.reasons)


@given(st.lists(GRANTS, max_size=6), st.sampled_from([Effect.DENY]), st.sampled_from([ME, *UNITS]))
def test_a_deny_never_gives_sight(grants: list[GrantTerms], effect: Effect, grantee: str) -> None:
    kind = GranteeKind.PERSON if grantee == ME else GranteeKind.UNIT
    assert not decide(ME, Role.OFFICER, UNITS, [*grants, grant(effect, kind, grantee)], NOW).allowed


ENDED_DENY = grant(Effect.DENY, GranteeKind.UNIT, UNITS[0], until_us=NOW)


@given(st.permutations([grant(), ENDED_DENY, grant(from_us=NOW + 1), grant(removed_us=1)]))
def test_order_does_not_matter(grants: list[GrantTerms]) -> None:
    decision = decide(ME, Role.OFFICER, UNITS, grants, NOW)
    assert decision.allowed
    assert {(one.code, one.decisive) for one in decision.reasons} == {
        (ReasonCode.GRANTED_TO_PERSON, True), (ReasonCode.ENDED, False), (ReasonCode.NOT_YET, False), (ReasonCode.REMOVED, False),
    }  # fmt: skip


def test_the_period_includes_its_first_microsecond_and_excludes_its_last() -> None:
    one = grant(from_us=NOW, until_us=NOW + 2)
    allowed = [decide(ME, Role.OFFICER, (), [one], at).allowed for at in range(NOW - 1, NOW + 4)]
    assert allowed == [False, True, True, False, False]


def test_administrators_and_auditors_never_see_a_case_and_are_told_why() -> None:
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert decide(ME, role, UNITS, [grant()], NOW).reasons == (Reason(ReasonCode.ROLE_NEVER, decisive=True),)


def test_a_grant_to_a_unit_names_the_unit_and_a_persons_grant_is_not_a_units() -> None:
    named = decide(ME, Role.OFFICER, UNITS, [grant(kind=GranteeKind.UNIT, grantee=UNITS[1])], NOW).reasons[0]
    assert (named.code, named.unit_id) == (ReasonCode.GRANTED_TO_UNIT, UNITS[1])
    assert not decide(ME, Role.OFFICER, (UnitId(ME),), [grant(grantee=OTHER)], NOW).allowed
    # Ids are random; still, a unit named like a person gives that person nothing.
    assert not decide(ME, Role.OFFICER, (), [grant(kind=GranteeKind.UNIT, grantee=ME)], NOW).allowed
