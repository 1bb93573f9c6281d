"""Two look-ups, one after the other, then an answer that is longer than the limit; asked to go on, the model ends it."""

from stoplint.testing import text, tool_use, truncated

ANSWERS = [
    text("Let me look.") + tool_use("get_order", {"number": "1042"}),
    tool_use("get_shipment", {"number": "S-77"}),
    truncated("Your kettle and two cups left on Monday and are in Lyon now. They arrive on Thursday"),
    text(", provided that customs clear them by Wednesday."),
]
