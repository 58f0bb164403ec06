"""schemathesis: each case it generates is an example, with rows of its own."""

from __future__ import annotations

import pytest

from tests.support.projects import Project

pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install --group schemathesis")


def test_each_case_starts_from_the_same_rows(project: Project) -> None:
    """The recipe of docs/hypothesis.md, with requests that add what must be unique, and with rows of a fixture."""
    project.app().write(
        test_it="""
            import pytest
            import schemathesis
            from hypothesis import settings
            from sqlalchemy import func, select
            from shop.main import SessionLocal, app
            from shop.models import User

            schema = schemathesis.openapi.from_asgi("/openapi.json", app)
            seen = []

            @pytest.fixture(autouse=True)
            def eve(db_session):
                db_session.add(User(name="eve"))
                db_session.commit()

            def names():
                with SessionLocal() as session:
                    return session.scalars(select(User.name)).all()

            @schema.include(path="/users/{name}").parametrize()
            @settings(max_examples=40, database=None, deadline=None)
            def test_add(case):
                assert names() == ["eve"]
                seen.append(case.call().status_code)

            @schema.include(path="/users").parametrize()
            @settings(max_examples=5, database=None, deadline=None)
            def test_list(case):
                case.call_and_validate()
                assert names() == ["eve"]

            def test_it_added():
                assert seen.count(201) > 10
        """
    ).ini("harness_app = shop.main:app")

    project.run_apart("-p", "hypothesispytest", "-p", "schemathesis").assert_passed(3)
