"""How a person is named in the windows: name with badge and unit, never a name alone.

Rules of this module:

- A right-to-left name is wrapped in Unicode isolates, so that it keeps its own direction and its badge its place. Others are not: the text
  font has no isolates, and the font that has them would push their lines apart.
- Names of officers are not case content: they may stand in the interface's own labels.
"""

from __future__ import annotations

import unicodedata

from vault.domain.folding import folded
from vault.services.views import PersonBrief

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ISOLATE, _END = "\u2068", "\u2069"
_STROKED = str.maketrans("đðħıłøŧ", "ddhilot")  # Unicode takes their strokes for no accents


def isolated(words: str) -> str:
    """Wrap words of unknown direction so that they do not turn their neighbours around."""
    turned = not words.isascii() and any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in words)
    return f"{_ISOLATE}{words}{_END}" if turned else words


def plain(name: str) -> str:
    """Give a name as it is looked for and put in order: as `folded` has it, ``dorde`` for ``Đorđe``."""
    return folded(name).translate(_STROKED)


def who(person: PersonBrief | None, nobody: str = "") -> str:
    """Name a person in one line: ``Jane Miller · 4410 · Burglary team``.

    Args:
        person: None gives `nobody`.
        nobody: what to say then.
    """
    if person is None:
        return nobody
    return " · ".join(part for part in (isolated(person.name), person.badge_no, isolated(person.unit_name)) if part)


def badge_first(person: PersonBrief) -> str:
    """Name a person in a narrow column, where only the end can be lost: ``4410 Jane Miller``."""
    return f"{person.badge_no}  {isolated(person.name)}"


def who_briefly(person: PersonBrief | None, nobody: str = "") -> str:
    """Name a person where the unit stands in a column of its own: ``Jane Miller · 4410``."""
    return f"{isolated(person.name)} · {person.badge_no}" if person is not None else nobody
