"""Find the project's FastAPI application by reading its source, without importing anything.

Only the usual files are read (``main.py``, ``app.py``, …), in the root, in ``src`` and in the folders one level below
either. Importing would run the project's code before the user's environment is ready; reading does not.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILES = ("main", "app", "api", "asgi", "application", "server", "factory", "__init__")
_NEVER = {"test", "tests", "testing", "docs", "examples", "env", "venv", "build", "dist", "node_modules"}


def discover_app(root: Path) -> str | None:
    """Return the reference of the only FastAPI application in the usual places below a folder; None without any.

    Raises:
        AppError: when there are several; the message lists them.
    """
    modules = {name: _read(name, path) for name, path in _files(root)}
    built = {f"{name}:{app}" for name, module in modules.items() for app in module.apps}
    factories = {f"{name}:{factory}" for name, module in modules.items() for factory in module.factories}
    called = {call.callee for module in modules.values() for call in module.calls if call.callee in factories}
    built |= {call.target for module in modules.values() for call in module.calls if call.callee in factories}
    mounted = {app for module in modules.values() for app in module.mounted}
    candidates = sorted((built | (factories - called)) - mounted)
    if len(candidates) > 1:
        raise _several(candidates, root)
    return candidates[0] if candidates else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """``target = callee()`` at the top level; both are references."""

    target: str
    callee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """What one file says about applications."""

    apps: list[str] = field(default_factory=list)
    factories: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    mounted: list[str] = field(default_factory=list)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield module name and path of each file worth reading."""
    source = root / "src"
    folders = [root, *_packages(root)]
    if source.is_dir():
        folders += [source, *_packages(source)]
    for folder in folders:
        for name in _FILES:
            path = folder / f"{name}.py"
            if path.is_file() and not (folder == root and name == "__init__"):
                yield _module_name(path, root), path


def _packages(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and _may_hold_app(path))


def _may_hold_app(folder: Path) -> bool:
    name = folder.name
    return name.isidentifier() and name.lower() not in _NEVER | {"src"} and not (folder / "pyvenv.cfg").exists()


def _module_name(path: Path, root: Path) -> str:
    parts = list(path.relative_to(root).with_suffix("").parts)
    if parts[0] == "src" and not _is_package(root / "src", path):
        del parts[0]
    if parts[-1] == "__init__":
        del parts[-1]
    return ".".join(parts)


def _is_package(source: Path, path: Path) -> bool:
    """Tell whether ``src`` is part of module names: it is a package, or the file itself imports from it."""
    if (source / "__init__.py").exists():
        return True
    imported = [node for node in ast.walk(_parse(path)) if isinstance(node, ast.ImportFrom | ast.Import)]
    names = [
        name
        for node in imported
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    ]
    return any(name.partition(".")[0] == "src" for name in names)


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):  # not ours to complain about: nobody said that this file is the app
        return ast.Module(body=[], type_ignores=[])


def _read(name: str, path: Path) -> _Module:
    tree = _parse(path)
    imports = _imports(tree, name, is_package=path.stem == "__init__")
    module = _Module()
    statements = list(_statements(tree.body))
    for node in statements:
        if isinstance(node, ast.FunctionDef) and _builds_app(node, imports):
            module.factories.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            _note_assignment(node, node.value, imports, name, module)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "mount":
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            module.mounted.extend(
                _reference(argument.id, imports, name) for argument in arguments if isinstance(argument, ast.Name)
            )
    return module


def _note_assignment(
    node: ast.Assign | ast.AnnAssign, value: ast.Call, imports: dict[str, str], name: str, module: _Module
) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if not isinstance(target, ast.Name):
            continue
        if _is_fastapi(value.func, imports):
            module.apps.append(target.id)
        elif isinstance(value.func, ast.Name):
            callee = _reference(value.func.id, imports, name)
            module.calls.append(_Call(target=f"{name}:{target.id}", callee=callee))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the top-level statements, also those under ``if`` and ``try``."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _statements(node.body)
            yield from _statements(getattr(node, "orelse", []))


def _imports(tree: ast.Module, name: str, *, is_package: bool) -> dict[str, str]:
    """Map each imported name to ``module:name``, or to ``module:`` for an imported module."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({(alias.asname or alias.name): f"{alias.name}:" for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            kept = parts[: len(parts) - node.level + is_package] if node.level else []
            module = ".".join(filter(None, (*kept, node.module)))
            found.update({(alias.asname or alias.name): f"{module}:{alias.name}" for alias in node.names})
    return found


def _reference(local: str, imports: dict[str, str], name: str) -> str:
    return imports.get(local, f"{name}:{local}")


def _is_fastapi(node: ast.expr | None, imports: dict[str, str]) -> bool:
    if isinstance(node, ast.Name):
        return imports.get(node.id, "") in {"fastapi:FastAPI", "fastapi.applications:FastAPI"}
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr == "FastAPI":
        return imports.get(node.value.id) == "fastapi:"
    return isinstance(node, ast.Constant) and node.value == "FastAPI"


def _builds_app(node: ast.FunctionDef, imports: dict[str, str]) -> bool:
    """Tell whether a function can be called without arguments and says, or shows, that it returns a FastAPI."""
    required = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
    if required or any(default is None for default in node.args.kw_defaults) or node.decorator_list:
        return False
    if _is_fastapi(node.returns, imports):
        return True
    made = {
        target.id
        for statement in ast.walk(node)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        for target in statement.targets
        if isinstance(target, ast.Name) and _is_fastapi(statement.value.func, imports)
    }
    returned = [statement.value for statement in ast.walk(node) if isinstance(statement, ast.Return)]
    return any(
        (isinstance(value, ast.Name) and value.id in made)
        or (isinstance(value, ast.Call) and _is_fastapi(value.func, imports))
        for value in returned
    )


def _several(candidates: list[str], root: Path) -> AppError:
    listed = "\n".join(f"harness_app = {candidate}" for candidate in candidates)
    return AppError(
        f"{len(candidates)} FastAPI applications were found, and none was chosen",
        where=str(root),
        why="harness tests one application, and does not guess which",
        remedy=f"choose one in [tool.pytest.ini_options]:\n{listed}",
    )
