"""One answer runs into `max_tokens`; the next breaks off because the connection ends, which raises nothing in the SDK."""

from stoplint.testing import cut_stream, text, truncated

ANSWERS = [
    truncated("In Burgundy, on the plateau of Langres, from springs that belong to the city of"),
    cut_stream(text("It flows into the English Channel at Le Havre, opposite Honfleur."), after_events=5),
]
