"""What is judged, the numbers, and the file they are written to.

Rules:

- A row is ok when each of its acts is: nothing failed, and where a report is asked for, one of the right kind with the right facts was
  committed between the act's beginning and the next one's.
- DECLARED is ok when docs/threat-model.md has the row as DECLARED, in the running product's checkout; and where the catalogue says that the
  protection strip declares it, when the strip of the running desk says so.
- A row without an attack that is not DECLARED is not ok: nothing is skipped.
- Times are published two ways. From what a sensor observed to the report's entry in the audit trail, with a limit; and for files and
  processes from the act's first moment, the start of the attacker's program or of the desk included, without one.
- `control_reports`: reports of any kind in the hour of ordinary work; one is one too many for every row.
"""

from __future__ import annotations

import fnmatch
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.attacks.suite.catalogue import ON_STRIP, Class, Group, Vector
from tests.attacks.suite.readout import Reported
from tests.attacks.suite.rig import Act
from tests.attacks.suite.strip import OnStrip
from tests.journeys.desk_driver import ROOT
from vault.domain.protection import Protection

THREAT_MODEL = ROOT / "docs" / "threat-model.md"
INSIDE_P99_MS, OUTSIDE_P95_MS = 100.0, 1000.0
_ROW = re.compile(r"^\| (V\d+) \|[^|]*\| (ENFORCED|DETECTED|DECLARED) \|(.*)\|\s*$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=\.) ")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file."""

    id: str
    vector: str
    # `class` in the file
    promise: str
    expected: str
    observed: str
    ok: bool
    severity: int | None
    detection_ms: float | None  # the slowest of its reports, from what was observed to the commit
    report_no: str | None
    control_reports: int


@dataclass
class Verdict:
    """Everything a run found."""

    rows: list[Row] = field(default_factory=list)
    numbers: dict[str, float | int | str] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)  # numbers outside their bounds

    @property
    def ok(self) -> bool:
        return not self.missed and all(row.ok for row in self.rows)


def declared() -> dict[str, str]:
    """What the threat model says of each vector: id -> class."""
    return {found[1]: found[2] for found in _ROW.finditer(THREAT_MODEL.read_text(encoding="utf-8"))}


def judge(
    wanted: Sequence[Vector],
    acts: Sequence[Act],
    reported: Sequence[Reported],
    broken: dict[str, str],
    strip: Mapping[Protection, OnStrip],
) -> Verdict:
    """Judge a run.

    Args:
        wanted: the rows that were run.
        acts: of all desks, in the order they were done in.
        reported: of all vaults.
        broken: vector id -> why its attack could not be run to its end.
        strip: what the strip of the desk said while an officer was signed in.
    """
    verdict = Verdict()
    said = declared()
    times: dict[Group, list[float]] = {group: [] for group in Group}
    whole: dict[Group, list[float]] = {group: [] for group in Group}
    asked: dict[Group, list[bool]] = {group: [] for group in Group}
    hours = [act for act in acts if act.vector == "hour"]
    in_the_hour = [one for act in hours for one in _during(reported, act.began_us, act.ended_us)]
    for vector in wanted:
        mine = [(act, _answers(act, acts, reported)) for act in acts if act.vector == vector.id]
        words, ok = _observed(vector, mine, said, broken.get(vector.id, ""), strip)
        found = [one for _, answers in mine for one in answers]
        times[vector.group] += [one.detection_ms for one in found]
        whole[vector.group] += [
            (min(one.committed_us for one in answers) - act.began_us) / 1000 for act, answers in mine if act.kinds and answers
        ]
        asked[vector.group] += [bool(answers) and not act.failures for act, answers in mine if act.kinds]
        slowest = max((one.detection_ms for one in found), default=None)
        verdict.rows.append(
            Row(
                id=vector.id,
                vector=vector.name,
                promise=vector.promise.value,
                expected=vector.expected,
                observed=words,
                ok=ok and not in_the_hour,
                severity=max((one.severity for one in found), default=None),
                detection_ms=round(slowest, 1) if slowest is not None else None,
                report_no=found[0].report_no if found else None,
                control_reports=len(in_the_hour),
            )
        )
    _count(verdict, times, whole, asked, hours, in_the_hour)
    return verdict


def write(verdict: Verdict, path: Path) -> None:
    """Write the rows to `path` and the numbers beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in verdict.rows:
        line = asdict(row)
        rows.append({"id": line.pop("id"), "vector": line.pop("vector"), "class": line.pop("promise"), **line})
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    numbers = {**verdict.numbers, "missed": verdict.missed}
    path.with_name(f"{path.stem}-numbers.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def table(verdict: Verdict) -> str:
    """The rows, the numbers and the judgement, for a person."""
    lines = [f"{'':4} {'id':4} {'class':9} {'vector':38} {'sev':>3} {'ms':>7}  observed"]
    for row in verdict.rows:
        severity = "" if row.severity is None else str(row.severity)
        millis = "" if row.detection_ms is None else f"{row.detection_ms:.1f}"
        lines.append(
            f"{'ok' if row.ok else 'FAIL':4} {row.id:4} {row.promise:9} {row.vector:38.38} {severity:>3} {millis:>7}  {row.observed[:150]}"
        )
    lines += [f"  {name}: {value}" for name, value in verdict.numbers.items()]
    lines += [f"MISSED {one}" for one in verdict.missed]
    lines.append(f"{sum(row.ok for row in verdict.rows)} of {len(verdict.rows)} rows ok")
    return "\n".join(lines)


def _observed(
    vector: Vector, mine: list[tuple[Act, list[Reported]]], said: dict[str, str], broke: str, strip: Mapping[Protection, OnStrip]
) -> tuple[str, bool]:
    if broke:
        return f"could not be run: {broke}", False
    if said.get(vector.id) != vector.promise.value:
        return f"the threat model says {said.get(vector.id, 'nothing')} of it", False
    if vector.promise is not Class.DECLARED and not mine:
        return "no attack is built for it", False
    on_strip = ""
    if vector.id in ON_STRIP:
        protection, words = ON_STRIP[vector.id]
        chip = strip.get(protection, OnStrip("", ""))
        if words not in chip.sentences:
            return f"the strip does not say “{words}” of {protection.value}; it says: {chip.sentences or 'nothing'}", False
        sentence = next(one for one in _SENTENCE.split(chip.sentences) if words in one)
        on_strip = f"declared on the strip: {protection.value} ({chip.state.lower()}): “{sentence}”"
    wrong = [f"{act.name}: {failure}" for act, _ in mine for failure in act.failures]
    wrong += [f"{act.name}: not reported" for act, answers in mine if act.kinds and not answers]
    if wrong:
        return "; ".join(wrong), False
    notes = [f"{act.name}: {', '.join([*(one.kind.value for one in answers[:1]), *act.notes])}" for act, answers in mine]
    if vector.promise is Class.DECLARED:
        notes.insert(0, "declared in the threat model")
    return "; ".join([on_strip, *notes] if on_strip else notes), True


def _answers(act: Act, acts: Sequence[Act], reported: Sequence[Reported]) -> list[Reported]:
    """The reports of an act, each as good as asked for."""
    later = min((one.began_us for one in acts if one.began_us > act.began_us), default=act.ended_us + 1)
    mine = [one for one in _during(reported, act.began_us, later) if one.kind in act.kinds]
    return [one for one in mine if all(fnmatch.fnmatchcase(one.facts.get(name, ""), value) for name, value in act.facts.items())]


def _during(reported: Iterable[Reported], began_us: int, until_us: int) -> list[Reported]:
    return [one for one in reported if began_us <= one.observed_us < until_us]


def _count(
    verdict: Verdict,
    times: dict[Group, list[float]],
    whole: dict[Group, list[float]],
    asked: dict[Group, list[bool]],
    hours: list[Act],
    in_the_hour: list[Reported],
) -> None:
    numbers, missed = verdict.numbers, verdict.missed
    inside, outside = times[Group.INSIDE], times[Group.FILES] + times[Group.PROCESS]
    answered = {"in-app": asked[Group.INSIDE], "file and process": asked[Group.FILES] + asked[Group.PROCESS]}
    for name, all_asked in answered.items():
        if all_asked:
            numbers[f"{name} attempts reported"] = f"{sum(all_asked)} of {len(all_asked)}"
            if not all(all_asked):
                missed.append(f"{name}: {len(all_asked) - sum(all_asked)} attempts of {len(all_asked)} were not reported")
    for name, values, share, bound in (
        ("in-app p99 ms from what a sensor observed to a committed report", inside, 0.99, INSIDE_P99_MS),
        ("file and process p95 ms from what a sensor observed to a committed report", outside, 0.95, OUTSIDE_P95_MS),
    ):
        if values:
            numbers[name] = round(_quantile(values, share), 1)
            if _quantile(values, share) > bound:
                missed.append(f"{name}: {_quantile(values, share):.1f}, at most {bound:g}")
    for group in (Group.FILES, Group.PROCESS):
        if whole[group]:
            name = f"{group.value} p95 ms from the attack's first moment to a committed report (no limit)"
            numbers[name] = round(_quantile(whole[group], 0.95), 1)
    if hours:
        numbers["reports in the hour of ordinary work"] = len(in_the_hour)
        numbers["policy of that hour"] = "the suite's own: keys by a program not reported, its Python vouched for, /tmp not watched"
        for one in in_the_hour:
            into_seconds = (one.observed_us - hours[0].began_us) / 1_000_000
            missed.append(f"ordinary work was reported, {into_seconds:.1f} s into it: {one.kind.value} {one.facts}")
        missed += [f"the hour of ordinary work: {failure}" for act in hours for failure in act.failures]


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
