"""Comments `# harness: allow[…]`: which lines each of them holds for, and what is wrong with one."""

from __future__ import annotations

from textwrap import dedent

import pytest

from harness.gate.comments import read

#: `<` marks lines for which the only comment must hold, `!` those for which it must not.
CASES = {
    "on the line": """
        def f():
            a()  #!
            b()  # harness: allow[H301] legacy  #<
            c()  #!
    """,
    "above the line": """
        def f():
            a()  #!
            # harness: allow[H301] legacy
            b()  #<
            c()  #!
    """,
    "above the line, among other comments": """
        def f():
            # harness: allow[H301] legacy
            # as long as the old driver is there
            b()  #<
            c()  #!
    """,
    "not above an empty line": """
        def f():
            # harness: allow[H301] legacy

            b()  #!
    """,
    "beside the line before": """
        def f():
            a()  # harness: allow[H301] legacy  #<
            b()  #!
    """,
    "at the end of a statement of several lines": """
        def f():
            b(  #<
                1,  #<
            )  # harness: allow[H301] legacy  #<
            c()  #!
    """,
    "within a statement of several lines": """
        def f():
            b(  #<
                # harness: allow[H301] legacy
                1,  #<
            )
            c()  #!
    """,
    "on the def": """
        @decorator  #<
        def f():  # harness: allow[H301] legacy  #<
            a()  #<
            if a():
                b()  #<

        def g():  #!
            a()  #!
    """,
    "on a decorator": """
        @decorator  # harness: allow[H301] legacy  #<
        @another
        async def f():  #<
            a()  #<
    """,
    "above a decorator": """
        a()  #!
        # harness: allow[H301] legacy
        @decorator  #<
        def f():
            a()  #<
    """,
    "between decorator and def": """
        @decorator  #<
        # harness: allow[H301] legacy
        def f():
            a()  #<
    """,
    "at the end of a signature of several lines": """
        def f(
            db=Depends(get_db),  #<
        ):  # harness: allow[H301] legacy  #<
            a()  #<
    """,
    "first in a function's body": """
        def f():  #!
            # harness: allow[H301] legacy
            a()  #<
            b()  #!
    """,
    "on the function around": """
        def f():  # harness: allow[H301] legacy  #<
            def g():  #<
                a()  #<
    """,
    "on a function inside": """
        def f():  #!
            def g():  # harness: allow[H301] legacy  #<
                a()  #<
            b()  #!
    """,
    "on a class": """
        class A:  # harness: allow[H301] legacy
            def f(self):  #!
                a()  #!
    """,
    "on a method": """
        class A:
            def f(self):  # harness: allow[H301] legacy  #<
                a()  #<
            def g(self):  #!
                a()  #!
    """,
    "on a loop": """
        def f():
            for x in a():  # harness: allow[H301] legacy  #<
                b()  #!
    """,
    "above a loop": """
        def f():
            # harness: allow[H301] legacy
            for x in a():  #<
                b()  #!
    """,
    "on a match": """
        match a():  # harness: allow[H301] legacy  #<
            case 1:  #!
                b()  #!
    """,
    "on a case": """
        match a():  #!
            case 1:  # harness: allow[H301] legacy  #<
                b()  #!
    """,
    "on the line of an except": """
        try:
            a()  #!
        except b():  # harness: allow[H301] legacy  #<
            c()  #!
    """,
    "at the end of a text of several lines": '''
        def f():
            a("""  #<
                select 1
            """)  # harness: allow[H301] legacy  #<
    ''',
    "in the module": """
        a()  # harness: allow[H301] legacy  #<
        b()  #!
    """,
    "beside another tool's comment": """
        a()  # noqa: E501  # harness: allow[H301] legacy  #<
        b()  #!
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_the_lines_for_which_a_comment_holds(name: str) -> None:
    """The statement at which it stands, or the function."""
    text = dedent(CASES[name]).lstrip()
    source = read(text)
    lines = text.splitlines()

    for mark, holds in (("<", True), ("!", False)):
        for number, line in enumerate(lines, 1):
            if line.endswith(f"#{mark}"):
                assert holds == bool(list(source.holding(number))), f"line {number}: {line}"


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# harness: allow[H301] reason", ("H301",)),
        ("# harness: allow[H301]", ("H301",)),
        ("#harness:allow[H301]", ("H301",)),
        ("# Harness: Allow [H301]", ("H301",)),
        ("# harness: allow[H301,H404] reason", ("H301", "H404")),
        ("# harness: allow[ H301, H404 ]", ("H301", "H404")),
        ("# harness: allow[H301 H404]", ("H301", "H404")),
        ("# harness: allow[H3]", ("H3",)),
    ],
)
def test_the_forms_of_a_comment(comment: str, codes: tuple[str, ...]) -> None:
    """One code or several; spaces and capitals do not matter."""
    (found,) = read(f"a()  {comment}\n").comments

    assert (codes, "") == (found.codes, found.wrong)


@pytest.mark.parametrize(
    ("comment", "wrong"),
    [
        ("# harness: allow", "names no rule"),
        ("# harness: allow[]", "names no rule"),
        ("# harness: allow[ ]", "names no rule"),
        ("# harness: allow H301", "names no rule"),
        ("# harness: allow[H301", "is not closed by ]"),
        ("# harness: ignore[H301]", "does not know 'ignore'"),
    ],
)
def test_a_comment_that_names_no_rule_is_wrong(comment: str, wrong: str) -> None:
    """Whoever wrote it believes that it holds."""
    (found,) = read(f"a()  {comment}\n").comments

    assert ((), wrong) == (found.codes, found.wrong)


@pytest.mark.parametrize(
    "text",
    [
        "a('# harness: allow[H301]')\n",
        '"""\n# harness: allow[H301]\n"""\n',
        "a()  # the harness: it is made of leather\n",
        "a()  # harness: see the README\n",
        "a()  # allow[H301]\n",
        "{% if x %}  # harness: allow[H301]\n",
        "a(  # harness: allow[H301]\n",
        "",
    ],
)
def test_what_is_no_comment_to_harness(text: str) -> None:
    """Text in strings, sentences to others, and what is not Python."""
    assert () == read(text).comments


def test_a_files_own_warnings_are_not_raised_again() -> None:
    """They were told when it was imported; where warnings are errors, its comments would be lost."""
    assert read("a('\\d')  # harness: allow[H301]\n").comments


def test_the_function_of_a_comment() -> None:
    """As call sites name it; a comment above a function belongs to it."""
    source = read("# harness: allow[H301]\ndef f(): ...\nclass A:\n    if a:\n        def g(self): ...\n    b = 1\n")

    assert ["f", "f", "A", "A.g", "A"] == [source.function_at(line) for line in (1, 2, 3, 5, 6)]
