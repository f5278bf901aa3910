"""What counts as a reason: who acts on others, or closes a report, says why, and others must be able to follow it."""

from __future__ import annotations

REASON_LEAST_CHARACTERS = 10
"""Without the blanks around it. The interface's sentences name the number."""


def is_reason(words: str) -> bool:
    """True if these words may be a reason or a rationale: a sentence, not a key press."""
    return len(words.strip()) >= REASON_LEAST_CHARACTERS
