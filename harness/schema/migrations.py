"""Build the schema with Alembic: upgrade to head, in a thread of its own so that env.py may use asyncio.run."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import MissingExtra, SchemaError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine


def find_config(root: Path) -> Path:
    """Return the project's alembic.ini.

    Raises:
        SchemaError: there is none, or several.
    """
    direct = root / "alembic.ini"
    if direct.is_file():
        return direct
    found = sorted(path for path in root.glob("*/alembic.ini") if not path.parent.name.startswith("."))
    if len(found) == 1:
        return found[0]
    where = "\n".join(str(path.relative_to(root)) for path in found) or f"{root} and the directories in it"
    raise SchemaError(
        "several alembic.ini files were found" if found else "harness_schema is 'alembic', and there is no alembic.ini",
        where=where,
        remedy="put alembic.ini beside the pytest configuration, or name a callable: harness_schema = tests.db:upgrade",
    )


def upgrade(config_file: Path, engine: Engine) -> list[str]:
    """Upgrade the test database to head.

    The environment script makes its engine as it always does; harness captures it, so it lands in the test database
    whatever URL it reads.

    Raises:
        MissingExtra: Alembic is not installed.
        SchemaError: a migration failed.
    """
    try:
        from alembic import command
        from alembic.config import Config
    except ImportError:
        raise MissingExtra("alembic", "alembic", "harness_schema = alembic") from None
    output = io.StringIO()
    config = Config(str(config_file), stdout=output)
    _set_url(config, engine)
    failure: list[BaseException] = []

    def run() -> None:
        try:
            command.upgrade(config, "head")
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            failure.append(error)

    thread = threading.Thread(target=run, name="harness-alembic")
    thread.start()
    thread.join()
    if failure:
        raise SchemaError(
            f"the migrations failed: {type(failure[0]).__name__}",
            where=str(config_file),
            why=" ".join(str(failure[0]).split())[:600] or None,
            remedy="run `alembic upgrade head` against an empty database to see the same error",
        ) from failure[0]
    return []


def _set_url(config: Config, engine: Engine) -> None:
    """Give env.py files that insist on a URL one that is right; it carries no password in memory databases' case."""
    url = engine.url.render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
