"""A breach report in words: its sentence, its order in the queue, and the tone of its severity and state.

Rules of this module:

- Pure: values in, words and tones out. No widget.
- *Report* and *flag* until a supervisor decides. No blame: the sentence says what was noticed, not why.
- The sentence names case and document, so whoever shows it paints it (`ui.widgets.painted_text`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.windows.naming import isolated, who
from vault.domain.breach import SEVERITY, Containment, Severity, SignalKind, TriageState, all_strands, strands_of
from vault.services.views import ReportLine, ReportView

HIGH = Severity.DELIBERATE  # from here on an unacknowledged report stays on top

_SEVERITY_TONE = {
    Severity.CONTEXT: Tone.PLAIN,
    Severity.AMBIGUOUS: Tone.ATTENTION,
    Severity.DELIBERATE: Tone.BREACH,
    Severity.EXPOSED: Tone.BREACH,
    Severity.BULK: Tone.BREACH,
}
_SEVERITY_ICON = {
    Severity.CONTEXT: IconName.INFO,
    Severity.AMBIGUOUS: IconName.WARNING,
    Severity.DELIBERATE: IconName.BREACHES,
    Severity.EXPOSED: IconName.BREACHES,
    Severity.BULK: IconName.BREACHES,
}
_STATE_TONE = {
    TriageState.OPEN: Tone.ATTENTION,
    TriageState.ACKNOWLEDGED: Tone.ACCENT,
    TriageState.INVESTIGATING: Tone.ACCENT,
    TriageState.DISPOSED: Tone.PLAIN,
}
_STATE_ICON = {
    TriageState.OPEN: IconName.CLOCK,
    TriageState.ACKNOWLEDGED: IconName.ACKNOWLEDGE,
    TriageState.INVESTIGATING: IconName.OWN,
    TriageState.DISPOSED: IconName.DONE,
}


def severity_mark(severity: Severity) -> tuple[str, Tone, IconName]:
    """Give word, tone and icon of a severity."""
    return strings.text(f"breaches.severity.{int(severity)}"), _SEVERITY_TONE[severity], _SEVERITY_ICON[severity]


def state_mark(state: TriageState) -> tuple[str, Tone, IconName]:
    """Give word, tone and icon of a triage state."""
    return strings.text(f"breaches.state.{state.value}"), _STATE_TONE[state], _STATE_ICON[state]


def presses(line: ReportLine) -> bool:
    """Say whether a report stays on top: severity 3 or more and nobody has acknowledged it."""
    return line.state is TriageState.OPEN and line.severity >= HIGH


def queue_order(lines: Iterable[ReportLine]) -> list[ReportLine]:
    """Put the queue in order: unacknowledged high severity first, oldest of them on top; the rest newest first, disposed last."""

    def rank(line: ReportLine) -> tuple[int, int, int]:
        if presses(line):
            return 0, -int(line.severity), line.first_us
        return (2 if line.state is TriageState.DISPOSED else 1), 0, -line.last_us

    return sorted(lines, key=rank)


def open_count(lines: Iterable[ReportLine]) -> int:
    """Count what nobody has acknowledged: the number on the rail."""
    return sum(line.state is TriageState.OPEN for line in lines)


def gravest_first(seen: Iterable[SignalKind]) -> list[SignalKind]:
    """Put kinds in order, each once: the gravest first, those alike as they came."""
    return sorted(dict.fromkeys(seen), key=lambda kind: -SEVERITY[kind])


def several(seen: Sequence[SignalKind]) -> bool:
    """Say whether a report holds signals of several strands, and not only repeats and sights of one act."""
    return len(strands_of(seen)) > 1


def what(line: ReportLine) -> tuple[str, str]:
    """Name what was noticed with its count, ``Copy key ×3``.

    Of several sights of one act the gravest is named, without a count; of several strands the gravest kind, and how many others.
    """
    first, *others = gravest_first(line.seen or (line.kind,))
    if not others:
        return _times(first, line.count), ""
    word = strings.text(f"breaches.kind.{first.value}")
    return word, strings.text("breaches.others_mark", n=len(others)) if several(line.seen) else ""


def _times(kind: SignalKind, count: int) -> str:
    word = strings.text(f"breaches.kind.{kind.value}")
    return f"{word} {strings.text('breaches.times_mark', n=count)}" if count > 1 else word


def summary(view: ReportView) -> str:
    """Say in one sentence what was noticed about whom, where, and what was done at once."""
    line = view.line
    shown = next((fact for fact in reversed(view.facts) if fact.case_label), None)
    where = ""
    if shown is not None and shown.page_no and shown.document_title:
        where = strings.text(
            "breaches.summary.where_page", page=shown.page_no, document=isolated(shown.document_title), case=shown.case_label
        )
    elif shown is not None:
        where = strings.text("breaches.summary.where_case", case=shown.case_label)
    often = Counter(fact.kind for fact in view.facts)
    together = several(list(often))
    gravest = gravest_first(often or (line.kind,))
    key = "breaches.summary.together" if together else f"breaches.summary.{gravest[0].value}"
    nobody = strings.text("breaches.summary.nobody_first" if strings.text(key).startswith("{who}") else "breaches.summary.nobody")
    told = {"who": who(line.officer, nobody), "where": where}
    if together:
        sentence = strings.text(key, kinds=", ".join(_times(kind, often[kind]) for kind in gravest), **told)
    else:
        count = line.count if len(gravest) == 1 else often[gravest[0]]  # all facts of a report of one kind may not be kept
        sentence = strings.text(key, times=strings.text("breaches.times", count=count), **told)
    # The strongest: what came after the file was returned had nothing left to contain.
    order = list(Containment)
    done = max((fact.containment for fact in view.facts), key=order.index, default=None)
    return f"{sentence} {strings.text(f'breaches.containment.{done.value}')}." if done is not None else sentence


def why_higher(view: ReportView) -> str:
    """Say why a report counts more than the gravest of its signals; empty where it does not."""
    return strings.text("breaches.together_why") if all_strands(fact.kind for fact in view.facts) else ""


def fact_name(name: str) -> str:
    """Name an evidence fact; one without a word of its own is shown as the sensor called it."""
    key = f"breaches.fact.{name}"
    return strings.text(key) if strings.has_text(key) else name.replace("_", " ").replace("-", " ").capitalize()


def fact_row(name: str, value: str) -> tuple[str, str]:
    """Name an evidence fact, with its value; codes of the vault's own are said in words, one that is not known as it stands."""
    if (of_a_sensor := _OF_A_SENSOR.get(name, "").format(value)) and strings.has_text(of_a_sensor):
        value = strings.text(of_a_sensor)
    elif name in _CODED:
        value = "; ".join(_said(name, one) for one in value.split(", "))
    return fact_name(name), strings.text("breaches.place_none") if name in _LISTS and value == "none" else value


def _said(name: str, code: str) -> str:
    words = f"breaches.code.{name}.{code.replace(' ', '-')}"
    return strings.text(words) if strings.has_text(words) else code


_OF_A_SENSOR = {"protection": "protection.{}.name", "reason": "protection_reason.{}"}  # one that went blind, in the strip's words
_CODED = frozenset({"code", "place_fit", "place_unread", "place_remote", "moment", "of", "seen", "found", "when", "how", "because"})
_LISTS = frozenset({"place_addresses", "place_gateways", "place_tunnels", "place_remote"})
