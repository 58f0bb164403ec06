"""Engines that are made while a request is handled: each has a pool of its own, and nobody closes it."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from harness.callsite import current_place
from harness.clock import now
from harness.observe.incidents import EngineBirth
from harness.observe.recorder import CURRENT, Recorder


def note_birth(recorder: Recorder, engine: Engine) -> None:
    """Note an engine that has just been made, if a request is being handled."""
    request = CURRENT.get()
    if request is not None and request.ended is None:
        url = engine.url.render_as_string(hide_password=True)
        recorder.tape.engines.append(EngineBirth(url, now(), current_place(), request))
