"""The demo station: synthetic people, cases and documents from `resources/demo`, so that a fresh machine has a shift to work.

Rules:

- Everything is made through the services, by the people who would make it: nothing is written past a rule.
- The passphrases of a demo are published; its second factors are kept in the keyring, for `casevault code` to answer without a telephone.
  They protect nothing. `casevault found` makes a real vault.
- Where the launcher says the vault is, among officers, it is not founded, and its people are not named: the vault would open with what
  everybody can read, and nobody of the demo works there.
- Either the whole demo exists or nothing of it: it is made in a folder beside and moved into place.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyotp

from vault import reach
from vault.assembly import Vault, found_vault, load_policy, open_vault
from vault.crypto.slots import Argon2Cost
from vault.domain.access import Effect, GranteeKind
from vault.domain.casefile import Marking
from vault.domain.identity import CaseId, Role
from vault.errors import DefectError, RefusedError
from vault.secret import Secret
from vault.services.page_memory import PageMemory
from vault.services.ports import Clock, Entropy, SecretKeeper
from vault.services.views import Enrolment, FileState, Founder
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.threads import InlineThreads

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "resources" / "demo"
_STEP_US = 30_000_000
_FOUNDER_ROLES = (Role.ADMINISTRATOR, Role.SUPERVISOR, Role.CUSTODIAN)


def make_demo(
    directory: Path,
    keeper_for: Callable[[str], SecretKeeper],
    clock: Clock,
    entropy: Entropy,
    say: Callable[[str], None],
    *,
    take_in: bool = True,
    cost: Argon2Cost = Argon2Cost(),  # noqa: B008 - frozen
    policy_text: str = "",
) -> None:
    """Found and staff the demo station.

    Args:
        directory: must not hold a vault yet.
        keeper_for: gives the OS keyring for a vault id.
        clock: time.
        entropy: random bytes.
        say: told a key of the command line's words for each stage.
        take_in: whether the documents are taken in; the scripted shift does that itself, in the window.
        cost: of the person slots.
        policy_text: what the station sets differently (TOML).

    Raises:
        RefusedError: as `read_plan`, and as `found_vault`.
        UnavailableError: as `found_vault`.
    """
    plan = read_plan()
    building = directory.with_name(directory.name + ".building")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _Demo(building, plan, keeper_for, clock, entropy, say, cost, policy_text).make(take_in=take_in)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in sorted(building.iterdir(), key=lambda path: path.name == HEADER_NAME):
            one.replace(directory / one.name)  # the header last: without it there is no vault
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_plan() -> dict[str, Any]:
    """Read who works at the demo station and what is there (`resources/demo/station.toml`).

    Raises:
        RefusedError: demo.installed.
    """
    if reach.is_launched():
        raise RefusedError("demo.installed")
    with (DEMO_FOLDER / "station.toml").open("rb") as file:
        return tomllib.load(file)


def current_code(directory: Path, keeper_for: Callable[[str], SecretKeeper], badge_no: str, now_us: int) -> str | None:
    """The one-time code of a demo person now, None if there is no such person.

    Raises:
        UnavailableError: header.missing, keyring.missing, keyring.locked.
    """
    vault_id = read_unverified_header(directory / HEADER_NAME).vault_id
    secret = keeper_for(vault_id).read(_second_factor_name(badge_no))
    return pyotp.TOTP(secret.reveal().decode()).at(now_us // 1_000_000) if secret is not None else None


class _Demo:
    """The acts of founding, in order."""

    def __init__(
        self,
        directory: Path,
        plan: dict[str, Any],
        keeper_for: Callable[[str], SecretKeeper],
        clock: Clock,
        entropy: Entropy,
        say: Callable[[str], None],
        cost: Argon2Cost,
        policy_text: str,
    ) -> None:
        self._policy_text = policy_text
        self._directory = directory
        self._plan = plan
        self._keeper_for = keeper_for
        self._clock = clock
        self._entropy = entropy
        self._say = say
        self._cost = cost
        self._second_factors: dict[str, str] = {}
        self._used_steps: dict[str, int] = {}
        self._founders = tuple(next(one for one in plan["person"] if one["role"] == role.value) for role in _FOUNDER_ROLES)

    def make(self, *, take_in: bool) -> None:
        """Found, staff, register, grant and take in."""
        self._say("founding")
        founders = tuple(Founder(one["badge_no"], one["name"], one["passphrase"]) for one in self._founders)
        for made in found_vault(
            self._directory,
            self._plan["station"]["name"],
            (founders[0], founders[1], founders[2]),
            self._keeper_for,
            self._clock,
            self._entropy,
            self._cost,
            self._policy_text,
        ):
            self._remember(made)
        pages = PageMemory.create()
        vault = open_vault(
            self._directory, self._keeper_for, self._clock, self._entropy, load_policy(), InlineThreads(), lambda _event: None, pages
        )
        try:
            self._staff(vault)
            self._keep_second_factors(vault.world.keeper)
            self._say("cases")
            cases = self._register(vault)
            if take_in:
                self._say("documents")
                self._take_in(vault, cases)
            vault.session.sign_out()
            vault.witness.seal_now()
        finally:
            vault.close()
            pages.close()

    def _staff(self, vault: Vault) -> None:
        administrator, supervisor, _ = self._founders
        self._say("people")
        self._sign_in(vault, supervisor)
        units = {one.name: one.unit_id for one in vault.administration.units()}
        for unit in self._plan["unit"]:
            if unit["name"] not in units:
                units[unit["name"]] = vault.administration.add_unit(unit["name"]).unit_id
        self._sign_in(vault, administrator)
        enrolled = []
        for person in self._plan["person"]:
            if person in self._founders:
                continue
            made = vault.administration.enrol(
                person["badge_no"], person["name"], Role(person["role"]), units[person["unit"]], person["passphrase"]
            )
            self._remember(made)
            enrolled.append(made.person_id)
        self._sign_in(vault, supervisor)
        for person_id in enrolled:
            vault.administration.cosign(person_id)

    def _register(self, vault: Vault) -> dict[str, CaseId]:
        self._sign_in(vault, self._founders[2])
        units = {one.name: one.unit_id for one in vault.register.units()}
        people = {one.badge_no: one.person_id for one in vault.register.people()}
        cases: dict[str, CaseId] = {}
        for case in self._plan["case"]:
            cases[case["number"]] = vault.register.register_case(
                case["number"],
                case["title"],
                case["type"],
                case["officer_in_charge"],
                units[case["unit"]],
                Marking(case["marking"]),
                tuple(case["persons"]),
                tuple(case["tags"]),
            ).case_id
        for grant in self._plan.get("grant", []):
            kind = GranteeKind.UNIT if "unit" in grant else GranteeKind.PERSON
            grantee = units[grant["unit"]] if "unit" in grant else people[grant["person"]]
            vault.register.grant(cases[grant["case"]], Effect(grant["effect"]), kind, grantee, 0, 0, grant["reason"])
        return cases

    def _take_in(self, vault: Vault, cases: dict[str, CaseId]) -> None:
        for case in self._plan["case"]:
            started = vault.intake.start(cases[case["number"]], (str(DEMO_FOLDER / case["folder"]),))
            refused = [one for one in vault.intake.status(started.intake_no).files if one.state is not FileState.DONE]
            if refused:
                raise DefectError("demo.document-refused", refused=len(refused))

    def _sign_in(self, vault: Vault, person: dict[str, Any]) -> None:
        if vault.world.session is not None:
            vault.session.sign_out()
        badge_no = person["badge_no"]
        now, into_step_us = divmod(self._clock.now_us(), _STEP_US)
        # A code is good once; the step before and the step after are accepted as well (RFC 6238 5.2). The oldest leaves most for the
        # person who signs in next, and is taken only while its time does not run out during the sign-in.
        oldest = now - 1 if into_step_us < _STEP_US // 2 else now
        step = max(oldest, self._used_steps.get(badge_no, 0) + 1)
        self._used_steps[badge_no] = step
        vault.session.sign_in(badge_no, person["passphrase"], pyotp.TOTP(self._second_factors[badge_no]).generate_otp(step))

    def _remember(self, made: Enrolment) -> None:
        self._second_factors[made.badge_no] = parse_qs(urlparse(made.provisioning_uri).query)["secret"][0]

    def _keep_second_factors(self, keeper: SecretKeeper) -> None:
        for badge_no, secret in self._second_factors.items():
            keeper.write(_second_factor_name(badge_no), Secret(secret.encode()))


def _second_factor_name(badge_no: str) -> str:
    return f"demo-second-factor:{badge_no}"
