"""A lost phone and a changed passphrase, in the real window, by keys, with the codes read off the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.own_session import play


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_lost_phone_and_another_passphrase_at_the_desk(tmp_path: Path) -> None:
    play("tests.journeys.credentials_shift", tmp_path / "pictures", 580)
