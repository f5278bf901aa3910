"""A lock takes the keys away whatever else fails, and the system's lock wins over a sign-in under way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import OFFICER
from tests.station import Station, passphrase_of
from vault.errors import RefusedError, UnavailableError


def full_disk(*_arguments: Any) -> None:
    raise UnavailableError("storage.full")


@pytest.mark.parametrize(("act", "write"), [("lock", "lock_session"), ("sign_out", "end_session")])
def test_an_entry_that_cannot_be_written_does_not_keep_the_process_alive(
    station: Station, monkeypatch: pytest.MonkeyPatch, act: str, write: str
) -> None:
    station.sign_in(OFFICER)
    ended: list[str] = []
    station.vault.world.end = ended.append
    monkeypatch.setattr(station.vault.store, write, full_disk)
    with pytest.raises(UnavailableError, match=r"storage\.full"):
        station.vault.session.lock("key") if act == "lock" else station.vault.session.sign_out()
    assert ended
    assert station.vault.world.session is None


def test_a_screen_that_locks_during_a_sign_in_refuses_it(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    session, locksmith = station.vault.session, station.vault.world.locksmith
    opened = type(locksmith).open_person

    def slow(self: Any, *arguments: Any) -> Any:
        session.lock_by_system("screen-lock")  # while Argon2id runs
        return opened(self, *arguments)

    monkeypatch.setattr(type(locksmith), "open_person", slow)
    with pytest.raises(RefusedError, match=r"session\.locked"):
        session.sign_in(OFFICER, passphrase_of(OFFICER), station.code(OFFICER))
    assert station.vault.world.session is None
    monkeypatch.undo()
    station.sign_in(OFFICER)
    assert station.vault.world.session is not None
