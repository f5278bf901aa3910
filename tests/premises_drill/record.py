"""What a step was to show and what it showed: the table and ``premises.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One step."""

    step: str
    expected: str
    observed: str
    ok: bool
    seconds: float  # what the step measures where it names a bound, else what it took


def write(lines: Sequence[Line], path: Path) -> None:
    """Write the lines to `path`, whose folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in lines], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(lines: Sequence[Line]) -> str:
    """The lines and the judgement, for a person."""
    told = [f"{'':4} {'step':28} {'s':>6}  {'expected':52}  observed"]
    told += [f"{'ok' if one.ok else 'FAIL':4} {one.step:28} {one.seconds:6.2f}  {one.expected:52}  {one.observed[:300]}" for one in lines]
    told.append(f"{sum(one.ok for one in lines)} of {len(lines)} steps ok")
    return "\n".join(told)
