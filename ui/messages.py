"""From an error's code to what a person is told: what happened, why, what to do, one line each.

Rules of this module:

- The words stand in `en.toml` under ``[errors."room.reason"]`` as title, sentence and next.
- Facts of the error fill the braces; they are ids, counts and times by the rule of `vault.errors`. An error's own text is never shown.
- A code without words, and every `DefectError`, becomes the incident message: a number to quote, which is also written to the log with the
  code. The screen gets neither code nor stack.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from ui import strings
from vault.errors import DefectError, RefusedError, TamperError, VaultError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell: `title` what happened, `sentence` why, `next_step` what to do. `grave` when evidence of interference was found."""

    title: str
    sentence: str
    next_step: str
    grave: bool = False
    incident_no: str | None = None


def explain(error: VaultError) -> Message:
    """Put an error into words.

    Args:
        error: anything the vault raised.
    Returns:
        the words for its code; the incident message with a fresh six-digit number for a defect or a code without words.
    """
    known = f"errors.{error.code}"
    if isinstance(error, DefectError) or not strings.has_text(f"{known}.title"):
        return _incident(error)
    facts: dict[str, strings.Value] = dict(error.facts)
    for name, value in error.facts.items():
        if name.endswith("_us") and isinstance(value, int):
            facts[name.removesuffix("_us")] = strings.local_time(value)  # {due_back} for the fact due_back_us
    return Message(
        title=strings.text(f"{known}.title", **facts),
        sentence=strings.text(f"{known}.sentence", **facts),
        next_step=strings.text(f"{known}.next", **facts),
        grave=isinstance(error, TamperError),
    )


def _incident(error: VaultError) -> Message:
    incident_no = f"I-{secrets.randbelow(1_000_000):06}"
    level = logging.WARNING if isinstance(error, RefusedError) else logging.ERROR
    _log.log(level, "incident %s: %s", incident_no, error, exc_info=error)
    return Message(
        title=strings.text("incident.title"),
        sentence=strings.text("incident.sentence", incident_no=incident_no),
        next_step=strings.text("incident.next"),
        incident_no=incident_no,
    )
