"""Which tables belong to the project? Those of the models that its modules define, or of the metadata the user names.

Nothing is imported to find out: the application has imported its models already. Of what is loaded, the top-level
names of the project's modules are looked at; a table that an installed package brings along, without a model of the
project on its base, is not the project's. (Bases know their subclasses, but also those of modules that have since been
replaced.)
"""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import Mapper, registry

from harness.errors import ConfigError, SchemaError
from harness.session.reference import Origin, resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_ORIGIN = Origin(option="harness_metadata", example="shop.models:Base", error=ConfigError)
_HARNESS = __name__.partition(".")[0]


def find_metadata(packages: Collection[str] = (), *, root: Path | None = None) -> tuple[MetaData, ...]:
    """Return the metadata, with tables, of the models that the project's loaded modules define.

    Modules of tests count only when no other module has any models.

    Args:
        packages: top-level packages of the project, installed or not, such as the one of its application.
        root: the folder of the project; without it, whatever is not installed belongs to the project.
    """
    modules = [module for module in list(sys.modules.values()) if _is_projects(module, packages, root)]
    tests = [module for module in modules if _is_test(module) and module.__name__.partition(".")[0] not in packages]
    return _of_modules([module for module in modules if module not in tests]) or _of_modules(tests)


def load_metadata(specs: Sequence[str]) -> tuple[MetaData, ...]:
    """Return the metadata that the user names as ``pkg.module:Base`` or ``pkg.module:metadata``.

    Raises:
        ConfigError: when a reference does not lead to metadata.
        SchemaError: when it leads to metadata without tables.
    """
    return _distinct(_named(spec) for spec in specs)


def load_tables(specs: Sequence[str], option: str) -> frozenset[Table]:
    """Return the tables that the user names: all of a base or MetaData, or the one of a mapped class.

    Args:
        specs: as for `load_metadata`, or ``pkg.module:MappedClass``.
        option: what holds them, for messages.

    Raises:
        ConfigError: when a reference does not lead to metadata.
        SchemaError: when it leads to metadata without tables.
    """
    origin, tables = replace(_ORIGIN, option=option), set[Table]()
    for spec in specs:
        found = resolve(spec, origin)
        mapper = inspect.getattr_static(found, "__mapper__", None)
        if isinstance(found, Table):
            tables.add(found)
        elif isinstance(mapper, Mapper):
            tables.update(table for table in mapper.tables if isinstance(table, Table))
        else:
            tables.update(_metadata_at(spec, found, origin).tables.values())
    return frozenset(tables)


def _named(spec: str) -> MetaData:
    return _metadata_at(spec, resolve(spec, _ORIGIN), _ORIGIN)


def _metadata_at(spec: str, found: object, origin: Origin) -> MetaData:
    metadata = found if isinstance(found, MetaData) else getattr(found, "metadata", None)
    if not isinstance(metadata, MetaData):
        raise _not_metadata(spec, found, origin)
    if not metadata.tables:
        raise _no_tables(spec, origin)
    return metadata


def _of_modules(modules: Sequence[ModuleType]) -> tuple[MetaData, ...]:
    names = {module.__name__ for module in modules}
    values = (value for module in modules for value in list(vars(module).values()))
    found = [metadata for value in values if (metadata := _metadata(value, names)) is not None]
    return _distinct(metadata for metadata in found if metadata.tables)


def _metadata(value: object, modules: Collection[str]) -> MetaData | None:
    """Return the metadata that an object of a module stands for.

    Looks at ``type(value)``, never at ``value.__class__``: proxies found in modules may raise when they are touched.
    """
    kind = type(value)
    if issubclass(kind, MetaData):
        return value  # type: ignore[return-value]  # its type has just been checked
    if issubclass(kind, registry | Table):
        return value.metadata  # type: ignore[attr-defined, no-any-return]  # as above
    if not issubclass(kind, type) or getattr(value, "__module__", None) not in modules:
        return None
    table = inspect.getattr_static(value, "__table__", None)
    if isinstance(table, Table):
        return table.metadata
    declared = inspect.getattr_static(value, "metadata", None)
    return declared if isinstance(declared, MetaData) else None


def _is_projects(module: object, packages: Collection[str], root: Path | None) -> bool:
    if not isinstance(module, ModuleType):
        return False
    top = module.__name__.partition(".")[0]
    if top == _HARNESS:
        return False
    if top in packages:
        return True
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    path = Path(file)
    installed = {"site-packages", "dist-packages"} & set(path.parts) or path.is_relative_to(_STANDARD_LIBRARY)
    if installed:
        return False
    return root is None or path.is_relative_to(root) or path.resolve().is_relative_to(root.resolve())


_STANDARD_LIBRARY = sysconfig.get_path("stdlib")


def _is_test(module: ModuleType) -> bool:
    return any(
        part in {"test", "tests", "conftest"} or part.startswith("test_") or part.endswith("_test")
        for part in module.__name__.split(".")
    )


def _distinct(found: Iterable[MetaData]) -> tuple[MetaData, ...]:
    return tuple({id(metadata): metadata for metadata in found}.values())


def _not_metadata(spec: str, found: object, origin: Origin) -> ConfigError:
    what = f"the class {found.__qualname__}" if isinstance(found, type) else f"of type {type(found).__qualname__}"
    return ConfigError(
        f"{spec!r} has no metadata; it is {what}",
        where=origin.where(spec),
        why="tables are created from a MetaData object",
        remedy=f"name a declarative base or a MetaData object, for instance {origin.example!r}",
    )


def _no_tables(spec: str, origin: Origin) -> SchemaError:
    module, _, name = spec.strip().partition(":")
    unloaded = [f"{beside}:{name}" for beside in _unloaded_models(module)]
    example = f", for instance {unloaded[0]!r}" if unloaded else ""
    return SchemaError(
        f"the metadata of {spec!r} has no tables",
        where=origin.where(spec),
        why="a table appears when the module of its model is imported, and no model module was imported",
        remedy=f"name the base through a module that imports all models{example}\nor import the models in conftest.py",
    )


def _unloaded_models(module: str) -> list[str]:
    """Return modules beside one that look like models and were not imported."""
    package = sys.modules[module].__package__
    if not package:
        return []
    home = importlib.util.find_spec(package)
    names = [
        f"{package}.{found.name}" for found in pkgutil.iter_modules(home.submodule_search_locations if home else [])
    ]
    return [name for name in names if "model" in name.rpartition(".")[2] and name not in sys.modules]
