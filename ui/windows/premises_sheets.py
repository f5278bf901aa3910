"""Adding a key server, taking one off, taking up new keys: the sheets of the key servers' page.

Rules of this module:

- Binding asks the servers and takes seconds: meanwhile the sheet says so, and stays, because what was begun is done or refused.
- What is wrong is said beside the field it is about; what was typed stays.
- Taking a key server off names its harm before the verb.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.theme import Colour
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.widgets.sheet import SheetKind
from ui.windows.act_sheet import ActSheet
from ui.windows.beside import beside
from vault.services.ports import MetServer, PremisesFacts
from vault.services.premises import Premises

if TYPE_CHECKING:
    from ui.bridge import Bridge, Reply
    from vault.errors import VaultError

R = TypeVar("R")

MOST_SERVERS: Final = 8
"""What a workstation can be bound to."""

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url, as tang-show-keys prints it
_LONGEST_PATH = 500
_OF_FIELD = {
    "premises.name-missing": ("name", "name_missing"),
    "premises.name-taken": ("name", "name_taken"),
    "premises.address": ("address", "address_form"),
    "premises.unreachable": ("address", "unreachable"),
    "premises.malformed": ("address", "no_key_server"),
    "premises.refused": ("thumbprint", "other_keys"),
    "premises.not-let-in": ("certificate", "not_let_in"),
    "premises.not-pinned": ("thumbprint", "other_keys"),
    "premises.front-certificate": ("authority", "front_certificate"),
    "premises.certificate": ("certificate", "certificate_unusable"),
}


class AskingSheet(ActSheet):
    """A sheet whose verb asks key servers: it says that they are asked, and cannot be left meanwhile."""

    def __init__(self, host: QWidget, name: str, title: str, primary: str, *, harm: str = "") -> None:
        super().__init__(host, name, title, primary, kind=SheetKind.DANGER if harm else SheetKind.PLAIN, harm=harm)
        self._verb, self._asking = primary, False

    def send(self, reply: Reply[R], on_value: Callable[[R], None]) -> None:
        """Wait for the answer, saying what takes so long."""
        self._set_asking(asking=True)
        super().send(reply, on_value)

    def dismiss(self) -> None:
        """Close without an answer, unless one is under way."""
        if not self._asking:
            super().dismiss()

    def field_of(self, code: str) -> tuple[Field, str] | None:
        """Give the field an error is about, and what to say there; None for what concerns no field."""
        del code
        return None

    def _refused(self, error: VaultError) -> None:
        self._set_asking(asking=False)
        self.primary.setEnabled(True)
        about = self.field_of(error.code)
        if about is None:
            super()._refused(error)
        else:
            self.blame(*about)

    def blame(self, field: Field, words: str) -> None:
        """Say beside a field what is wrong there, and take the keyboard to it."""
        field.set_error(words)
        field.control.setFocus(Qt.FocusReason.OtherFocusReason)
        self._place()

    def _set_asking(self, *, asking: bool) -> None:
        self._asking = asking
        self.error.hide()
        self.secondary.setEnabled(not asking)
        self.primary.set_words(strings.text("premises.asking") if asking else self._verb)


class AddServerSheet(AskingSheet):
    """Name, address, the thumbprint read at the server, the files of a front, and how many must answer from now on."""

    def __init__(self, host: QWidget, bridge: Bridge, facts: PremisesFacts, least: int, added: Callable[[PremisesFacts], None]) -> None:
        """Make the sheet; from `least` on the person may say how many must answer."""
        super().__init__(host, "premises_add", strings.text("premises.add_sheet.title"), strings.text("premises.add"))
        self._bridge, self._facts, self._added = bridge, facts, added
        self.name = LineField(
            strings.text("premises.add_sheet.name"), placeholder=strings.text("premises.add_sheet.name_example"), max_length=60
        )
        self.address = LineField(strings.text("premises.address"), placeholder=strings.text("premises.add_sheet.address_example"))
        self.thumbprint = LineField(
            strings.text("premises.add_sheet.thumbprint"), hint=strings.text("premises.add_sheet.thumbprint_hint"), max_length=60
        )
        self.certificate = LineField(
            strings.text("premises.certificate"), hint=strings.text("premises.add_sheet.files_hint"), max_length=_LONGEST_PATH
        )
        self.authority = LineField(
            strings.text("premises.authority"), hint=strings.text("premises.add_sheet.authority_hint"), max_length=_LONGEST_PATH
        )
        self.threshold = threshold_field(len(facts.servers) + 1, max(facts.threshold, least), least)
        for field, called in self._lines():
            field.control.setObjectName(f"premises_add_{called}")
            field.changed.connect(lambda of=field: of.set_error(""))
        self.threshold.control.setObjectName("premises_add_threshold")
        self.body.addWidget(Label(strings.text("premises.add_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addLayout(beside(self.name, self.address, (2, 3)))
        self.body.addWidget(self.thumbprint)
        self.body.addWidget(self.threshold)
        self.body.addLayout(beside(self.certificate, self.authority))
        if not facts.servers:
            self.threshold.hide()  # one of one
        self.accepted.connect(self._save)

    def _lines(self) -> tuple[tuple[LineField, str], ...]:
        return (
            (self.name, "name"),
            (self.address, "address"),
            (self.thumbprint, "thumbprint"),
            (self.certificate, "certificate"),
            (self.authority, "authority"),
        )

    def field_of(self, code: str) -> tuple[Field, str] | None:
        """Each thing a server or a rule can be wrong about has its field."""
        if code not in _OF_FIELD:
            return None
        called, words = _OF_FIELD[code]
        return {name: field for field, name in self._lines()}[called], strings.text(f"premises.add_sheet.{words}")

    def _save(self) -> None:
        wrong = self._wrong()
        if wrong is not None:
            self.blame(wrong[0], strings.text(f"premises.add_sheet.{wrong[1]}"))
            return
        server = MetServer(self.name.value(), self.address.value(), self.certificate.value(), self.authority.value())
        threshold = int(self.threshold.value())
        self.send(self._bridge.ask(Premises.add, server, self.thumbprint.value(), threshold), self._added)

    def _wrong(self) -> tuple[LineField, str] | None:
        name = self.name.value().casefold()
        checks = (
            (self.name, "name_missing", not name),
            (self.name, "name_taken", name in {one.name.casefold() for one in self._facts.servers}),
            (self.address, "address_form", not self.address.value().startswith(("http://", "https://"))),
            (self.thumbprint, "thumbprint_form", _THUMBPRINT.fullmatch(self.thumbprint.value()) is None),
            (self.certificate, "path_form", _no_path(self.certificate.value())),
            (self.authority, "path_form", _no_path(self.authority.value())),
        )
        return next(((field, words) for field, words, holds in checks if holds), None)


class RemoveServerSheet(AskingSheet):
    """Take a key server off; what that does to the vault stands above the verb."""

    def __init__(
        self, host: QWidget, bridge: Bridge, facts: PremisesFacts, server: MetServer, removed: Callable[[PremisesFacts], None]
    ) -> None:
        left = len(facts.servers) - 1
        super().__init__(
            host,
            "premises_remove",
            strings.text("premises.remove_sheet.title", name=server.name),
            strings.text("premises.remove"),
            harm=strings.text("premises.remove_sheet.harm_some" if left else "premises.remove_sheet.harm_last"),
        )
        self.threshold = threshold_field(max(1, left), min(facts.threshold, max(1, left)))
        self.threshold.control.setObjectName("premises_remove_threshold")
        self.body.addWidget(Label(server.url, role=Colour.TEXT_QUIET, wrap=True))
        self.body.addWidget(self.threshold)
        if left <= 1:
            self.threshold.hide()
        self.accepted.connect(
            lambda: self.send(bridge.ask(Premises.remove, server.name, int(self.threshold.value())), removed),
        )


class RotateSheet(AskingSheet):
    """Bind anew to the keys the servers have now."""

    def __init__(self, host: QWidget, bridge: Bridge, rotated: Callable[[PremisesFacts], None]) -> None:
        super().__init__(host, "premises_rotate", strings.text("premises.rotate_sheet.title"), strings.text("premises.rotate"))
        self.body.addWidget(Label(strings.text("premises.rotate_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.accepted.connect(lambda: self.send(bridge.ask(Premises.rotate), rotated))


def threshold_field(servers: int, threshold: int, least: int = 1) -> ChoiceField:
    """Make the field for how many of the servers must answer, `least` to all of them."""
    choices = [(str(n), strings.text("premises.threshold_of", n=n, servers=servers)) for n in range(least, servers + 1)]
    hint = strings.text("premises.threshold_hint_more" if least > 1 else "premises.threshold_hint")
    field = ChoiceField(strings.text("premises.threshold"), choices, hint=hint)
    field.set_value(str(threshold))
    return field


def _no_path(value: str) -> bool:
    return bool(value) and not value.startswith("/")
