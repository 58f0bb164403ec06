"""Which tests a finding fails, in which phase, and what their failure says."""

from __future__ import annotations

import pytest

from tests.support.guilty import ERROR, INFO, NOTHING, WARNING, document, each_test, found, guilty
from tests.support.projects import Project

BLOCK = (
    "H201 write never committed (error): 1 write (INSERT INTO users) of POST /lose/{name} → 200 was discarded",
    "  where shop/main.py:29 in lose",
    "        POST /lose/{name} → 200",
    "  seen  INSERT INTO users was sent here at shop/main.py:29 in lose",
    "  why   in production the data is lost",
    "  fix   commit before the response is sent: session.commit()",
    '  allow `@pytest.mark.harness(allow=["H201"])` on the test, or `# harness: allow[H201] reason` on that line',
    "  more  pytest --harness-explain H201",
)


def test_an_error_fails_the_test_it_arose_in_and_no_other(project: Project) -> None:
    """With the whole block, without a walk through anybody's code, and with the code in pytest's own last lines."""
    result = each_test(guilty(project), good=NOTHING, bad=ERROR).run()

    assert (1, 1, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says(*BLOCK, "FAILED test_it.py::test_bad - Failed: harness: 1 finding in this test: H201")
    assert "Traceback" not in result.text
    assert "harness/run" not in result.text


def test_two_findings_are_two_blocks_of_one_failure(project: Project) -> None:
    """Nobody mends one to meet the next."""
    result = each_test(guilty(project, "harness_fail_on = warning"), bad=f"{ERROR}; {WARNING}").run()

    assert 1 == result.failed, result.text
    result.assert_says(
        "test_bad - Failed: harness: 2 findings in this test: H201, H202", "H202 changed attributes", *BLOCK
    )


def test_what_several_requests_of_a_test_meet_is_one_block_that_tells_how_often(project: Project) -> None:
    """Six requests to one wrong endpoint are one mistake."""
    result = each_test(guilty(project), bad=f'{ERROR}; client.post("/lose/eve"); client.post("/lose/kim")').run()

    assert 1 == result.failed, result.text
    result.assert_says("test_bad - Failed: harness: 1 finding in this test: H201", "test_it.py::test_bad (met 3 times)")
    told, _, _ = result.text.partition("short test summary info")  # which under CI repeats the whole message
    assert 1 == told.count("  where shop/main.py:29 in lose"), result.text
    assert [3] == [finding["count"] for finding in document(project)["findings"] if finding["code"] == "H201"]


@pytest.mark.parametrize(
    ("fail_on", "failed"), [("error", ["error"]), ("warning", ["error", "warning"]), ("never", [])]
)
def test_the_option_says_what_fails(project: Project, fail_on: str, failed: list[str]) -> None:
    """What does not is found, summarised and reported all the same; an info never fails."""
    guilty(project, f"harness_fail_on = {fail_on}")
    result = each_test(project, error=ERROR, warning=WARNING, info=INFO).run()

    assert (bool(failed), len(failed), 3 - len(failed)) == (result.code, result.failed, result.passed), result.text
    assert [] == [name for name in failed if f"FAILED test_it.py::test_{name} " not in result.text], result.text
    assert {"H201", "H202", "H207"} <= {code for code, _ in found(project)}
    result.assert_says("H201 write never committed (1 error in 1 test)", "H202 changed attributes")


def test_an_error_that_arises_again_fails_each_of_its_tests(project: Project) -> None:
    """And is one finding, counted."""
    result = each_test(guilty(project), one=ERROR, two=ERROR).run()

    assert 2 == result.failed, result.text
    result.assert_says("H201 write never committed (1 error in 2 tests)", "(in 2 tests)")
    assert 1 == [code for code, _ in found(project)].count("H201")


def test_a_test_that_fails_by_itself_shows_what_was_found_in_a_section(project: Project) -> None:
    """Its own failure stays the failure."""
    result = each_test(guilty(project), bad=f"{ERROR}; assert 1 == 2").run()

    assert (1, 1) == (result.code, result.failed), result.text
    result.assert_says("FAILED test_it.py::test_bad - assert 1 == 2", "harness findings", *BLOCK)


@pytest.mark.parametrize(
    ("mark", "outcome", "code"),
    [
        ("xfail", "1 xfailed", 0),
        ("xfail(strict=True)", "1 xfailed", 0),
        ("xfail(raises=ValueError)", "1 failed", 1),
        ("skip", "1 skipped", 0),
    ],
)
def test_marks_of_pytest_keep_their_meaning(project: Project, mark: str, outcome: str, code: int) -> None:
    """A test that is expected to fail may fail by a finding; one that is skipped meets none."""
    guilty(project).write(
        test_it=f"import pytest\n\n@pytest.mark.{mark}\ndef test_it(client):\n    {ERROR}\n",
    )
    result = project.run()

    assert code == result.code, result.text
    result.assert_says(outcome)
    assert (mark != "skip") == ("H201" in {code for code, _ in found(project)})


def test_skipping_in_the_middle_stays_a_skip(project: Project) -> None:
    """Nothing is asserted by such a test; what it met is told and fails nothing."""
    result = each_test(guilty(project), it=f"{ERROR}; pytest.skip('enough')").run()

    assert 0 == result.code, result.text
    result.assert_says("1 skipped", "H201 write never committed")


@pytest.mark.parametrize("does", [ERROR, NOTHING])
def test_a_unittest_test_case_is_judged_like_a_function(project: Project, does: str) -> None:
    """With the client from a fixture, as pytest's manual shows it."""
    guilty(project).write(
        test_it=f"""
            import unittest
            import pytest

            class TestShop(unittest.TestCase):
                @pytest.fixture(autouse=True)
                def _client(self, client):
                    self.client = client

                def test_it(self):
                    client = self.client
                    {does}
        """
    )
    result = project.run()

    assert (does == ERROR) == bool(result.failed) == bool(result.code), result.text
    if does == ERROR:
        result.assert_says("FAILED test_it.py::TestShop::test_it", *BLOCK)


def test_a_request_in_a_fixture_belongs_to_the_test_that_it_is_set_up_for(project: Project) -> None:
    """It fails that test."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def stock(client):
                {ERROR}

            def test_bad(stock): pass
            def test_good(client): {NOTHING}
        """
    )
    result = project.run()

    assert (1, 1, 1, 0) == (result.code, result.passed, result.failed, result.errors), result.text
    result.assert_says("FAILED test_it.py::test_bad", *BLOCK)


def test_what_a_fixture_met_that_then_failed_is_told(project: Project) -> None:
    """The error stays the fixture's."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def stock(client):
                {ERROR}
                raise ValueError("out of stock")

            def test_bad(stock): pass
            def test_good(client): {NOTHING}
        """
    )
    result = project.run()

    assert (1, 1, 0, 1) == (result.code, result.passed, result.failed, result.errors), result.text
    result.assert_says("ERROR test_it.py::test_bad - ValueError: out of stock", "H201 write never committed (1 error")


def test_a_request_in_a_finalizer_fails_the_teardown(project: Project) -> None:
    """As pytest reports everything that goes wrong after a test; the test itself has passed."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def stock(client):
                yield
                {ERROR}

            def test_bad(stock): pass
            def test_good(client): {NOTHING}
        """
    )
    result = project.run()

    assert (1, 2, 0, 1) == (result.code, result.passed, result.failed, result.errors), result.text
    result.assert_says("ERROR test_it.py::test_bad - Failed: harness: 1 finding in this test: H201", *BLOCK)


@pytest.mark.parametrize("phase", ["", "yield"])
def test_a_marker_holds_in_every_phase(project: Project, phase: str) -> None:
    """Before the test's function, in it and after it."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def stock(client):
                {phase}
                {ERROR}

            @pytest.mark.harness(allow=["H201"])
            def test_it(stock): pass
        """
    )
    project.run().assert_passed(1)

    assert ("H201", "marker") in found(project)
    assert "H901" not in {code for code, _ in found(project)}


def test_async_tests_are_judged_too(project: Project) -> None:
    """Under pytest-asyncio and anyio."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.mark.asyncio
            async def test_one(async_client):
                await async_{ERROR}

            @pytest.mark.anyio
            @pytest.mark.parametrize("anyio_backend", ["asyncio"])
            async def test_two(async_client):
                await async_{ERROR}
        """
    )
    result = project.run_apart()

    assert (1, 2) == (result.code, result.failed), result.text
    result.assert_says(*BLOCK)
