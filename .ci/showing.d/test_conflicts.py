"""250 tests on rows that their module has made once."""

import pytest


@pytest.mark.parametrize("n", range(250))
def test_conflicts(client, known, n):
    assert client.post("/users/ann").status_code == 409
    assert client.post("/users/cleo").status_code == 201
    assert client.get("/users").json() == [*known, "cleo"]
