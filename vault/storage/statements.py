"""Statements are written in SQLAlchemy Core and compiled to SQL once, when their module is loaded.

SQLAlchemy's own execution costs more than a whole audit append (the commit itself is 200 µs, PERFORMANCE §5); its expression language
costs nothing after compilation and lets another engine compile the same statements in its own dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

_NAMED = sqlite.dialect(paramstyle="named")
_POSITIONAL = sqlite.dialect(paramstyle="qmark")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named parameters. `constants` are values the expression itself carried."""

    sql: str
    constants: Mapping[str, object]

    def bound(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """The parameters of one execution."""
        return {**self.constants, **values} if self.constants else values


def compiled(expression: ClauseElement) -> Statement:
    """Compile an expression whose variable parts are `bindparam`s."""
    result = expression.compile(dialect=_NAMED)
    constants = {name: value for name, value in result.params.items() if value is not None}
    return Statement(sql=str(result), constants=constants)


def compiled_positional(expression: ClauseElement) -> tuple[str, tuple[str, ...]]:
    """Compile to question marks; give the SQL and the names of its parameters in order."""
    result = expression.compile(dialect=_POSITIONAL)
    return str(result), tuple(getattr(result, "positiontup", None) or ())
