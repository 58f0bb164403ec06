"""What harness finds in an example fails the test once, after its last example; a breach fails the example itself."""

from __future__ import annotations

import json

from tests.support.projects import Project
from tests.support.properties import run_properties, write_properties


def test_a_finding_fails_the_test_once(project: Project) -> None:
    """hypothesis sees no failure, so it shrinks nothing; the finding counts the examples it arose in."""
    source = """
        ran = []

        @settings(max_examples=40)
        @given(number=st.integers())
        def test_it(client, number):
            ran.append(number)
            assert client.post("/forgetful/ann").status_code == 200

        def test_all_ran():
            assert len(ran) == 40
    """
    write_properties(project, source).ini("harness_app = shop.main:app")
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("# harness: allow[H201] tests show that it is lost", ""))
    result = project.run("-p", "hypothesispytest", "--harness-report=json:found.json")

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("harness: 1 finding in this test: H201", "write never committed")
    assert "Falsifying" not in result.text
    assert "Failing test case" not in result.text
    findings = json.loads((project.path / "found.json").read_text())["findings"]
    assert [40] == [finding["count"] for finding in findings if finding["code"] == "H201"]


def test_an_expectation_is_met_by_any_example(project: Project) -> None:
    """The marker's `expect` and `allow` look at the whole test."""
    run_properties(
        project,
        """
        @pytest.mark.harness(expect=["H201"])
        @given(bad=st.booleans())
        def test_it(client, bad):
            client.post("/forgetful/ann" if bad else "/users/ann")
        """,
    ).assert_passed(1)


def test_a_transaction_left_open_fails_its_example(project: Project) -> None:
    """hypothesis shrinks it like any failure, and later examples are none the worse."""
    result = run_properties(
        project,
        """
        import threading
        kept = []

        def leave_open(name):
            session = SessionLocal()
            session.add(User(name=name))
            session.flush()
            kept.append(session)

        last = []

        @given(number=st.integers())
        def test_it(client, number):
            last[:] = [number]
            assert client.get("/users").json() == []
            if number > 17:
                thread = threading.Thread(target=leave_open, args=("ann",))
                thread.start()
                thread.join()

        def test_next(client):
            assert last == [18]
            assert client.get("/users").json() == []
        """,
    )

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("a transaction was still open at the end of the example")


def test_the_report_counts_what_all_examples_did(project: Project) -> None:
    """Requests and statements of each, and a timeline of the last one only."""
    result = run_properties(
        project,
        """
        @settings(max_examples=40)
        @given(number=st.integers())
        def test_it(client, number):
            client.get("/users")
        """,
        "--harness-report=json:found.json",
        "--harness-report=html:found.html",
    )

    result.assert_passed(1)
    assert 40 == json.loads((project.path / "found.json").read_text())["counts"]["requests"]
    assert "GET /users" in (project.path / "found.html").read_text()
