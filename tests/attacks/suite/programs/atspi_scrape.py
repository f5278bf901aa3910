"""Reads every accessible object of every program, as a screen reader would, and prints {"objects": N, "texts": [...]} as JSON.

Runs under the system's Python, which has pyatspi. The tree is walked again until it stops growing: an application that has just been told
of a screen reader builds it while it is read.
"""

from __future__ import annotations

import contextlib
import json
import time

import pyatspi  # type: ignore[import-not-found, unused-ignore]

_CHILDREN_MOST, _DEPTH_MOST, _WALKS_MOST = 200, 40, 12


def texts_of(node: object) -> list[str]:
    """Everything an object says of itself."""
    said = [str(getattr(node, "name", "")), str(getattr(node, "description", ""))]
    for ask in ("queryText", "queryEditableText"):
        try:
            text = getattr(node, ask)()
            said.append(text.getText(0, -1))
        except Exception:  # it has none
            continue
    with contextlib.suppress(Exception):
        said += list(node.getAttributes())  # type: ignore[attr-defined]
    return said


def walk(node: object, found: list[str], depth: int = 0) -> int:
    """Collect the words below an object; gives the number of objects."""
    if depth > _DEPTH_MOST:
        return 0
    try:
        found += texts_of(node)
        children = [node.getChildAtIndex(at) for at in range(min(node.childCount, _CHILDREN_MOST))]  # type: ignore[attr-defined]
    except Exception:
        return 1
    return 1 + sum(walk(child, found, depth + 1) for child in children if child is not None)


def main() -> None:
    """Walk until two walks see the same."""
    before = -1
    for _ in range(_WALKS_MOST):
        found: list[str] = []
        count = walk(pyatspi.Registry.getDesktop(0), found)
        if count == before and count > 1:
            break
        before = count
        time.sleep(0.5)
    print(json.dumps({"objects": count, "texts": [one for one in found if one]}))


main()
