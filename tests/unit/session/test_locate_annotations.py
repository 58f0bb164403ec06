"""Annotations that cannot be evaluated as they stand."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from harness.session.annotations import hints
from harness.session.evidence import Kind
from harness.session.locate import find_session_dependencies

APP = """
    from __future__ import annotations
    from typing import TYPE_CHECKING
    from fastapi import Depends, FastAPI
    {imports}

    app = FastAPI()

    def get_db() -> {returns}:
        return app.state.session

    @app.get("/items")
    def items(db: {receives} = Depends(get_db)) -> None: ...
"""


def app_of(project: Any, **parts: str) -> Any:
    defaults = {"imports": "", "returns": "Unknown", "receives": "Unknown"}
    project.write(deferred=APP.format(**{**defaults, **parts}))
    return importlib.import_module("deferred").app


def test_type_checking_import_is_looked_up(project: Any) -> None:
    """A name imported only for type checkers is what the import says."""
    imports = "if TYPE_CHECKING: from sqlalchemy.ext.asyncio import AsyncSession as Db"

    (found,) = find_session_dependencies(app_of(project, imports=imports, returns="Db"))

    assert Kind.ASYNC_SESSION is found.kind


def test_type_checking_import_of_another_session_is_none(project: Any) -> None:
    """A Session imported for type checkers from elsewhere is not SQLAlchemy's."""
    project.write(elsewhere="class Session: ...")
    imports = "import elsewhere\n    if TYPE_CHECKING: from elsewhere import Session"

    assert find_session_dependencies(app_of(project, imports=imports, returns="Session", receives="Session")) == ()


def test_unknown_name_does_not_hide_its_neighbours(project: Any) -> None:
    """One annotation that cannot be evaluated leaves the others readable."""
    project.write(
        partly="""
        from __future__ import annotations
        from sqlalchemy.orm import Session
        def get_db(request: Missing) -> Session: ...
        """
    )

    assert list(hints(importlib.import_module("partly").get_db)) == ["return"]


def test_nothing_readable_is_no_session(project: Any) -> None:
    """An application whose annotations all fail is searched without an error, and has no sessions."""
    assert find_session_dependencies(app_of(project)) == ()


def test_no_import_is_made_to_read_annotations(project: Any) -> None:
    """A module imported only for type checkers stays unloaded."""
    project.write(heavy="raise RuntimeError('imported')")
    app = app_of(project, imports="if TYPE_CHECKING: from heavy import Thing", returns="Thing")

    find_session_dependencies(app)

    assert "heavy" not in sys.modules


def test_import_inside_the_body_is_followed(project: Any) -> None:
    """A sessionmaker that a body imports, to avoid a cycle, is found."""
    project.write(
        late_db="from sqlalchemy.orm import sessionmaker\nSessionLocal = sessionmaker()",
        late="""
        import late_db
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def get_db():
            from late_db import SessionLocal
            with SessionLocal() as db:
                yield db
        @app.get("/items")
        def items(db=Depends(get_db)): ...
        """,
    )

    (found,) = find_session_dependencies(importlib.import_module("late").app)

    assert found.name == "late:get_db"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_type_statement_is_looked_through(project: Any) -> None:
    """An alias made with the type statement is what it stands for, with its arguments."""
    imports = "from collections.abc import AsyncIterator\n    from sqlalchemy.ext.asyncio import AsyncSession"
    imports += "\n    type Db = AsyncSession\n    type Gen[T] = AsyncIterator[T]"

    (found,) = find_session_dependencies(app_of(project, imports=imports, returns="Gen[Db]"))

    assert Kind.ASYNC_SESSION is found.kind
