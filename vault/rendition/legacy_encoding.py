"""Which encoding a text is in that names none and is no Unicode: a guess by its letters, and told as one (ADR 0024).

Rules:

- No more than `_SAMPLE_BYTES` are looked at, from shortly before the first byte that is not ASCII; about 10 ms at worst, whatever they are.
- Only the encodings of `_NAMES` are thought of: each is loaded by `load`, before the sandbox closes.
- Where nothing fits it is Windows-1252, in which every byte means something.
- A guess may be wrong, above all for a few words: `note` is set where the text begins, so that whoever reads garbage knows why.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

import chardet
from chardet.registry import REGISTRY

_SAMPLE_BYTES: Final = 16 * 1024
_BEFORE_BYTES: Final = 256
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_WINDOWS_ONLY: Final = re.compile(rb"[\x80-\x9f]")
_NOTHING_FITS: Final = "cp1252"
# By the codec's name in Python. Of two that differ in a few signs, the one that Windows writes.
_NAMES: Final = {
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1252": "Windows-1252",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "iso8859-2": "ISO-8859-2",
    "iso8859-5": "ISO-8859-5",
    "iso8859-7": "ISO-8859-7",
    "iso8859-9": "ISO-8859-9",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "mac-roman": "Mac Roman",
    "cp866": "DOS 866",
    "cp932": "Shift-JIS",
    "euc_jis_2004": "EUC-JP",
    "gb18030": "GB18030",
    "big5hkscs": "Big5",
    "cp949": "EUC-KR",
}
# The ISO sets have control characters where the Windows ones have letters and quotation marks: a text has no use for the former.
_OF_WINDOWS: Final = {"iso8859-2": "cp1250", "iso8859-5": "cp1251", "iso8859-7": "cp1253", "iso8859-9": "cp1254"}
_NOTE: Final = "[ The encoding of this text is not told. It is read as {name}, which is a guess. ]"


def load() -> None:
    """Load the letters' statistics, and every codec the detector knows: it tries others than those it may answer with."""
    for name in REGISTRY:
        codecs.lookup(name)
    guess(bytes(range(0xA0, 0x100)))


def guess(sample: bytes) -> str:
    """Name the codec that a text of another encoding than ASCII and Unicode is most likely in; one of those that have a `note`."""
    plain = _NOT_ASCII.search(sample)
    start = max(0, (plain.start() if plain else 0) - _BEFORE_BYTES)
    looked_at = sample[start : start + _SAMPLE_BYTES]
    found = chardet.detect(looked_at, include_encodings=_NAMES, compat_names=False, max_bytes=_SAMPLE_BYTES)["encoding"]
    codec = found if found in _NAMES else _NOTHING_FITS
    return _OF_WINDOWS.get(codec, codec) if _WINDOWS_ONLY.search(looked_at) else codec


def note(codec: str) -> str:
    """Say that a text is read in this encoding by a guess; nothing where it was told, or told itself."""
    return _NOTE.format(name=_NAMES[codec]) if codec in _NAMES else ""
