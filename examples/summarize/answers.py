"""The first answer runs into `max_tokens`; asked to go on, the model writes the rest."""

from stoplint.testing import text, truncated

ANSWERS = [
    truncated("The launch moves from 2 May to 14 May. Support gets two more people by June, but who pays"),
    text(" for them is open until the board meets on Friday."),
]
