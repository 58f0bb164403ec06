"""Loading the application, and what is said when it cannot be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from harness.errors import AppError
from harness.session.application import is_asgi_app, load_app

GOOD = "from fastapi import FastAPI\napp = FastAPI()\n"


def refused(spec: str) -> AppError:
    with pytest.raises(AppError) as caught:
        load_app(spec)
    return caught.value


def test_app_is_loaded(project: Any) -> None:
    """A reference to an application gives that application."""
    project.write(good__main=GOOD)

    assert isinstance(load_app("good.main:app"), FastAPI)


def test_app_behind_middleware_is_an_app(project: Any) -> None:
    """An application wrapped in middleware is an application."""
    project.write(wrapped=GOOD + "from starlette.middleware.gzip import GZipMiddleware\napp = GZipMiddleware(app)")

    assert type(load_app("wrapped:app")).__name__ == "GZipMiddleware"


def test_plain_asgi_function_is_an_app() -> None:
    """A coroutine function of scope, receive and send is an application; other functions are none."""

    async def app(scope: Any, receive: Any, send: Any) -> None: ...
    async def handler(request: Any) -> None: ...
    def add(a: int, b: int, c: int) -> int:
        return a + b + c

    assert [is_asgi_app(one) for one in (app, handler, add, FastAPI)] == [True, False, False, False]


def test_factory_is_called(project: Any) -> None:
    """A reference to a factory gives what it builds, defaults filled in."""
    project.write(made="from fastapi import FastAPI\ndef create_app(debug=False, *extra, **more): return FastAPI()")

    assert isinstance(load_app("made:create_app"), FastAPI)


@pytest.mark.parametrize("spec", ["shop.main", "", "shop:", ":app", "shop.main:app()", "shop-main:app"])
def test_malformed_reference_is_refused(spec: str) -> None:
    """A reference that is not pkg.module:name is refused with an example."""
    message = str(refused(spec))

    assert f"{spec!r} is not a reference" in message
    assert "'shop.main:app'" in message


def test_file_name_is_refused_with_its_module() -> None:
    """A file name is refused with the module it would be."""
    assert "not as a file: 'shop.main'" in str(refused("shop/main.py:app"))


def test_missing_package_is_refused_with_where_was_looked() -> None:
    """A package that is nowhere is refused, with sys.path and the pythonpath option."""
    message = str(refused("nowhere_at_all.main:app"))

    assert "module 'nowhere_at_all' cannot be found" in message
    assert "sys.path" in message
    assert "pythonpath in [tool.pytest.ini_options]" in message


def test_package_beside_the_path_is_refused_with_its_folder(project: Any) -> None:
    """A package in a folder that is not on sys.path is refused with the setting that puts it there."""
    project.write(src__hidden_shop__main=GOOD)

    assert 'pythonpath = ["src"]' in str(refused("hidden_shop.main:app"))


def test_missing_module_is_refused_with_near_names(project: Any) -> None:
    """A misspelt module of a package is refused with its near names and where the package was found."""
    project.write(near__main=GOOD)
    message = str(refused("near.mian:app"))

    assert "module 'near.mian' does not exist" in message
    assert "did you mean 'near.main'?" in message
    assert "package 'near' was found in near" in message


def test_module_below_a_module_is_refused(project: Any) -> None:
    """A module that is looked for below one that is no package is refused with that reason."""
    project.write(flat=GOOD)

    assert "'flat' is a module, not a package" in str(refused("flat.main:app"))


def test_error_inside_the_import_is_told(project: Any) -> None:
    """An error inside the import is told with its type, message and the user's line, and is the cause."""
    project.write(broken__main="from broken import settings", broken__settings="import os\nos.environ['NO_SUCH_VAR']")
    error = refused("broken.main:app")

    assert "importing 'broken.main' raised KeyError: 'NO_SUCH_VAR'" in str(error)
    assert f"{Path('broken/settings.py')}:2 in <module>" in str(error)
    assert "harness_url_env" in str(error)
    assert isinstance(error.__cause__, KeyError)


def test_missing_import_inside_the_module_is_told_apart(project: Any) -> None:
    """A module that exists, and imports one that does not, is not called missing."""
    project.write(lacking="import no_such_library")
    message = str(refused("lacking:app"))

    assert "importing 'lacking' raised ModuleNotFoundError: No module named 'no_such_library'" in message
    assert "install 'no_such_library'" in message


def test_syntax_error_is_told_with_its_line(project: Any) -> None:
    """A syntax error is told with file and line."""
    project.write(slip="x = 1\ndef broken(:\n")

    assert "slip.py:2" in str(refused("slip:app"))


def test_password_of_an_import_error_is_hidden(project: Any) -> None:
    """The password of a URL in an error message is not repeated."""
    project.write(leaky="raise ValueError('bad url postgresql://me:s3cret@db/shop')")
    message = str(refused("leaky:app"))

    assert "s3cret" not in message
    assert "postgresql://me:***@db/shop" in message


def test_exit_inside_the_import_is_told(project: Any) -> None:
    """A module that exits when imported does not end the test run."""
    project.write(quits="import sys\nsys.exit('usage: quits')")

    assert "importing 'quits' raised SystemExit: usage: quits" in str(refused("quits:app"))


def test_missing_attribute_is_refused_with_the_apps(project: Any) -> None:
    """A missing attribute is refused with the applications that the module does have."""
    project.write(other="from fastapi import FastAPI\nservice = FastAPI()\napplication = 3")
    message = str(refused("other:app"))

    assert "module 'other' has no attribute 'app'" in message
    assert "it has service (a FastAPI)" in message


def test_submodule_is_refused_with_its_app(project: Any) -> None:
    """A reference to a module in place of an object is refused with a reference into that module."""
    project.write(outer__main=GOOD, outer____init__="")
    (project.root / "outer" / "__init__.py").write_text("")

    assert "'outer.main:app'" in str(refused("outer:main"))


def test_what_is_no_app_is_refused_with_its_type(project: Any) -> None:
    """A value that is no application is refused with its type."""
    project.write(router="from fastapi import APIRouter\napp = 3\nnone = None")

    assert "is not an ASGI application; it is of type builtins.int" in str(refused("router:app"))
    assert "is not an ASGI application; it is None" in str(refused("router:none"))


def test_factory_with_arguments_is_refused_with_their_names(project: Any) -> None:
    """A factory that needs arguments is refused with their names."""
    project.write(needy="def create_app(settings, *, engine, debug=False): ...")

    assert "needs arguments: settings, engine" in str(refused("needy:create_app"))


def test_factory_that_raises_is_told(project: Any) -> None:
    """An error inside the factory is told with the user's line, and is the cause."""
    project.write(raising="def create_app():\n    raise OSError('no config')")
    error = refused("raising:create_app")

    assert "the factory 'raising:create_app' raised OSError: no config" in str(error)
    assert "raising.py:2 in create_app" in str(error)
    assert isinstance(error.__cause__, OSError)


def test_factory_of_something_else_is_refused(project: Any) -> None:
    """A factory that forgets to return the application is refused with what it returned."""
    project.write(forgetful="def create_app(): ...")

    assert "returned no ASGI application; what it returned is None" in str(refused("forgetful:create_app"))


def test_async_factory_is_refused(project: Any) -> None:
    """A factory that is a coroutine function is refused, and its coroutine is closed."""
    project.write(later="async def create_app(): ...")

    assert "the factory 'later:create_app' is asynchronous" in str(refused("later:create_app"))


def test_every_refusal_says_where_and_what_to_do(project: Any) -> None:
    """Each error names the option and a remedy."""
    project.write(several="x = 1\ndef f(a): ...\ndef g(): ...\nasync def h(): ...\ndef i(): raise OSError")
    specs = ["several", "sevral:x", "several:x", "several:f", "several:g", "several:h", "several:i", "several:nothing"]
    errors = [refused(spec) for spec in specs]

    assert all(
        error.remedy and f"harness_app = {spec!r}" in (error.where or "")
        for spec, error in zip(specs, errors, strict=True)
    )
