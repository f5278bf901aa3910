"""What is kept of a failure that nobody foresaw: an incident number, a code, where in the program. Never a person's words.

Rules of this module:

- One file in the state directory, readable by its owner only, cut at 1 MiB. The screen gets the number and nothing else.
- An exception's own text is left out: it may quote what somebody typed. A `VaultError` is written with its code and facts, which carry no
  content by rule. Frames are file, line and function; no source line, no variable.
- Installed after the first paint; a failure before that goes to standard error in the same form.

Thread: any.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from vault.errors import VaultError

_MAX_BYTES = 1024 * 1024
_log = logging.getLogger(__name__)


def state_directory() -> Path:
    """Give the directory for what the application keeps of itself (XDG_STATE_HOME)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "casevault"


class _Bare(logging.Formatter):
    """Exceptions by type and place."""

    def formatException(self, ei: object) -> str:  # noqa: N802 -- logging's name
        assert isinstance(ei, tuple)
        return describe(ei[1], ei[2])


def describe(error: BaseException | None, trace: TracebackType | None = None) -> str:
    """Put an exception into lines that carry nobody's words: type, code and facts of our own errors, frames."""
    if error is None:
        return ""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}" + (f" {error}" if isinstance(error, VaultError) else "")]
    for frame in traceback.extract_tb(trace or error.__traceback__):
        lines.append(f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}")
    cause = error.__cause__ or error.__context__
    if cause is not None:
        lines.append("from " + describe(cause))
    return "\n".join(lines)


def install(tell: Callable[[str], None]) -> None:
    """Write incidents to the state directory, and tell the screen an incident's number.

    Args:
        tell: called with the number, on the thread that failed.
    """
    root = logging.getLogger()
    root.addHandler(_handler())

    def fell(error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            return
        incident_no = f"I-{secrets.randbelow(1_000_000):06}"
        _log.error("incident %s\n%s", incident_no, describe(error, trace))
        tell(incident_no)

    sys.excepthook = lambda _kind, error, trace: fell(error, trace)
    threading.excepthook = lambda fallen: fell(fallen.exc_value, fallen.exc_traceback) if fallen.exc_value is not None else None


def _handler() -> logging.Handler:
    handler: logging.Handler
    try:
        directory = state_directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / "desk.log"
        path.touch(mode=0o600)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(_Bare("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return handler
