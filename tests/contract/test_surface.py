"""What is public is complete, documented, and used."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import harness
from harness import errors
from harness.config.options import OPTIONS, Option

ROOT = Path(harness.__file__).parent.parent
SOURCES = {path: path.read_text() for path in sorted((ROOT / "harness").rglob("*.py"))}
FIXTURE_MODULES = ("decisions", "database", "seeds", "client", "handle", "queries")
ERRORS = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.HarnessError)
]


def public_fixtures() -> dict[str, str]:
    """The docstring of each public fixture."""
    found = {}
    for name in FIXTURE_MODULES:
        path = ROOT / "harness/fixtures" / f"{name}.py"
        for node in ast.parse(SOURCES[path]).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if any("pytest.fixture" in ast.unparse(decorator) for decorator in node.decorator_list):
                found[node.name] = ast.get_docstring(node) or ""
    return found


FIXTURES = public_fixtures()


def test_all_is_sorted_and_importable() -> None:
    """Every name in `__all__` exists, and `dir` shows no other."""
    assert sorted(harness.__all__) == harness.__all__
    assert harness.__all__ == dir(harness)
    for name in harness.__all__:
        assert getattr(harness, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy façade behaves like a module."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = harness.nothing
    assert re.match(r"\d+\.\d+", harness.__version__)


def test_every_error_is_exported() -> None:
    """A user can catch by name what harness raises."""
    assert {error.__name__ for error in ERRORS} <= set(harness.__all__)


@pytest.mark.parametrize("error", [error.__name__ for error in ERRORS if error is not errors.HarnessError])
def test_every_error_is_raised_somewhere_and_in_the_tree(error: str) -> None:
    """No error class without a use, and none missing from the overview in `errors.py`."""
    uses = [path for path, text in SOURCES.items() if path.name != "errors.py" and re.search(rf"\b{error}\(", text)]
    subclasses = [other for other in ERRORS if error in [base.__name__ for base in other.__mro__[1:]]]

    assert uses or subclasses
    assert error in (errors.__doc__ or "")


@pytest.mark.parametrize("option", OPTIONS, ids=[option.name for option in OPTIONS])
def test_every_option_is_documented_and_tested(option: Option) -> None:
    """In the README's table, in `--help`, and in a test file of its own."""
    assert option.help
    assert not option.help.endswith(".")
    assert option.since
    assert (ROOT / f"tests/plugin/options/test_{option.name}.py").exists()
    assert f"`{option.ini}`" in (ROOT / "README.md").read_text()


def test_options_are_not_declared_twice() -> None:
    """Neither by name nor by any form of it."""
    for form in ("name", "flag", "ini", "env"):
        names = [getattr(option, form) for option in OPTIONS]
        assert len(set(names)) == len(names)


def test_the_promised_fixtures_exist() -> None:
    """The names of the public interface."""
    promised = {
        "db_session", "async_db_session", "client", "async_client", "db_engine", "async_db_engine", "db_url", "harness",
        "assert_queries", "harness_app", "harness_database_url", "harness_metadata", "harness_schema",
    }  # fmt: skip

    assert promised <= set(FIXTURES)


@pytest.mark.parametrize("name", FIXTURES)
def test_every_fixture_has_a_manual(name: str) -> None:
    """A docstring whose first line fits into `pytest --fixtures`, and a place in the README."""
    first = FIXTURES[name].partition("\n")[0]

    assert 10 < len(first) <= 72
    assert first.endswith((".", ":"))
    assert f"`{name}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_class_is_documented(name: str) -> None:
    """With its public methods, unless they are those of the class it stands for."""
    cls = getattr(harness, name)
    home = importlib.import_module(cls.__module__)

    assert inspect.getdoc(cls)
    assert home.__name__.startswith("harness.")
    for attribute, value in vars(cls).items():
        if not attribute.startswith("_") and inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name}.{attribute}"
