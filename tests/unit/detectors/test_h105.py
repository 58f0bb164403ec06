"""H105: a background task uses the session of its request."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.detectors.sharing.session_in_background_task import detect
from harness.observe.facts import Origin, Phase
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def background(origin: Origin = Origin.APPLICATION, *, closed: bool = False, closed_again: bool = True) -> Story:
    """A request that hands its session to a background task; with scope="function" it is closed by then."""
    story = Story()
    request = story.request("POST /orders")
    db = story.session(request, origin=origin)
    story.sql(db, "SELECT * FROM orders")
    story.respond(request, 201)
    if closed:
        story.close(db)
    story.phase(request, Phase.BACKGROUND)
    story.sql(db, "UPDATE orders SET sent = ?", at="app/jobs.py:9 notify")
    db.background.append(story.use(request))
    story.phase(request, Phase.TEARDOWN)
    if closed_again:
        story.close(db)
    story.end(request)
    return story


def test_the_use_in_the_task_is_reported() -> None:
    """Where the task used it, and whose session it is."""
    (finding,) = found(background())

    assert [
        "H105 a background task of POST /orders used the session from get_db: 1 statement @ app/jobs.py:9 in notify"
    ] == told([finding])
    assert Severity.WARNING == finding.severity
    assert [
        "the task used the session here @ app/jobs.py:9 in notify",
        "the session from get_db was made here @ app/db.py:8 in get_db",
    ] == shown(finding)


def test_it_is_told_at_the_task_however_deep_in_its_services_the_session_was_used() -> None:
    """The task's own function is what has to change."""
    story = background()
    (use,) = story.tape.sessions[0].background
    use.root = story.use(None, at="app/tasks.py:4 send_receipt").place

    (finding,) = found(story)
    assert "app/tasks.py:4 in send_receipt" == str(finding.site)
    assert "the task used the session here @ app/jobs.py:9 in notify" in shown(finding)


def test_a_session_that_the_task_begins_again_for_good_is_an_error() -> None:
    """Its dependency has closed it, nobody closes it again, and its connection is lost."""
    (finding,) = found(background(closed=True, closed_again=False))

    assert Severity.ERROR == finding.severity
    assert (
        "it had been closed here, and the task began it again; nothing closes it any more @ app/db.py:10 in get_db"
        == shown(finding)[-1]
    )


def test_a_session_of_the_tasks_own_is_right() -> None:
    """It was made in the background phase."""
    story = Story()
    request = story.request("POST /orders")
    story.respond(request, 201)
    story.phase(request, Phase.BACKGROUND)
    db = story.session(request, at="app/jobs.py:8 notify")
    story.sql(db, "UPDATE orders SET sent = ?")
    db.background.append(story.use(request))
    story.close(db)
    story.end(request)

    assert [] == found(story)


def test_a_session_that_was_only_closed_after_the_task_is_right() -> None:
    """It was there; nobody used it."""
    story = background()
    story.tape.sessions[0].background.clear()

    assert [] == found(story)


def test_a_session_of_the_test_is_not_reported() -> None:
    """Production may give the task another one."""
    assert [] == found(background(Origin.TEST))
