"""x"""
from __future__ import annotations
import pytest
from tests.support.projects import Project

@pytest.mark.parametrize("kind", ["sync","async"])
def test_smoke(project: Project, kind: str) -> None:
    """x"""
    project.app(kind).ini("harness_app = shop.main:app").write(test_it='''
        import pytest
        @pytest.mark.parametrize("n", [1, 2])
        def test_add(client, n):
            assert client.post("/users/ann").status_code == 201
            assert client.post("/users/ann").status_code == 409
            client.post("/forgetful/bob")
            client.post("/later/eve")
            assert client.get("/users").json() == ["ann", "eve"]
            assert client.get("/born").json() == "in lifespan"
    ''')
    result = project.run("-v")
    result.assert_passed(2)
    print(result.text)
