"""250 tests that would meet each other's rows if anything of any of them stayed."""

import pytest


@pytest.mark.parametrize("n", range(250))
def test_commits(client, n):
    assert client.get("/users").json() == []
    assert client.post("/users/cleo").status_code == 201
    assert client.get("/users").json() == ["cleo"]
