"""`harness_app`: which application the clients drive."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestApp(OptionLaws):
    """The laws of every option."""

    name = "app"
    first = "shop.main:app"
    second = "shop.other:app"


_TEST = "def test_it(client):\n    assert client.get('/born').json() == 'in lifespan'\n"


def test_a_factory_is_called(project: Project) -> None:
    """It may be a function without required arguments."""
    project.app().ini("harness_app = shop.factory:create").write(
        shop__factory="from shop.main import app\ndef create(debug=False):\n    return app\n", test_it=_TEST
    )
    project.run().assert_passed(1)


@pytest.mark.parametrize("place", ["main", "app__main", "src__shopping__main", "backend__api"])
def test_the_only_app_in_the_usual_places_is_found(project: Project, place: str) -> None:
    """Nobody has to name it."""
    project.write(**{place: "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/here')\ndef here(): return 1\n"})
    project.ini(
        "harness_schema = none", base="[pytest]\npythonpath = . src\nasyncio_default_fixture_loop_scope = function"
    ).write(test_it="def test_it(client):\n    assert client.get('/here').json() == 1\n")
    project.run().assert_passed(1)


def test_an_app_wrapped_in_middleware_is_an_app(project: Project) -> None:
    """Whatever is called with scope, receive and send."""
    project.app().ini("harness_app = shop.wrapped:app").write(
        shop__wrapped="""
            from shop.main import app as inner

            class Wrapper:
                def __init__(self, app): self.app = app
                async def __call__(self, scope, receive, send): await self.app(scope, receive, send)

            app = Wrapper(inner)
        """,
        test_it=_TEST,
    )
    project.run().assert_passed(1)
