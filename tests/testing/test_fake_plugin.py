"""The fixture `fake_messages` in test runs of other projects."""

from __future__ import annotations

pytest_plugins = ["pytester"]

HEADER = """
from stoplint.testing import text

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
"""


def outcomes(pytester, body):
    pytester.makepyfile(HEADER + body)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_a_script_that_fits(pytester):
    result = outcomes(
        pytester,
        """
def test_it(fake_messages):
    fake_messages.add(text("Hi"))
    assert fake_messages.client().messages.create(**PARAMS).stop_reason == "end_turn"
""",
    )
    result.assert_outcomes(passed=1)


def test_left_over_answers_are_an_error(pytester):
    result = outcomes(
        pytester,
        """
def test_it(fake_messages):
    fake_messages.add(text("Hi"))

def test_allowed(fake_messages):
    fake_messages.add(text("Hi")).allow_unused = True
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*AssertionError: fake Messages API: 1 scripted answer(s) were never asked for*"])


def test_a_request_too_many_is_an_error_even_when_the_program_swallows_it(pytester):
    result = outcomes(
        pytester,
        """
def test_it(fake_messages):
    try:
        fake_messages.client().messages.create(**PARAMS)
    except Exception:
        pass
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the script is used up: after 0 answer(s) came POST /v1/messages*"])


def test_the_fixture_is_documented(pytester):
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["fake_messages*", "*A scripted Messages API without a script*"])
