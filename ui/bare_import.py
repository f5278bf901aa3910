"""Python's own `import` again, after PySide6 put its own in its place.

Rules of this module:

- PySide6 replaces `builtins.__import__`, so that ``from __feature__ import snake_case`` can work, and then reads the *source* of every
  module that is imported, to see whether it speaks of PySide6. Nobody here uses `__feature__`. For the modules of the first window the
  reading takes 3 ms; of all that a session imports it keeps the sources in memory.
- Imported by `ui.app` before every other module of ours.

WORKAROUND: PySide6 6.11 has no switch for it. It keeps Python's own as `builtins.__orig_import__`; where it does not, nothing is changed.

Thread: the interface's main thread, at its start.
"""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401 -- puts its own import in place

_OWN = getattr(builtins, "__orig_import__", None)
if _OWN is not None:
    builtins.__import__ = _OWN
