"""What grew and what shrank."""

from __future__ import annotations

from harness.observe.facts import Request
from harness.queries.counts import Count, counts_of, growth, shrunk
from harness.queries.shapes import key_of
from harness.queries.statements import Queries
from tests.support.queries import query, request

_USERS, _ORDERS = "SELECT users.id FROM users", "SELECT orders.id FROM orders WHERE user_id = ?"


def sent(came: Request, *statements: str) -> Queries:
    """What one request sent."""
    return Queries([query(sql, request=came) for sql in statements], [came])


def test_each_sender_is_counted() -> None:
    """Requests to one route together, a request without statements too, and the test itself."""
    first, second, third = request("GET /users"), request("GET /health"), request("GET /users")
    queries = Queries(
        [query(_USERS, request=first), query(_USERS), query(_USERS, request=third), query(_ORDERS, request=third)],
        [first, second, third],
    )

    assert [
        Count(request="GET /users", times=2, shapes={key_of(_USERS): 2, key_of(_ORDERS): 1}),
        Count(request="GET /health", times=1, shapes={}),
        Count(request="the test itself", times=1, shapes={key_of(_USERS): 1}),
    ] == counts_of(queries)


def test_a_count_survives_the_way_to_another_process() -> None:
    """Also with its number of queries, which a reader of the file looks at."""
    (count,) = counts_of(sent(request(), _USERS, _ORDERS, _ORDERS))

    assert count == Count.from_wire(count.to_wire())
    assert 3 == count.to_wire()["queries"]


def test_as_many_or_fewer_are_no_growth() -> None:
    """Not even with other statements than before: the number is the budget."""
    recorded = counts_of(sent(request(), _USERS, _ORDERS))

    assert growth(sent(request(), _USERS, _ORDERS), recorded) is None
    assert growth(sent(request(), _ORDERS), recorded) is None
    assert growth(sent(request(), _ORDERS, "SELECT 1"), recorded) is None


def test_growth_names_what_is_new_what_is_more_and_what_is_gone() -> None:
    """With the SQL of what came; only the name of what went is known."""
    recorded = counts_of(sent(request(), _USERS, _ORDERS, "DELETE FROM a"))
    told = growth(sent(request(), _USERS, _ORDERS, _ORDERS, _ORDERS, "SELECT b FROM c"), recorded)

    assert told is not None
    assert [
        "GET /users: 5 queries, 3 recorded",
        "  3 × SELECT FROM orders, 1 recorded",
        "      SELECT orders.id FROM orders WHERE user_id = :p1;",
        "  new: 1 × SELECT FROM c",
        "      SELECT b FROM c;",
        "  gone: DELETE FROM a, 1 recorded",
    ] == told.splitlines()


def test_a_request_that_is_not_recorded_has_grown_from_nothing() -> None:
    """In a test that is recorded."""
    told = growth(sent(request("GET /orders"), _ORDERS), counts_of(sent(request("GET /users"), _USERS)))

    assert told is not None
    assert told.startswith("GET /orders: 1 query, none recorded\n  new: 1 × SELECT FROM orders")


def test_more_requests_are_said() -> None:
    """The test has changed, not the endpoint."""
    one, two = request(), request()
    queries = Queries([query(_USERS, request=one), query(_USERS, request=two)], [one, two])
    told = growth(queries, counts_of(sent(request(), _USERS)))

    assert told is not None
    assert told.startswith("GET /users: 2 queries, 1 recorded, in 2 requests instead of 1")


def test_what_shrank_is_told_by_sender() -> None:
    """Also one that sends nothing any more."""
    recorded = [*counts_of(sent(request("GET /a"), _USERS, _USERS)), *counts_of(sent(request("GET /b"), _USERS))]

    assert ["GET /a 2 → 1", "GET /b 1 → 0"] == shrunk(counts_of(sent(request("GET /a"), _ORDERS)), recorded)
