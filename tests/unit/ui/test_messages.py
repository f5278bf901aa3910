"""Every error becomes three lines, and a defect a number."""

from __future__ import annotations

import logging

import pytest

from ui import messages
from vault.errors import DefectError, RefusedError, TamperError, UnavailableError


def test_a_refusal_says_what_why_and_what_to_do() -> None:
    told = messages.explain(RefusedError("custody.not-held"))
    assert (told.title, told.next_step) == ("You do not hold this file", "Check the file out.")
    assert told.sentence
    assert not told.grave


def test_facts_fill_the_sentence() -> None:
    assert "policy.max" in messages.explain(RefusedError("policy.out-of-bounds", setting="policy.max", low=1, high=9)).sentence


def test_a_time_among_the_facts_is_written_as_a_time() -> None:
    told = messages.explain(RefusedError("custody.expired", due_back_us=1_795_348_800_000_000))
    assert "1795" not in told.sentence
    assert "Nov" in told.sentence or ":" in told.sentence


def test_tampering_is_grave() -> None:
    assert messages.explain(TamperError("storage.damaged")).grave


@pytest.mark.parametrize("error", [DefectError("pipe.closed", stage="x"), UnavailableError("never.heard-of")])
def test_what_has_no_words_has_a_number(error, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        told = messages.explain(error)
    assert told.incident_no is not None
    assert told.incident_no in told.sentence
    assert error.code not in told.title + told.sentence + told.next_step
    assert told.incident_no in caplog.text, "the log has the number and the code"
    assert error.code in caplog.text
