"""How a person is named in the windows: name with badge and unit, never a name alone.

Rules of this module:

- A name is wrapped in Unicode isolates, so that a right-to-left name keeps its own direction and its badge its place.
- Names of officers are not case content: they may stand in the interface's own labels.
"""

from __future__ import annotations

from vault.services.views import PersonBrief

_ISOLATE, _END = "\u2068", "\u2069"


def isolated(words: str) -> str:
    """Wrap words of unknown direction so that they do not turn their neighbours around."""
    return f"{_ISOLATE}{words}{_END}" if words else ""


def who(person: PersonBrief | None, nobody: str = "") -> str:
    """Name a person in one line: ``Jane Miller · 4410 · Burglary team``.

    Args:
        person: None gives `nobody`.
        nobody: what to say then.
    """
    if person is None:
        return nobody
    return " · ".join(part for part in (isolated(person.name), person.badge_no, isolated(person.unit_name)) if part)


def who_briefly(person: PersonBrief | None, nobody: str = "") -> str:
    """Name a person where the unit stands in a column of its own: ``Jane Miller · 4410``."""
    return f"{isolated(person.name)} · {person.badge_no}" if person is not None else nobody
