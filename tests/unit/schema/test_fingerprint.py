"""A schema's fingerprint: the same as long as it would be made alike, another one as soon as it would not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from harness.errors import SchemaError
from harness.schema.fingerprint import fingerprint, of_metadata, of_migrations

DIALECT = sa.make_url("postgresql://").get_dialect()()


def tables(*extra: sa.Column[object]) -> sa.MetaData:
    """Two tables, one with further columns."""
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("items", metadata, sa.Column("id", sa.ForeignKey("users.id"), primary_key=True), *extra)
    return metadata


def of(*found: sa.MetaData) -> str:
    return fingerprint(of_metadata(found, DIALECT))


def test_it_is_the_same_for_the_same_tables() -> None:
    """However they were made, and in each process."""
    assert of(tables()) == of(tables())
    assert 16 == len(of(tables()))


@pytest.mark.parametrize(
    "change",
    [
        sa.Column("name", sa.String),
        sa.Column("name", sa.String(5)),
        sa.Column("name", sa.String, unique=True),
        sa.Column("name", sa.String, index=True),
        sa.Column("name", sa.String, server_default="x"),
        sa.Column("name", sa.String, server_default="y"),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("name", sa.Enum("a", "b", name="kind")),
        sa.Column("name", sa.Enum("a", "c", name="kind")),
        sa.Column("name", postgresql.JSONB),
        sa.Column("name", sa.String, comment="told"),
        sa.Column("name", sa.Integer, sa.Identity(start=5)),
    ],
    ids=str,
)
def test_it_changes_with_every_part_of_a_table(change: sa.Column[object]) -> None:
    """Types, constraints, indexes, defaults, comments, members of an enum."""
    others = {of(tables()), of(tables(sa.Column("name", sa.Text)))}

    assert of(tables(change)) not in others


def test_statements_that_are_sent_along_are_part_of_it() -> None:
    """`DDL` at an event of a table is as good as its columns."""
    found = []
    for statement in ("CREATE VIEW one AS SELECT 1", "CREATE VIEW one AS SELECT 2"):
        metadata = tables()
        sa.event.listen(metadata, "after_create", sa.DDL(statement))  # type: ignore[no-untyped-call]
        found.append(of(metadata))

    assert 3 == len({*found, of(tables())})


def test_a_function_that_is_called_along_is_no_ground_for_one() -> None:
    """It may do anything, so nothing is said rather than something wrong; the function is named."""
    metadata = tables()

    @sa.event.listens_for(metadata.tables["users"], "after_create")
    def fill(target: object, connection: object, **options: object) -> None:
        raise AssertionError("it was called")

    with pytest.raises(SchemaError) as refused:
        of(metadata)

    assert "fill is called at after_create" in str(refused.value)


# -- migrations --------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a migration that imports from it."""
    files = {
        "alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\n",
        "migrations/env.py": "from fingershop.models import Base\n",
        "migrations/versions/one.py": "import os\nfrom fingershop import seeds\nDEMO = os.environ.get('SHOP_DEMO')\n",
        "migrations/versions/rows.sql": "INSERT INTO users VALUES (1);\n",
        "fingershop/__init__.py": "",
        "fingershop/models.py": "from .parts import part\n",
        "fingershop/parts.py": "part = 1\n",
        "fingershop/seeds.py": "from fingershop.deep.er import rows\n",
        "fingershop/deep/__init__.py": "",
        "fingershop/deep/er.py": "rows = []\n",
        "unrelated.py": "one = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def migrated(project: Path, **environment: str) -> str:
    return fingerprint(of_migrations(project / "alembic.ini", project, environment))


@pytest.mark.parametrize(
    "name",
    [
        "alembic.ini",
        "migrations/env.py",
        "migrations/versions/one.py",
        "migrations/versions/rows.sql",
        "fingershop/models.py",
        "fingershop/parts.py",
        "fingershop/seeds.py",
        "fingershop/deep/er.py",
    ],
)
def test_every_file_that_a_migration_reads_counts(project: Path, name: str) -> None:
    """Its own, those beside it, and what it imports from the project, however indirectly."""
    before = migrated(project)
    with (project / name).open("a") as file:
        file.write("# changed\n")

    assert before != migrated(project)


def test_a_new_revision_counts(project: Path) -> None:
    """And its removal brings the old fingerprint back."""
    before = migrated(project)
    (project / "migrations/versions/two.py").touch()
    assert before != migrated(project)
    (project / "migrations/versions/two.py").unlink()
    assert before == migrated(project)


def test_other_files_do_not_count(project: Path) -> None:
    """Neither the project's nor what Python has compiled."""
    before = migrated(project)
    (project / "unrelated.py").write_text("two = 2\n")
    (project / "migrations/__pycache__").mkdir()
    (project / "migrations/__pycache__/env.pyc").touch()

    assert before == migrated(project)


def test_the_environment_that_a_migration_reads_counts(project: Path) -> None:
    """By the names that are written in it; other variables do not."""
    found = [migrated(project), migrated(project, SHOP_DEMO="1"), migrated(project, SHOP_DEMO="2")]

    assert 3 == len(set(found))
    assert found[1] == migrated(project, SHOP_DEMO="1", UNRELATED="3")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[alembic]\n", "none is named"),
        ("[alembic]\nscript_location = fingershop:migrations\n", "fingershop:migrations"),
        ("nothing", "cannot be read"),
    ],
)
def test_migrations_that_cannot_be_found_have_none(project: Path, text: str, told: str) -> None:
    """It is said why."""
    (project / "alembic.ini").write_text(text)
    with pytest.raises(SchemaError) as refused:
        migrated(project)

    assert told in str(refused.value)


def test_a_file_that_is_no_python_has_none(project: Path) -> None:
    """What it imports cannot be told."""
    (project / "migrations/env.py").write_text("def (")
    with pytest.raises(SchemaError) as refused:
        migrated(project)

    assert "env.py cannot be read" in str(refused.value)
