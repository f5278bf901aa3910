"""The keyring's state is what reading the secret back found; the demo's keyring protects nothing, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import MemorySecretKeeper
from tests.station import SteppedClock
from ui import bridge, strings
from vault.domain.protection import ProtectionState
from vault.keyring_state import DEMO_KEYRING, KeyringState
from vault.platform import environment
from vault.secret import Secret

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "workstation:v"
ENFORCED, UNAVAILABLE = ProtectionState.ENFORCED, ProtectionState.UNAVAILABLE


class Desk:
    """A keyring with the secret in it, and the state of it."""

    def __init__(self, *, published: bool = False) -> None:
        self.keeper, self.clock = MemorySecretKeeper(), SteppedClock()
        self.keeper.write(NAME, Secret(b"secret"))
        self.asked: list[Callable[[], None]] = []
        self.state = KeyringState(self.keeper, NAME, self.clock, self.asked.append, published=published)

    def said(self) -> tuple[ProtectionState, str]:
        """The status, with the lane's work done."""
        self.state.status()
        for work in self.asked:
            work()
        self.asked.clear()
        status = self.state.status()
        return status.state, status.reason


def _gone(desk: Desk) -> None:
    desk.keeper.erase(NAME)


def _locked(desk: Desk) -> None:
    desk.keeper.unavailable = "keyring.locked"


def _nothing(_desk: Desk) -> None:
    return


# what happened to the keyring -> what is said a minute later
FATES: tuple[tuple[Callable[[Desk], None], tuple[ProtectionState, str]], ...] = (
    (_nothing, (ENFORCED, "os-keyring")),
    (_gone, (UNAVAILABLE, "secret-gone")),
    (_locked, (UNAVAILABLE, "keyring-silent")),
)


@pytest.mark.parametrize(("fate", "said"), FATES)
def test_the_secret_is_read_back_every_minute(fate: Callable[[Desk], None], said: tuple[ProtectionState, str]) -> None:
    desk = Desk()
    fate(desk)
    assert desk.said() == (ENFORCED, "os-keyring"), "opening read it a moment ago"
    desk.clock.step(61)
    assert desk.said() == said
    desk.keeper.unavailable = None
    desk.keeper.write(NAME, Secret(b"secret"))
    assert desk.said() == said, "not looked at again yet"
    desk.clock.step(61)
    assert desk.said() == (ENFORCED, "os-keyring")


def test_a_published_passphrase_protects_nothing() -> None:
    desk = Desk(published=True)
    for _ in range(2):
        assert desk.said() == (UNAVAILABLE, "demo-keyring")
        desk.clock.step(61)


@pytest.mark.parametrize("reason", ["demo-keyring", "secret-gone", "keyring-silent"])
def test_why_is_said(reason: str) -> None:
    assert strings.has_text(f"protection_reason.{reason}")


def test_the_session_says_that_the_passphrase_is_published_and_the_vault_is_told() -> None:
    script = (ROOT / "packaging" / "session.sh").read_text(encoding="utf-8")
    assert f"export {DEMO_KEYRING}=1" in script
    assert DEMO_KEYRING in environment.KEPT
    assert DEMO_KEYRING in bridge._KEPT_ENVIRONMENT
