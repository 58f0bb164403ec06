"""The place in the user's own code."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable

from harness import callsite
from harness.callsite import CallSite, current_place, is_users, nearest_user_frame, outermost_place


def find_of_a_library() -> Callable[..., CallSite | None]:
    """The function as a library would call it, from a frame that is nobody's."""
    space: dict[str, object] = {"nearest_user_frame": nearest_user_frame}
    exec("def find(*_): return nearest_user_frame()", space)
    find = space["find"]
    assert callable(find)
    made: Callable[..., CallSite | None] = find
    return made


def noting(seen: list[object], find: Callable[..., object]) -> Callable[[], None]:
    """A callback without a frame of the user's."""
    space: dict[str, object] = {"seen": seen, "find": find}
    exec("def note(): seen.append(find())", space)
    note = space["note"]
    assert callable(note)
    made: Callable[[], None] = note
    return made


def test_libraries_harness_and_generated_code_are_not_the_users() -> None:
    """What is installed, what is harness, and what has no file."""
    import pytest

    assert not is_users(json.__file__)
    assert not is_users(pytest.__file__)
    assert not is_users(callsite.__file__)
    assert not is_users("<string>")
    assert not is_users("<frozen importlib._bootstrap>")


def test_a_file_of_the_project_is_the_users(tmp_path: os.PathLike[str]) -> None:
    """Wherever it lies."""
    assert is_users(os.path.join(tmp_path, "shop", "main.py"))


def test_the_innermost_user_frame_is_found_through_libraries(tmp_path: os.PathLike[str]) -> None:
    """A callback from a library leads to the user's line below it."""
    path = os.path.join(tmp_path, "shop.py")
    source = "def outer(find):\n    return sorted([1], key=lambda _: inner(find)) and found\n\n"
    source += "def inner(find):\n    found.append(find())\n    return 1\n\nfound = []\n"
    space: dict[str, object] = {}
    exec(compile(source, path, "exec"), space)
    outer = space["outer"]
    assert callable(outer)
    (site,) = outer(nearest_user_frame)

    assert (path, 5, "inner") == (site.path, site.line, site.function)
    assert str(site).endswith("shop.py:5 in inner")


def test_the_outermost_user_frame_is_that_where_it_all_comes_from(tmp_path: os.PathLike[str]) -> None:
    """It is looked for up to the same bottom as the innermost one."""
    path = os.path.join(tmp_path, "jobs.py")
    source = "def task(find):\n    return helper(find)\n\ndef helper(find):\n    return find()\n"
    space: dict[str, object] = {"outermost_place": outermost_place}
    exec(compile(source, path, "exec"), space)
    bottom = os.path.join(os.path.dirname(callsite.__file__), "observe", "asgi.py")
    exec(compile("def request(): return task(outermost_place)", bottom, "exec"), space)
    request = space["request"]
    assert callable(request)

    assert ("task", 2) == (lambda code, line: (code.co_name, line))(*request())


def test_a_request_ends_the_search_whatever_its_code_remembers_of_its_folder(tmp_path: os.PathLike[str]) -> None:
    """Code that is loaded from a cache remembers the folder by another name: `../harness`, or a link to it."""
    harness = os.path.dirname(callsite.__file__)
    linked = os.path.join(tmp_path, "linked")
    os.symlink(harness, linked)
    for folder in (harness, os.path.join(harness, "..", "harness"), linked):
        space: dict[str, object] = {"current_place": current_place}
        asgi = os.path.join(folder, "observe", "asgi.py")
        exec(compile("def request(): return current_place()", asgi, "exec"), space)
        request = space["request"]
        assert callable(request)

        assert request() is None
    assert current_place() is not None


def test_a_greenlet_leads_to_the_coroutine_that_awaits_it(tmp_path: os.PathLike[str]) -> None:
    """SQLAlchemy's async extension runs the driver in a greenlet, where no user frame is on the stack."""
    import asyncio

    path = os.path.join(tmp_path, "service.py")
    source = "async def work(spawn, find):\n    return await spawn(find)\n"
    space: dict[str, object] = {}
    exec(compile(source, path, "exec"), space)
    from sqlalchemy.util import greenlet_spawn

    work = space["work"]
    assert callable(work)
    site = asyncio.run(work(greenlet_spawn, find_of_a_library()))

    assert (path, 2) == (site.path, site.line)


def test_sqlite3_callbacks_do_not_confuse_it(tmp_path: os.PathLike[str]) -> None:
    """Frames below C code are seen as well."""
    path = os.path.join(tmp_path, "sql.py")
    source = "def run(connection):\n    return connection.execute('SELECT f()').fetchone()\n"
    space: dict[str, object] = {}
    exec(compile(source, path, "exec"), space)
    seen: list[object] = []
    find = find_of_a_library()
    connection = sqlite3.connect(":memory:")
    connection.create_function("f", 0, noting(seen, find))
    run = space["run"]
    assert callable(run)
    run(connection)
    connection.close()

    assert str(seen[0]).endswith("sql.py:2 in run")
