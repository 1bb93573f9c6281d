"""A ticket that fits, one that runs into `max_tokens` in the middle of its JSON, and a refusal."""

from stoplint.testing import refusal, text, truncated

ANSWERS = [
    text('{"title": "Cannot log in", "priority": "high", "steps": ["Reset the password"]}'),
    truncated('{"title": "Everything is slow", "priority": "normal", "steps": ["Look at the load", "Ask which pa'),
    refusal("cyber"),
]
