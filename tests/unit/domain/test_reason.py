from __future__ import annotations

import pytest

from vault.domain.reason import is_reason


@pytest.mark.parametrize(
    ("words", "enough"),
    [("", False), ("because", False), ("nine char", False), ("ten chars.", True), ("          ", False), ("  nine char  \n", False)],
)
def test_a_reason_is_a_sentence_and_not_a_key_press(words: str, enough: bool) -> None:
    assert is_reason(words) is enough
