"""Text as it is looked for: what is written in several ways, and typed in one, is found in all of them.

Rules:

- Upper and lower case are alike (``Straße`` is found as ``STRASSE``), and so are a letter with its accent in one sign, in two, or without
  it: Latin, Greek, Cyrillic, and the points of Hebrew and Arabic. The signs of other scripts stay, for there they are letters.
- Ligatures, full-width letters and the many spaces, apostrophes, quotation marks and hyphens are those of a keyboard.
- What is not seen (soft hyphen, zero-width and direction marks) is not there.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_POINTS: Final = range(10, 37)  # combining classes: the points of Hebrew, Arabic and Syriac
_ACCENTS: Final = range(200, 241)  # and what stands above, below or through a letter
_ALIKE: Final = (
    dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u2032`\u00b4"), "'")
    | dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"')
    | dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
)


def folded(text: str) -> str:
    """Give the text as it is looked for; it may have more letters, or fewer, or none."""
    alike = text.translate(_ALIKE)
    if alike.isascii():
        return alike.casefold()
    return "".join(one for one in unicodedata.normalize("NFKD", alike).casefold() if _is_sought(one))


def _is_sought(character: str) -> bool:
    mark = unicodedata.combining(character)
    return mark not in _POINTS and mark not in _ACCENTS and unicodedata.category(character) != "Cf"
