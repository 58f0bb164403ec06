"""H406: an engine is made for each request.

Both layers name the call that makes the engine, and have no subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.callsite import CallSite, Place
from harness.detectors import signs
from harness.detectors.finding import Endpoint, Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, EngineMade
from harness.observe.facts import site
from harness.observe.incidents import EngineBirth
from harness.observe.tape import Tape

RULE = Rule(
    code="H406",
    name="engine created per request",
    severity=Severity.ERROR,
    what="A dependency or endpoint makes an engine each time it runs, instead of using one that is made once.",
    why=(
        "every engine has a pool of its own: each request connects anew, and the pools of finished requests keep their "
        "connections until the server has none left"
    ),
    fix="make the engine once, when the module is imported or the application starts",
    wrong="""
        def get_db():
            engine = create_engine(URL)
            with Session(engine) as db:
                yield db
    """,
    right="""
        engine = create_engine(URL)

        def get_db():
            with Session(engine) as db:
                yield db
    """,
    quiet=(
        "an engine that the first request makes and that is kept: in a global name, an attribute, a cache",
        "engines for different URLs, as one for each tenant",
        "an endpoint that tries out the URL that it is sent, or disposes of the engine itself",
    ),
    graph=True,
)
SIGNS = signs.RARE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding where two requests of a test made an engine on the same line, for the same URL."""
    births: dict[tuple[str, Place | None], list[EngineBirth]] = defaultdict(list)
    for birth in tape.engines:
        births[birth.url, birth.place].append(birth)
    for (_, place), made in births.items():
        requests = list(dict.fromkeys(birth.request for birth in made))
        if len(requests) > 1:
            last = requests[-1]
            yield Finding(
                rule=RULE,
                message=f"{len(requests)} requests made {len(made)} engines for one URL, from {requests[0]} to {last}",
                site=site(place),
                endpoint=Endpoint(last.method, last.route or last.path, last.status),
                evidence=tuple(Evidence(f"{birth.request} made an engine", site(birth.place)) for birth in made[:3]),
            )


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line that makes an engine whenever its dependency or endpoint runs."""
    told: set[CallSite] = set()
    for dependency in graph.dependencies:
        for made in dependency.function.engines if dependency.function else ():
            if made.site not in told:
                told.add(made.site)
                yield _read(dependency.short, "on each request that needs it", made)
    for endpoint in graph.endpoints:
        for made in endpoint.function.engines:
            if made.site not in told and not (made.from_parameters or made.disposed):
                told.add(made.site)
                yield _read(endpoint.function.short, "on each request", made)


def _read(name: str, when: str, made: EngineMade) -> Finding:
    return Finding(
        rule=RULE,
        message=f"{name} calls {made.maker} {when}",
        site=made.site,
        graph=True,
    )
