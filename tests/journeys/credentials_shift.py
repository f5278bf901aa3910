"""A week at a station: a phone that is lost, a passphrase that is changed. Played in the real window by keys, on a real keyring and vault.

    python -m tests.journeys.credentials_shift --out build/credentials-shift

Run it inside ``packaging/session.sh headless``. The codes are read off the screen, as a telephone reads them; exits 1 if any step failed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from tests.journeys.shift import OFFICER, SUPERVISOR, Shift, passphrase_of
from vault.domain.audit import AuditKind
from vault.domain.identity import PersonState
from vault.domain.policy import Policy
from vault.services.ports import AuditFilter

CHOSEN = "seven grey bicycles upstairs"


class CredentialsShift(Shift):
    """An officer is enrolled, loses the phone, gets another, and chooses another passphrase."""

    people = (OFFICER,)
    lost = ""  # the second factor before
    typed = 0  # when the last sign-in was sent, as the desk counts its steps

    def play(self) -> bool:
        """Play every step; True if all went well."""
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("first run", self.first_run),
            ("founding", self.founding),
            ("a unit", self.add_unit),
            ("enrolment", self.enrol),
            ("second signature", self.cosign),
            ("another phone", self.renew),
            ("the old one is dead", self.refuse_old),
            ("sign-in with the new one", self.sign_in_officer),
            ("another passphrase", self.change_passphrase),
            ("sign-in with it", self.sign_in_chosen),
            ("guesses at it lock the session", self.guess),
        )
        return self._play(steps)

    def renew(self) -> None:
        """The supervisor is still signed in; the officer types their passphrase."""
        self._fill("people_filter", OFFICER)
        before = self.desk.key("Return")
        self.desk.wait("focus people_list", since=before)
        self.desk.settle()
        before = self.desk.key("f")
        self.desk.wait("focus renew_factor_reason", since=before)
        self.desk.type("lost on the ferry")
        self.desk.key("Tab")
        self.desk.type(passphrase_of(OFFICER))
        before = self.desk.key("Return")
        self.desk.wait("show factor_proof_sheet", since=before)
        self.desk.settle(0.4)
        self.lost = self.second_factors[OFFICER]
        self._scan(OFFICER)
        self.desk.type(self._code(OFFICER))
        before = self.desk.key("Return")
        self.desk.wait("hide factor_proof_sheet", since=before)
        self.desk.settle(1.5)

    def refuse_old(self) -> None:
        self._sign_out()
        new, self.second_factors[OFFICER] = self.second_factors[OFFICER], self.lost
        self._type_sign_in(passphrase_of(OFFICER))
        self.desk.wait("focus sign_in_passphrase", since=self.typed, seconds=30)
        self.desk.settle(0.5)
        assert not self._signed_in()
        self.second_factors[OFFICER] = new
        self.desk.key("shift+Tab")
        self.desk.key("ctrl+a", "BackSpace")
        self.desk.settle()

    def change_passphrase(self) -> None:
        before = self.desk.key("ctrl+k")
        self.desk.wait("focus palette_line", since=before)
        self.desk.type("my passphrase")
        self.desk.key("Return")
        self.desk.wait("focus change_passphrase_old", since=before)
        for words in (passphrase_of(OFFICER), self._code(OFFICER), CHOSEN):
            self.desk.type(words)
            self.desk.key("Return")
        self.desk.type(CHOSEN)
        self._picture("change-passphrase")
        before = self.desk.key("Return")
        self.desk.wait("hide change_passphrase_sheet", since=before, seconds=30)
        self.desk.settle(0.5)

    def sign_in_chosen(self) -> None:
        self._sign_out()
        self._type_sign_in(CHOSEN)
        self.desk.wait("show shell", since=self.typed, seconds=30)
        self.desk.settle(0.5)

    def guess(self) -> None:
        """Somebody at the officer's open desk who does not know the passphrase."""
        before = self.desk.key("ctrl+k")
        self.desk.wait("focus palette_line", since=before)
        self.desk.type("my passphrase")
        self.desk.key("Return")
        self.desk.wait("focus change_passphrase_old", since=before)
        for left in reversed(range(Policy().failed_sign_ins)):
            for words in ("nine green omnibuses", "000000", "ten red lighthouses", "ten red lighthouses"):
                self.desk.type(words)
                before = self.desk.key("Return")
            if left:
                self.desk.settle(2.5)
        self.desk.wait("focus lock_passphrase", since=before, seconds=30)
        self.desk.settle(0.5)

    def facts(self) -> None:
        """The trail names who did what."""
        with self.opened_as(SUPERVISOR) as vault:
            kinds = tuple(kind.value for kind in (AuditKind.FACTOR_RENEWED, AuditKind.PERSON_RESEALED))
            entries = vault.store.audit_entries(AuditFilter(kinds=kinds), 0, 9)
            supervisor, officer = (vault.store.person_by_badge(badge) for badge in (SUPERVISOR, OFFICER))
            assert supervisor is not None
            assert officer is not None
            assert [(one.kind, one.actor_id) for one in entries] == [
                (AuditKind.PERSON_RESEALED.value, officer.person_id),
                (AuditKind.FACTOR_RENEWED.value, supervisor.person_id),
            ]
            assert officer.state is PersonState.LOCKED
            [locked] = vault.store.audit_entries(AuditFilter(kinds=(AuditKind.LOCKED.value,)), 0, 9)
            assert (locked.actor_id, dict(json.loads(locked.facts))["reason"]) == (officer.person_id, "guesses")

    def _type_sign_in(self, passphrase: str) -> None:
        self._focus("sign_in_badge")
        for words in (OFFICER, passphrase):
            self.desk.type(words)
            self.desk.key("Return")
        self.desk.type(self._code(OFFICER))
        self.typed = self.desk.key("Return")


def main() -> int:
    """Play it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    return 0 if CredentialsShift(given.out).play() else 1


if __name__ == "__main__":
    raise SystemExit(main())
