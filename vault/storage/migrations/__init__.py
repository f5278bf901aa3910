"""How a file's tables came to be as `vault.storage.schema` says: Alembic revisions, run on a connection handed in.

Rules: a revision is self-contained and never edited once released; all revisions of one upgrade are one transaction, so a file that was
interrupted is either as before or up to date; there is no way back, because nothing is ever removed from a vault. Alembic is loaded only
when a file is founded or older than this version: opening a current vault does not pay for it.
"""

from __future__ import annotations

import enum
from pathlib import Path

from vault.errors import DefectError, VaultError
from vault.storage.engine import EngineConnection
from vault.storage.failures import EngineError, translated

REVISIONS = ("0001",)  # of either file, in their order
NEWEST = REVISIONS[-1]
_FOLDER = Path(__file__).parent


class History(enum.Enum):
    """Which of the two files' revisions."""

    REGISTER = "register"
    CONTENT = "content"


def upgrade(raw: EngineConnection, history: History) -> None:
    """Bring the file behind an engine connection up to date in one transaction.

    Args:
        raw: a keyed DBAPI connection in autocommit mode, open to schema changes.
        history: which file it is.
    Raises:
        UnavailableError: storage.* as the world failed; the file is as it was.
        DefectError: storage.migration.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - loaded only when needed, see above
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415
    from sqlcipher3 import dbapi2 as engine  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("version_locations", str(_FOLDER / history.value).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    database = sa.create_engine("sqlite://", module=engine, creator=lambda: _Borrowed(raw), poolclass=NullPool)
    try:
        raw.execute("BEGIN IMMEDIATE")
        with database.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        raw.execute("COMMIT")
    except BaseException as error:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        if isinstance(error, VaultError) or not isinstance(error, Exception):
            raise
        cause = getattr(error, "orig", None) or error
        raise (translated(cause) if isinstance(cause, EngineError) else DefectError("storage.migration")) from error


class _Borrowed:
    """The connection as SQLAlchemy sees it: it may neither end our transaction nor close what it was lent."""

    def __init__(self, raw: EngineConnection) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> object:
        value: object = getattr(self._raw, name)
        return value

    def commit(self) -> None:
        """Nothing: `upgrade` commits."""

    def rollback(self) -> None:
        """Nothing: `upgrade` rolls back."""

    def close(self) -> None:
        """Nothing: whoever lent it closes it."""

    def create_function(self, *_args: object, **_kwargs: object) -> None:
        """Nothing: SQLAlchemy would add REGEXP, which the authorizer denies anyway."""
