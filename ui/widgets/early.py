"""Properties of a widget by their names, as Qt Designer writes them.

Rules of this module:

- For widgets of the first window. PySide6 builds all enums of the `Qt` namespace when one of them is touched: a thousand members, a fifth
  of what a bare window needs to start. Qt's own meta objects know the same names and cost nothing.
- A name that Qt does not know is a `DefectError`, at the first window and in every test that makes one.

Thread: the interface's main thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.errors import DefectError

if TYPE_CHECKING:
    from PySide6.QtCore import QObject


def set_properties(of: QObject, **values: str) -> None:
    """Set enum properties by the names of their values.

    Args:
        of: the widget.
        values: a property and the name of its value, for example ``focusPolicy="StrongFocus"``; flags are parted by ``|``.
    Raises:
        DefectError: kit.property, there is no such property or value.
    """
    for name, value in values.items():
        if not of.setProperty(name, value):
            raise DefectError("kit.property", name=name, value=value)
