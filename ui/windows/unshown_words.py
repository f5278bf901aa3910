"""What a PDF carries that is not on its pages, in words: at intake and in the reader.

Pure: values in, words out.
"""

from __future__ import annotations

from ui import strings
from vault.domain.casefile import Unshown


def sentence(unshown: Unshown) -> str:
    """Say what it is and where it is; nothing if there is nothing."""
    parts = [
        strings.text(f"unshown.{kind}", count=count)
        for kind, count in (("files", unshown.attached_files), ("notes", unshown.notes))
        if count
    ]
    return strings.text("unshown.sentence", what=strings.text("unshown.and").join(parts)) if parts else ""
