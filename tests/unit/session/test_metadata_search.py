"""Finding the metadata of a project's models, and loading those that the user names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import pytest
from sqlalchemy import MetaData

from harness.errors import ConfigError, SchemaError
from harness.session.metadata_of import find_metadata, load_metadata

BASE = """
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, declarative_base, mapped_column, registry
"""
DECLARATIVE = (
    BASE
    + """
class Base(DeclarativeBase): ...
class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
)
MODULES = {
    "declarative": (DECLARATIVE, "Base.metadata"),
    "legacy": (
        BASE
        + "Base = declarative_base()\nclass A(Base):\n    __tablename__ = 'a'\n"
        + "    id = Column(Integer, primary_key=True)",
        "Base.metadata",
    ),
    "imperative": (
        BASE + 'mapping = registry()\nTable("a", mapping.metadata, Column("id", Integer, primary_key=True))',
        "mapping.metadata",
    ),
    "core": (BASE + 'metadata = MetaData()\nTable("a", metadata, Column("id", Integer, primary_key=True))', "metadata"),
    "only_table": (
        BASE + 'a = Table("a", MetaData(), Column("id", Integer, primary_key=True))',
        "a.metadata",
    ),
    "hidden": (
        BASE
        + "class Base(DeclarativeBase): ...\ndef make():\n    class A(Base):\n        __tablename__ = 'a'\n"
        + "        id = mapped_column(Integer, primary_key=True)\n    return A\nkept = (make(),)",
        "Base.metadata",
    ),
}


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("shape", MODULES)
def test_metadata_of_each_sort_of_model(project: Any, shape: str) -> None:
    """The metadata of a project is found in whichever way SQLAlchemy's tables are declared."""
    source, expression = MODULES[shape]
    project.write(models=source)
    module = load("models")

    assert (eval(expression, vars(module)),) == find_metadata(root=project.root)


def test_sqlmodel_metadata_is_found(project: Any) -> None:
    """The metadata of SQLModel's tables is found when the project defines one of them."""
    sqlmodel = pytest.importorskip("sqlmodel")
    project.write(
        models="from sqlmodel import *\nclass Hero(SQLModel, table=True):\n"
        "    id: int | None = Field(None, primary_key=True)"
    )
    load("models")
    try:
        assert (sqlmodel.SQLModel.metadata,) == find_metadata(root=project.root)
    finally:
        sqlmodel.SQLModel.metadata.clear()


def test_base_of_a_library_counts_with_the_projects_models(project: Any) -> None:
    """A base that another module defines counts by the models that the project defines on it."""
    project.write(library_base=BASE + "class Base(DeclarativeBase): ...")
    project.write(
        shop__models="from library_base import *\nclass A(Base):\n    __tablename__ = 'a'\n"
        "    id = mapped_column(Integer, primary_key=True)"
    )
    load("shop.models")

    assert (load("library_base").Base.metadata,) == find_metadata(["shop"], root=project.root / "shop")


def test_tables_of_installed_packages_are_not_the_projects(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package in site-packages brings its own tables; they are not found unless it is named."""
    folder = project.root / "site-packages"
    folder.mkdir()
    (folder / "installed_models.py").write_text(DECLARATIVE)
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location("installed_models", folder / "installed_models.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "installed_models", module)
    spec.loader.exec_module(module)

    assert find_metadata(root=project.root) == ()
    assert (module.Base.metadata,) == find_metadata(["installed_models"], root=project.root)


def test_module_that_was_replaced_does_not_count(project: Any) -> None:
    """Only what is loaded now counts, not the models of an earlier module of the same name."""
    project.write(models=DECLARATIVE)
    earlier = load("models")
    del sys.modules["models"]
    now = load("models")

    assert earlier.Base.metadata is not now.Base.metadata
    assert (now.Base.metadata,) == find_metadata(root=project.root)


def test_the_same_metadata_is_told_once(project: Any) -> None:
    """Metadata that several modules share is found once."""
    project.write(models=DECLARATIVE, other="from models import Base, Author\nmetadata = Base.metadata")
    load("other")

    assert len(find_metadata(root=project.root)) == 1


def test_two_bases_are_two(project: Any) -> None:
    """Two bases have two metadata."""
    project.write(models=DECLARATIVE, more=DECLARATIVE)
    load("models")
    load("more")

    assert len(find_metadata(root=project.root)) == 2


def test_base_without_tables_is_left_out(project: Any) -> None:
    """A base without models does not count."""
    project.write(models=BASE + "class Base(DeclarativeBase): ...")
    load("models")

    assert find_metadata(root=project.root) == ()


def test_models_of_tests_come_last(project: Any) -> None:
    """Models that test modules define count only where no other module has any."""
    project.write(test_only_models=DECLARATIVE)
    first = load("test_only_models")

    assert (first.Base.metadata,) == find_metadata(root=project.root)

    project.write(models=DECLARATIVE)

    assert (load("models").Base.metadata,) == find_metadata(root=project.root)


def test_objects_that_must_not_be_touched_are_not(project: Any) -> None:
    """A proxy that raises when it is looked at does not stop the search."""
    project.write(
        models=DECLARATIVE,
        proxies="class Proxy:\n    def __getattribute__(self, name): raise RuntimeError(name)\nproxy = Proxy()",
    )
    load("proxies")
    load("models")

    assert len(find_metadata(root=project.root)) == 1


@pytest.mark.parametrize("name", ["Base", "Base.metadata", "Author", "Base.registry"])
def test_named_metadata(project: Any, name: str) -> None:
    """A base, a model, a registry and the metadata itself all name the metadata."""
    project.write(models=DECLARATIVE)

    assert (load("models").Base.metadata,) == load_metadata([f"models:{name}"])


def test_named_twice_is_one(project: Any) -> None:
    """Metadata named in two ways is one."""
    project.write(models=DECLARATIVE)

    assert len(load_metadata(["models:Base", "models:Base.metadata"])) == 1


def test_metadata_without_tables_is_refused(project: Any) -> None:
    """Metadata without tables is refused with the module of models that was not imported."""
    project.write(shop__db=BASE + "class Base(DeclarativeBase): ...", shop__models="from shop.db import Base")

    with pytest.raises(SchemaError) as caught:
        load_metadata(["shop.db:Base"])

    assert "the metadata of 'shop.db:Base' has no tables" in str(caught.value)
    assert "'shop.models:Base'" in str(caught.value)


def test_what_has_no_metadata_is_refused(project: Any) -> None:
    """Something without metadata is refused with what it is."""
    project.write(plain="class Base: ...\nnumber = 3")

    with pytest.raises(ConfigError, match="'plain:Base' has no metadata; it is the class Base"):
        load_metadata(["plain:Base"])
    with pytest.raises(ConfigError, match="'plain:number' has no metadata; it is of type int"):
        load_metadata(["plain:number"])


def test_reference_that_leads_nowhere_is_refused(project: Any) -> None:
    """A misspelt base is refused with its near names, and names the option."""
    project.write(models=DECLARATIVE)

    with pytest.raises(ConfigError) as caught:
        load_metadata(["models:Bsae"])

    assert "harness_metadata = 'models:Bsae'" in str(caught.value)
    assert "did you mean 'Base'" in str(caught.value)


def test_nothing_named_is_nothing_loaded() -> None:
    """Without names there is no metadata."""
    found: tuple[MetaData, ...] = load_metadata([])

    assert found == ()
