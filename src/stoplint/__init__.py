"""stoplint: finds and watches code that ignores why Claude stopped."""

__version__ = "0.1.0"
