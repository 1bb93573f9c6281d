"""Two look-ups, one after the other, then an answer that is longer than the limit."""

from stoplint.testing import text, tool_use, truncated

ANSWERS = [
    text("Let me look.") + tool_use("get_order", {"number": "1042"}),
    tool_use("get_shipment", {"number": "S-77"}),
    truncated("Your kettle and two cups left on Monday and are in Lyon now. They arrive on Thursday"),
]
