"""The passphrase rule, and the one normal form a passphrase is derived in.

Rules of this module:

- At least 12 characters, at most 1,024; any script, spaces welcome, no composition rules, nothing truncated (NIST SP 800-63B; CJIS IA-5(1)
  asks for 8).
- Not a well-known one: the bundled list carries its date; case, spaces, common letter swaps, digits and signs around the word, and
  repetition do not make a listed one new.
- Not containing the person's badge number.
- Each reason is a code of its own, so that a person is told which.
- Normal form: RFC 8265 OpaqueString, that is NFC with every kind of space turned into U+0020 and letter case kept. NFC, not NFKC:
  compatibility folding would make different passphrases equal, and only has to undo differences between keyboards, which NFC
  already does. Control and unassigned characters are refused, because keyboards and Unicode versions disagree on them.
"""

from __future__ import annotations

import datetime
import functools
import unicodedata
from pathlib import Path
from typing import Final

from vault.errors import RefusedError, UnavailableError
from vault.secret import Secret

LEAST_CHARACTERS: Final = 12
MOST_CHARACTERS: Final = 1024

_LIST_PATH: Final = Path(__file__).resolve().parents[2] / "resources" / "policy" / "common-passphrases.txt"
_DATE_PREFIX: Final = "# date: "
_LEAST_DIFFERENT_CHARACTERS: Final = 5
_LEAST_BADGE_CHARACTERS: Final = 3  # a one-digit badge number would forbid a digit
_SWAPS: Final = str.maketrans("013457@$!", "oieastasi")


def check_passphrase(passphrase: Secret, badge_no: str) -> None:
    """Return if a new passphrase may be used; raise otherwise.

    Args:
        passphrase: UTF-8.
        badge_no: the person's badge number.

    Raises:
        RefusedError: passphrase.not-text, passphrase.too-short, passphrase.too-long, passphrase.too-uniform,
            passphrase.contains-badge, passphrase.common.
        UnavailableError: passphrase.list-missing.
    Thread: any.
    """
    text = normalise(passphrase).reveal().decode()
    if len(text) < LEAST_CHARACTERS:
        raise RefusedError("passphrase.too-short", least=LEAST_CHARACTERS)
    if len(text) > MOST_CHARACTERS:
        raise RefusedError("passphrase.too-long", most=MOST_CHARACTERS)
    if len(set(text)) < _LEAST_DIFFERENT_CHARACTERS:
        raise RefusedError("passphrase.too-uniform", least=_LEAST_DIFFERENT_CHARACTERS)
    if len(badge_no) >= _LEAST_BADGE_CHARACTERS and badge_no.casefold() in text.casefold():
        raise RefusedError("passphrase.contains-badge")
    if _is_common(text):
        raise RefusedError("passphrase.common")


def normalise(passphrase: Secret) -> Secret:
    """Give the passphrase's normal form (RFC 8265 OpaqueString) in UTF-8.

    Raises:
        RefusedError: passphrase.not-text, it is not UTF-8, or holds control or unassigned characters.
    """
    text = _decoded(passphrase)
    if text is None:
        raise RefusedError("passphrase.not-text")
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)
    composed = unicodedata.normalize("NFC", spaced)
    if any(unicodedata.category(character) in {"Cc", "Cn", "Cs"} for character in composed):
        raise RefusedError("passphrase.not-text")
    return Secret(composed.encode())


def _decoded(passphrase: Secret) -> str | None:
    """Give the text, None if it is none. No exception leaves here: the decoder's carries the passphrase, also as a context."""
    try:
        return passphrase.reveal().decode()
    except UnicodeDecodeError:
        return None


def _is_common(text: str) -> bool:
    listed = _common_list()
    folded = _fold(text)
    candidates = {folded, _fold(text.translate(_SWAPS))}
    core = text.strip().casefold()
    start, end = 0, len(core)
    while start < end and not core[start].isalpha():
        start += 1
    while end > start and not core[end - 1].isalpha():
        end -= 1
    candidates |= {_fold(core[start:end]), _fold(core[start:end].translate(_SWAPS))}
    return any(_unit(candidate) in listed or candidate in listed for candidate in candidates)


def _fold(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())


def _unit(text: str) -> str:
    """Give the shortest piece whose repetition is the text."""
    again = (text + text).find(text, 1)
    return text[:again] if text and len(text) % again == 0 else text


@functools.cache
def _common_list() -> frozenset[str]:
    try:
        lines = _LIST_PATH.read_text(encoding="utf-8").splitlines()
        next(datetime.date.fromisoformat(line.removeprefix(_DATE_PREFIX)) for line in lines if line.startswith(_DATE_PREFIX))
    except (OSError, ValueError, StopIteration) as error:
        raise UnavailableError("passphrase.list-missing") from error
    return frozenset(_fold(line) for line in lines if line and not line.startswith("#"))
