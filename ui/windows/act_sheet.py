"""Sheets whose primary verb asks the vault to do something, and the one kind of them that needs a reason.

Rules of this module:

- While the answer is awaited the verb is off, so that nothing is asked twice. A refusal is told inside the sheet and what was typed stays.
- A sheet lies over its host (a page's `sheet_host`) and goes with it: after lock nothing of it is left.
- What an act does to somebody is said above the verb, never only after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QWidget

from ui import messages
from ui.theme import Colour
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.sheet import Sheet, SheetKind
from ui.widgets.text_field import TextField
from vault.domain.reason import REASON_LEAST_CHARACTERS

if TYPE_CHECKING:
    from ui.bridge import Reply
    from vault.errors import VaultError

R = TypeVar("R")


class ActSheet(Sheet):
    """A sheet that sends its verb to the vault and closes when it was done."""

    def __init__(
        self,
        host: QWidget,
        name: str,
        title: str,
        primary: str,
        *,
        kind: SheetKind = SheetKind.PLAIN,
        harm: str = "",
        secondary: str = "",
        width_px: int = 520,
    ) -> None:
        """Make the sheet; `open_over` shows it.

        Args:
            host: the page's `sheet_host`, which the sheet covers.
            name: of the act; widgets are called ``<name>_sheet``, ``<name>_save``, ``<name>_cancel``.
            title: the question.
            primary: the verb that does it.
            kind: DANGER for what cannot be taken back.
            harm: one sentence naming what is lost.
            secondary: the verb that does not; "Cancel" if empty.
            width_px: at most.
        """
        super().__init__(host, title, primary, kind=kind, harm=harm, secondary=secondary, width_px=width_px)
        self.setObjectName(f"{name}_sheet")
        self.primary.setObjectName(f"{name}_save")
        self.secondary.setObjectName(f"{name}_cancel")
        self.dismissed.connect(self.deleteLater)

    def send(self, reply: Reply[R], on_value: Callable[[R], None]) -> None:
        """Wait for the answer: close and call `on_value` when it was done, say why when it was refused."""
        self.primary.setEnabled(False)

        def done(value: R) -> None:
            self.finish()
            on_value(value)

        reply.owner(self).then(done, self._refused)

    def finish(self) -> None:
        """Close for good."""
        self.close_over()
        self.deleteLater()

    def _refused(self, error: VaultError) -> None:
        message = messages.explain(error)
        self.primary.setEnabled(True)
        self.show_error(message.title, f"{message.sentence} {message.next_step}".strip())


class ReasonSheet(ActSheet):
    """A sheet that asks for a reason of at least ten characters; `subject` names what it is about and is painted."""

    def __init__(
        self,
        host: QWidget,
        name: str,
        *,
        title: str,
        sentence: str,
        subject: str,
        label: str,
        hint: str,
        primary: str,
        missing: str,
        harm: str = "",
        least: int = REASON_LEAST_CHARACTERS,
    ) -> None:
        """Make the sheet.

        Args:
            host: the page's `sheet_host`.
            name: of the act.
            title: the question.
            sentence: what the act does; empty when `harm` says it.
            subject: case number, names: painted, "" for none.
            label: of the reason's field.
            hint: below the field.
            primary: the verb.
            missing: what to say when the reason is too short.
            harm: makes this a danger sheet.
            least: length of a sufficient reason, in characters.
        """
        super().__init__(host, name, title, primary, kind=SheetKind.DANGER if harm else SheetKind.PLAIN, harm=harm)
        self._missing, self._least = missing, least
        if subject:
            painted = PaintedText(max_lines=3)
            painted.show_text(subject)
            self.body.addWidget(painted)
        if sentence:
            self.body.addWidget(Label(sentence, role=Colour.TEXT_QUIET, wrap=True))
        self.reason = TextField(label, hint=hint, lines=3, max_length=1_000)
        self.reason.control.setObjectName(f"{name}_reason")
        self.reason.changed.connect(lambda: self.reason.set_error(""))
        self.body.addWidget(self.reason)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the reason: without one the verb does nothing, so no harm can be pressed by mistake."""
        super().open_over()
        self.reason.control.setFocus()

    def given(self) -> str | None:
        """Give the reason, or say what is missing and give None."""
        words = self.reason.value()
        if len(words) < self._least:
            self.reason.set_error(self._missing)
            self.reason.control.setFocus()
            return None
        return words


def confirmation(
    host: QWidget, name: str, title: str, primary: str, *, sentence: str = "", harm: str = "", secondary: str = ""
) -> ActSheet:
    """Make a sheet that only asks yes or no: `harm` makes it a danger sheet, `sentence` says what the act does otherwise."""
    sheet = ActSheet(host, name, title, primary, kind=SheetKind.DANGER if harm else SheetKind.PLAIN, harm=harm, secondary=secondary)
    if sentence:
        sheet.body.addWidget(Label(sentence, role=Colour.TEXT_QUIET, wrap=True))
    return sheet
