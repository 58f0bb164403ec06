"""Finding the application's reference by reading source files."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from harness.errors import AppError
from harness.session.application import discover_app

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\ndef create_app() -> FastAPI:\n    return FastAPI()\n"


@pytest.mark.parametrize(
    ("file", "spec"),
    [
        ("main", "main:app"),
        ("app", "app:app"),
        ("app__main", "app.main:app"),
        ("app____init__", "app:app"),
        ("shop__main", "shop.main:app"),
        ("shop__app", "shop.app:app"),
        ("shop__asgi", "shop.asgi:app"),
        ("api__main", "api.main:app"),
        ("src__shop__main", "shop.main:app"),
        ("src__main", "main:app"),
    ],
)
def test_usual_places(project: Any, file: str, spec: str) -> None:
    """An application in a usual place is found under the name by which it is imported."""
    parts = file.replace("____init__", "__INIT").split("__")
    project.write(**{file: APP} if "INIT" not in file and parts[-1] != "INIT" else {})
    if parts[-1] == "INIT":
        project.write(app__placeholder="")
        (project.root / "app" / "__init__.py").write_text(APP)

    assert spec == discover_app(project.root)


@pytest.mark.parametrize(
    "source",
    [
        "import fastapi\napp = fastapi.FastAPI(title='x')",
        "from fastapi import FastAPI as Api\napp: Api = Api()",
        "from fastapi import FastAPI\nif True:\n    app = FastAPI()",
        "from fastapi import FastAPI\ntry:\n    app = FastAPI()\nexcept OSError: ...",
        FACTORY + "app = create_app()",
    ],
)
def test_ways_to_make_an_app(project: Any, source: str) -> None:
    """An application is found however its module makes it."""
    project.write(main=source)

    assert discover_app(project.root) == "main:app"


@pytest.mark.parametrize(
    "source",
    [
        FACTORY,
        "from fastapi import FastAPI\ndef create_app(debug=False):\n    app = FastAPI()\n    return app",
        "import fastapi\ndef create_app() -> 'FastAPI': ...",
    ],
)
def test_factory_is_found(project: Any, source: str) -> None:
    """A factory without required arguments is found when it says or shows that it makes a FastAPI."""
    project.write(main=source)

    assert discover_app(project.root) == "main:create_app"


@pytest.mark.parametrize(
    "source",
    [
        "from flask import Flask\napp = Flask()",
        "from other import FastAPI\napp = FastAPI()",
        "from fastapi import FastAPI\ndef create_app(settings) -> FastAPI: ...",
        "def broken(:",
        "raise RuntimeError('imported')",
    ],
)
def test_nothing_is_found(project: Any, source: str) -> None:
    """What is no FastAPI application is not found, and what cannot be read is passed over."""
    project.write(main=source)

    assert discover_app(project.root) is None


@pytest.mark.parametrize("folder", ["tests", "test", ".hidden", "venv", "node_modules", "docs"])
def test_folders_that_are_never_searched(project: Any, folder: str) -> None:
    """Tests, hidden folders, virtual environments and documentation are not searched."""
    project.write(**{f"{folder}__main": APP})

    assert discover_app(project.root) is None


def test_virtual_environment_under_any_name_is_not_searched(project: Any) -> None:
    """A folder with a pyvenv.cfg is a virtual environment."""
    project.write(py313__main=APP)
    (project.root / "py313" / "pyvenv.cfg").touch()

    assert discover_app(project.root) is None


def test_nothing_is_imported(project: Any) -> None:
    """Finding the application runs none of its code."""
    project.write(main=APP + "raise RuntimeError('imported')")

    assert discover_app(project.root) == "main:app"
    assert "main" not in sys.modules


def test_factory_called_elsewhere_is_one_app(project: Any) -> None:
    """An application that one module builds with another's factory is one candidate: the built one."""
    project.write(shop__factory=FACTORY, shop__main="from .factory import create_app\napp = create_app()")

    assert discover_app(project.root) == "shop.main:app"


def test_mounted_app_is_not_the_app(project: Any) -> None:
    """An application that another one mounts is no candidate, in the same file or not."""
    project.write(
        shop__api=APP,
        shop__main=APP + "from shop.api import app as api\nadmin = FastAPI()\n"
        "app.mount('/api', api)\napp.mount('/admin', app=admin)",
    )

    assert discover_app(project.root) == "shop.main:app"


def test_src_that_is_imported_from_is_part_of_the_name(project: Any) -> None:
    """When a module itself imports from src, its own name begins with src."""
    project.write(src__main="from src.settings import x\n" + APP)

    assert discover_app(project.root) == "src.main:app"


def test_several_are_listed(project: Any) -> None:
    """Of several applications none is chosen; the error lists them as settings to copy."""
    project.write(main=APP, shop__main=APP)

    with pytest.raises(AppError, match="2 FastAPI applications were found") as caught:
        discover_app(project.root)

    assert "harness_app = main:app" in str(caught.value)
    assert "harness_app = shop.main:app" in str(caught.value)
