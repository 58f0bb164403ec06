"""Resolve what a user wrote as ``pkg.module:name``, and explain every way in which that can fail.

A reference is wrong in four ways: it is not written like one, its module does not exist, its module raises when it is
imported, or the module has no such attribute. Each is told apart here, so that ``harness_app``, ``harness_get_db`` and
``harness_metadata`` complain in the same words.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import pkgutil
import re
import sys
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.errors import HarnessError

_PASSWORD = re.compile(r"(://[^:/@\s]+):[^@\s]+@")


def _nothing(_module: ModuleType) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where references of one sort are written, and how to complain about them.

    Args:
        option: the option that holds the reference, as the user writes it.
        example: a well-formed reference of this sort.
        error: the class of the complaint.
        offers: what a module has to offer instead of a name it lacks, one phrase each.
    """

    option: str
    example: str
    error: type[HarnessError]
    offers: Callable[[ModuleType], Sequence[str]] = _nothing

    def where(self, spec: str) -> str:
        """Say which option holds the reference."""
        return f"{self.option} = {spec!r}"


def resolve(spec: str, origin: Origin) -> Any:
    """Import the module of a reference and return the object it names.

    Raises:
        HarnessError: of the class ``origin.error``, when the reference does not lead to an object.
    """
    module_name, path = split(spec, origin)
    found: Any = _import(module_name, spec, origin)
    for position, name in enumerate(path):
        try:
            found = getattr(found, name)
        except AttributeError as cause:
            raise _missing_attribute(found, path[: position + 1], module_name, spec, origin) from cause
    return found


def split(spec: str, origin: Origin) -> tuple[str, tuple[str, ...]]:
    """Split a reference into its module and the dotted path of its name."""
    module_name, colon, path = spec.strip().partition(":")
    names = tuple(path.split("."))
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *names)):
        raise _malformed(spec, origin)
    return module_name, names


def user_line(error: BaseException) -> str | None:
    """Return ``file:line in function`` of the innermost frame that is neither a library's nor harness's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename)}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_users_file(frame.filename):
            return f"{relative(frame.filename)}:{frame.lineno} in {frame.name}"
    return None


def is_users_file(filename: str) -> bool:
    """Tell whether a file belongs to the project, rather than to Python, an installed package or harness."""
    if filename.startswith("<"):
        return False
    path = Path(filename)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    libraries = (sysconfig.get_path("stdlib"), str(Path(__file__).parents[1]))
    return not any(path.is_relative_to(library) for library in libraries)


def relative(filename: str) -> str:
    """Shorten a file name to the working directory when it lies below it."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def told(error: BaseException) -> str:
    """Return the type and message of an exception, without the passwords of URLs."""
    message = _PASSWORD.sub(r"\1:***@", str(error)).strip()
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def near(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that a reader may have meant, nearest first."""
    return difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.6)


def _import(name: str, spec: str, origin: Origin) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as cause:
        if cause.name is None or not f"{name}.".startswith(f"{cause.name}."):
            raise _raised(name, cause, spec, origin) from cause
        raise _missing_module(name, cause.name, spec, origin) from cause
    except (Exception, SystemExit) as cause:
        raise _raised(name, cause, spec, origin) from cause


def _malformed(spec: str, origin: Origin) -> HarnessError:
    written = spec.strip()
    remedy = f"write it as package.module:name, for instance {origin.example!r}"
    module_name = written.partition(":")[0]
    if "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removeprefix("./").removesuffix(".py").replace("/", ".")
        remedy += f"\na module is named with dots, not as a file: {dotted!r}"
    elif ":" not in written and "." in written:
        module_name, _, name = written.rpartition(".")
        remedy += f"\nwith a colon before the last name, it would be {f'{module_name}:{name}'!r}"
    return origin.error(
        f"{spec!r} is not a reference to an object in a module", where=origin.where(spec), remedy=remedy
    )


def _missing_module(name: str, missing: str, spec: str, origin: Origin) -> HarnessError:
    parent, _, leaf = missing.rpartition(".")
    package = sys.modules.get(parent)
    if package is None:
        why = "no folder on sys.path holds it; first are " + ", ".join(map(repr, sys.path[:3]))
        siblings = [module.name for module in pkgutil.iter_modules()]
    else:
        home = getattr(package, "__path__", None)
        if home is None:
            why = f"{parent!r} is a module, not a package: {relative(package.__file__ or '?')}"
        else:
            why = f"package {parent!r} was found in {', '.join(map(relative, home))}"
        siblings = [module.name for module in pkgutil.iter_modules(home or ())]
    full = [f"{parent}.{match}" if parent else match for match in near(leaf, siblings)]
    rest = name.removeprefix(missing)
    remedies = [f"did you mean {' or '.join(repr(match + rest) for match in full)}?"] if full else []
    if package is None:
        remedies.append(_path_remedy(missing))
    elif not full:
        remedies.append(f"modules of {parent!r}: {', '.join(sorted(siblings)) or 'none'}")
    return origin.error(
        f"module {missing!r} does not exist" if package is not None else f"module {missing!r} cannot be found",
        where=origin.where(spec),
        why=why,
        remedy="\n".join(remedies),
    )


def _path_remedy(package: str) -> str:
    """Say which folder to put on the path, when the package is found near the working directory."""
    for folder in (".", "src", *_folders(Path.cwd())):
        place = Path.cwd() / folder / package
        if place.is_dir() or place.with_suffix(".py").is_file():
            return (
                f"{relative(str(place))} exists, but {folder!r} is not on sys.path: "
                f'set pythonpath = ["{folder}"] in [tool.pytest.ini_options]'
            )
    return (
        "put the folder that holds it on sys.path: pythonpath in [tool.pytest.ini_options], relative to rootdir,\n"
        "or install the project: pip install -e ."
    )


def _folders(root: Path) -> list[str]:
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _raised(name: str, cause: BaseException, spec: str, origin: Origin) -> HarnessError:
    remedies = [f'see it alone with: python -c "import {name}"']
    if isinstance(cause, ModuleNotFoundError):
        remedies.insert(0, f"install {cause.name!r}, or correct the import")
    elif isinstance(cause, KeyError) or "valid" in type(cause).__name__.lower():
        remedies.insert(
            0, "if it reads its database URL from the environment, name the variable in harness_url_env (or NAME=async)"
        )
    return origin.error(
        f"importing {name!r} raised {told(cause)}",
        where="\n".join(filter(None, (user_line(cause), origin.where(spec)))),
        why="the module must be importable on its own before a test can use it",
        remedy="\n".join(remedies),
    )


def _missing_attribute(holder: Any, path: Sequence[str], module_name: str, spec: str, origin: Origin) -> HarnessError:
    name = path[-1]
    where = origin.where(spec)
    dotted = ".".join((module_name, *path))
    if isinstance(holder, ModuleType) and hasattr(holder, "__path__") and importlib.util.find_spec(dotted):
        offered = origin.example.partition(":")[2]
        return origin.error(
            f"{dotted!r} is a module, not an object in one",
            where=where,
            remedy=f"name an object of that module: {f'{dotted}:{offered}'!r}, for instance",
        )
    label = f"module {module_name!r}" if isinstance(holder, ModuleType) else f"{module_name}:{'.'.join(path[:-1])}"
    matches = near(name, (known for known in dir(holder) if not known.startswith("__")))
    offers = list(origin.offers(holder)) if isinstance(holder, ModuleType) else []
    remedies = [f"did you mean {' or '.join(map(repr, matches))}?"] if matches else []
    remedies += [f"it has {', '.join(offers)}"] if offers else []
    return origin.error(
        f"{label} has no attribute {name!r}",
        where="\n".join(filter(None, (where, relative(getattr(holder, "__file__", None) or "")))),
        remedy="\n".join(remedies) or f"name something that {label} defines, for instance {origin.example!r}",
    )
