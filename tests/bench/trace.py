"""The trace: how often a view is named from its picture after an attack, and how often somebody is named wrongly.

Rules:

- At least `TRIALS` seeded trials of each class; page, resolution, view and attack come from the seed alone.
- The threshold is that of a vault of a million views; wrong names are looked for among `OTHERS` views that did not make the picture.
- `build/trace.json` is written after every round, so that a run that was stopped has published what it measured.

`CASEVAULT_TRACE_TRIALS` makes a shorter run; `CASEVAULT_TRACE_NICE` a more or less modest one.
"""

from __future__ import annotations

import io
import json
import os
import random
import statistics
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from tests import trace_trials
from tests.bench.measures import Report, at_least, at_most
from vault.domain.trace import CHIPS_BYTES, threshold
from vault.trace.detector import readings_of, scores

TRIALS = int(os.environ.get("CASEVAULT_TRACE_TRIALS", "500"))
OTHERS = 5_000
VIEWS = 1_000_000
RESULT = Path(__file__).resolve().parents[2] / "build" / "trace.json"
_ROUND = 2
_WORKERS = 2
_NICE = int(os.environ.get("CASEVAULT_TRACE_NICE", "15"))
# attack -> the share that must be named at least; None: published as it is
NAMED_LEAST = {
    "screenshot": 0.93,
    "jpeg 50": 0.9,
    "scaled": 0.93,
    "a third of the page": 0.9,
    "a third, jpeg 50": 0.8,
    "a third, any scale, jpeg 85": 0.85,
    "camera": 0.85,
    "a third, scaled 50 %, jpeg 50": None,
}
SCALES = ("scaled 50 %", "scaled 75 %", "scaled 150 %", "scaled 200 %")
INNOCENT = ("an unmarked page", "a page of another vault", "another view of this vault")
_ANY = tuple(attack for attack in NAMED_LEAST if attack != "scaled") + SCALES


@dataclass
class Tally:
    """What became of the trials of one class."""

    trials: int = 0
    named: int = 0
    named_wrongly: int = 0
    scores: list[float] = field(default_factory=list)  # of the view that made the picture; of an innocent class, the highest of all others


@lru_cache(maxsize=1)
def _others() -> list[bytes]:
    dice = random.Random("others")
    return [dice.randbytes(CHIPS_BYTES) for _ in range(OTHERS)]


def one_trial(job: tuple[str, int]) -> tuple[str, str, bool, bool, float]:
    """Play one trial: class, attack, named rightly, named wrongly, score."""
    kind, seed = job
    dice = random.Random(f"{kind} {seed}")
    innocent = kind in INNOCENT
    attack = dice.choice(_ANY) if innocent else SCALES[seed % len(SCALES)] if kind == "scaled" else kind
    made = trace_trials.trial(dice.randrange(2**32), marked=kind != INNOCENT[0])
    data = trace_trials.attacked(made, attack, seed)
    readings = readings_of(np.asarray(Image.open(io.BytesIO(data)).convert("L")))
    found = scores(readings, [made.chips, *_others()]) if readings else np.zeros((OTHERS + 1, 1), np.float32)
    own, others = float(found[0].max()), float(found[1:].max())
    limit = threshold(VIEWS)
    if innocent:
        return kind, attack, False, others >= limit, others
    return kind, attack, own >= limit and own >= others, others >= limit and others > own, own


def run(report: Report) -> None:
    """Play every class in rounds and publish after each."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one process a core is enough
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn"), initializer=_modestly) as pool:
        for begin in range(0, TRIALS, _ROUND):
            jobs = [(kind, seed) for kind in (*NAMED_LEAST, *INNOCENT) for seed in range(begin, min(begin + _ROUND, TRIALS))]
            for kind, attack, named, wrongly, score in pool.map(one_trial, jobs, chunksize=1):
                for key in {kind, attack} if kind == "scaled" else {kind}:
                    tally = tallies[key]
                    tally.trials += 1
                    tally.named += named
                    tally.named_wrongly += wrongly
                    tally.scores.append(score)
            _publish(tallies)
    for kind, least in NAMED_LEAST.items():
        tally = tallies[kind]
        note = f"median score {statistics.median(tally.scores):.1f}, threshold {threshold(VIEWS):.2f}"
        limit = at_least(least * 100) if least is not None else None
        report.add("trace", f"named: {kind}", 100 * tally.named / tally.trials, "%", tally.trials, limit, note)
    wrong = sum(tally.named_wrongly for kind, tally in tallies.items() if kind not in SCALES)
    every = sum(tally.trials for kind, tally in tallies.items() if kind not in SCALES)
    report.add("trace", f"named wrongly, among {OTHERS} others", float(wrong), "", every, at_most(0))


def _modestly() -> None:
    os.nice(max(0, _NICE - os.nice(0)))


def _publish(tallies: dict[str, Tally]) -> None:
    rows = [
        {
            "class": kind,
            "trials": tally.trials,
            "named": None if kind in INNOCENT else tally.named,
            "named_wrongly": tally.named_wrongly,
            "score_lowest": round(min(tally.scores), 2),
            "score_median": round(statistics.median(tally.scores), 2),
            "score_highest": round(max(tally.scores), 2),
        }
        for kind, tally in tallies.items()
    ]
    RESULT.parent.mkdir(exist_ok=True)
    record = {"threshold": round(threshold(VIEWS), 3), "views": VIEWS, "others_compared": OTHERS, "classes": rows}
    RESULT.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
