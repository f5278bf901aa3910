"""The shapes of Arabic letters: each is drawn as its neighbours in the word ask for, so that they meet.

Rules:

- The shapes are Unicode's presentation forms, and which letter has which is read from its character database: a letter with an initial
  shape joins to the next one, a letter with a final shape to the one before. Lam and alef become the one sign they are written as.
- Marks upon a letter are looked over. U+200D joins, U+200C parts, as they are meant to.
- pdfium undoes this too when it is asked for text.
- LIMIT: letters that Unicode gave no such forms (some of Pashto, Kurdish and languages of Africa) stay unjoined, and so does what stands
  beside them. In typewriter letters a mark has a place of its own, after its letter.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_BLOCKS: Final = (range(0xFB50, 0xFC00), range(0xFE70, 0xFEFD))
_JOINING: Final = "\u0640\u200d"  # the stretched line between letters, and the invisible joiner
_LAM: Final = "\u0644"
_LOOK_AHEAD: Final = 9  # a letter, and more marks upon it than one has


def _forms() -> dict[str, dict[str, str]]:
    """Shape -> letter, or lam and alef -> the character of that letter in that shape."""
    forms: dict[str, dict[str, str]] = {"<isolated>": {}, "<final>": {}, "<initial>": {}, "<medial>": {}}
    for code in (code for block in _BLOCKS for code in block):
        shape, _, letters = unicodedata.decomposition(chr(code)).partition(" ")
        base = "".join(chr(int(letter, 16)) for letter in letters.split())
        if shape in forms and (len(base) == 1 or base.startswith(_LAM)):
            forms[shape].setdefault(base, chr(code))
    return forms


_ISOLATED, _FINAL, _INITIAL, _MEDIAL = _forms().values()


def joined(line: str) -> str:
    """Give a line, in the order it is spoken, with its Arabic letters in the shapes they are written in."""
    if not any(one in _FINAL for one in line):
        return line
    out: list[str] = []
    before = ""  # the last letter, marks looked over
    at = 0
    while at < len(line):
        letter = line[at]
        if _is_mark(letter):
            out.append(letter)
            at += 1
            continue
        pair = line[at : at + 2]
        letter = pair if pair in _ISOLATED and len(pair) > 1 else letter
        at += len(letter)
        behind = next((one for one in line[at : at + _LOOK_AHEAD] if not _is_mark(one)), "")
        out.append(_shaped(letter, joins=_goes_on(before), goes_on=_takes(behind)))
        before = letter[-1]
    return "".join(out)


def plain(character: str) -> str:
    """The letter itself, of one in a shape that the fonts do not have."""
    return unicodedata.normalize("NFKC", character)


def _shaped(letter: str, *, joins: bool, goes_on: bool) -> str:
    """The letter as it is written after one that goes on to it, or before one that it goes on to."""
    if joins and goes_on and letter in _MEDIAL:
        return _MEDIAL[letter]
    if joins and letter in _FINAL:
        return _FINAL[letter]
    if goes_on and letter in _INITIAL:
        return _INITIAL[letter]
    return _ISOLATED[letter] if len(letter) > 1 else letter


def _goes_on(letter: str) -> bool:
    return letter != "" and (letter in _INITIAL or letter in _JOINING)


def _takes(letter: str) -> bool:
    return letter != "" and (letter in _FINAL or letter in _JOINING)


def _is_mark(one: str) -> bool:
    return unicodedata.category(one) == "Mn"
