"""An application with one mistake of each severity, and one that is read in its source; and what is told of them."""

from __future__ import annotations

import json
from typing import Any

from tests.support.projects import Project

_MAIN = """
    from collections.abc import Iterator

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, sessionmaker

    from shop.models import Base, User

    engine = create_engine("sqlite:///production.db")
    SessionLocal = sessionmaker(engine)
    app = FastAPI()

    def get_db() -> Iterator[Session]:
        with SessionLocal() as session:
            yield session

    @app.get("/users")
    def names(db: Session = Depends(get_db)) -> list[str]:
        return sorted(db.scalars(select(User.name)))

    @app.post("/users/{name}")
    def add(name: str, db: Session = Depends(get_db)) -> None:
        db.add(User(name=name))
        db.commit()

    @app.post("/lose/{name}")
    def lose(name: str, db: Session = Depends(get_db)) -> None:
        db.add(User(name=name))
        db.flush()

    @app.post("/rename/{name}")
    def rename(name: str, db: Session = Depends(get_db)) -> None:
        user = db.scalars(select(User)).first()
        assert user is not None
        user.name = name

    @app.post("/half/{name}")
    def half(name: str, db: Session = Depends(get_db)) -> None:
        db.add(User(name=name))
        db.commit()
        db.add(User(name=f"{name} junior"))
        db.flush()
        raise RuntimeError(name)
"""

#: An endpoint that is wrong before anybody calls it: H109.
_READ = """
    @app.get("/read")
    def read(db: Session = Depends(SessionLocal)) -> None: ...
"""

#: What a test does to meet H201, H202, H207, or nothing.
ERROR = 'client.post("/lose/ann")'
WARNING = 'client.post("/users/ann"); client.post("/rename/eve")'
INFO = 'pytest.raises(RuntimeError, client.post, "/half/eve")'
NOTHING = 'client.post("/users/ann")'


def guilty(project: Project, *ini: str, graph: bool = False) -> Project:
    """Write the application and a configuration with a JSON report, `found.json`."""
    project.app().write(shop__main=_MAIN + (_READ if graph else ""))
    return project.ini("harness_app = shop.main:app", "harness_report = json:found.json", *ini)


def each_test(project: Project, **does: str) -> Project:
    """Write `test_it.py`: one test for each keyword, which does what its value says."""
    tests = (f"def test_{name}(client):\n    {body}\n" for name, body in does.items())
    return project.write(test_it="\n".join(("import pytest\n", *tests)))


def document(project: Project) -> dict[str, Any]:
    """What the JSON report says."""
    data: dict[str, Any] = json.loads((project.path / "found.json").read_text())
    return data


def found(project: Project) -> list[tuple[str, str | None]]:
    """Code and acceptance of each finding in the JSON report."""
    return [(finding["code"], finding["suppressed"]) for finding in document(project)["findings"]]
