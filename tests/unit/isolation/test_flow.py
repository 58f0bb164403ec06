"""Who descends from whom, among tests, requests, tasks and threads."""

from __future__ import annotations

import asyncio
import threading

from harness.isolation.flow import TEST, Flow, current_flow, request_flow, running_test


def test_relations() -> None:
    """A line of descent is related in both directions; siblings and cousins are not."""
    root = Flow("root")
    left, right = Flow("left", root), Flow("right", root)
    leaf = Flow("leaf", left)

    assert root.related(leaf)
    assert leaf.related(root)
    assert leaf.related(leaf)
    assert not left.related(right)
    assert not leaf.related(right)


def test_the_main_thread_is_the_test() -> None:
    """Whatever runs outside of tasks and requests."""
    assert TEST is current_flow()


def test_a_thread_is_a_child_of_the_test() -> None:
    """And two threads are siblings."""
    flows: list[Flow] = []
    threads = [threading.Thread(target=lambda: flows.append(current_flow()), name=name) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = flows

    assert first.related(TEST)
    assert not first.related(second)
    assert not first.alive


def test_a_request_is_a_child_of_its_sender_until_it_ends() -> None:
    """Nested requests nest."""
    with request_flow("GET /a") as outer:
        assert outer is current_flow()
        with request_flow("GET /b") as inner:
            assert inner.related(outer)
        assert outer is current_flow()
        assert inner.ended
    assert TEST is current_flow()
    assert not outer.alive


def test_gathered_tasks_are_siblings_and_children_of_their_starter() -> None:
    """Each task is one flow, however often it is asked."""

    async def flow() -> Flow:
        found = current_flow()
        await asyncio.sleep(0)
        assert found is current_flow()
        return found

    async def main() -> tuple[Flow, Flow, Flow]:
        mine = current_flow()
        first, second = await asyncio.gather(flow(), flow())
        return mine, first, second

    mine, first, second = asyncio.run(main())

    assert mine.related(first)
    assert mine.related(second)
    assert not first.related(second)
    assert not first.alive


def test_the_task_that_runs_the_test_is_the_test() -> None:
    """Plugins run coroutine tests in a task of theirs, which is not a flow of its own."""

    async def test() -> Flow:
        return current_flow()

    with running_test(test.__code__):
        assert TEST is asyncio.run(test())
    assert TEST is not asyncio.run(test())


def test_a_thread_started_by_a_request_is_its_child() -> None:
    """A synchronous route runs in a worker thread with the request's context."""
    import contextvars

    found: list[Flow] = []
    with request_flow("GET /a") as flow:
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: context.run(lambda: found.append(current_flow())))
        thread.start()
        thread.join()

    assert [flow] == found
