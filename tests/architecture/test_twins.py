"""Numbers that two rooms must know and may not ask each other for: the import contracts keep the rooms apart, this keeps them alike."""

from __future__ import annotations

import pytest

from ui.windows import enrol, premises_sheets
from vault.crypto import passphrase, premises, sealing
from vault.services import reading

TWINS = {
    "characters of a passphrase": (enrol.LEAST_CHARACTERS, passphrase.LEAST_CHARACTERS),
    "different ones": (enrol.LEAST_DIFFERENT, passphrase._LEAST_DIFFERENT_CHARACTERS),
    "of a badge number that counts": (enrol._LEAST_BADGE, passphrase._LEAST_BADGE_CHARACTERS),
    "key servers": (premises_sheets.MOST_SERVERS, premises.MOST_SERVERS),
    "bytes of a chunk": (reading.CHUNK_BYTES, sealing.CHUNK_BYTES),
}


@pytest.mark.parametrize("name", TWINS)
def test_both_rooms_have_the_same_number(name: str) -> None:
    one, other = TWINS[name]
    assert one == other
