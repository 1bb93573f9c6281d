"""The same as hooks.py with the SDK's own tracing switched off: every span is the tracer's."""

from __future__ import annotations

import os
import sys

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"

from hooks import start

if __name__ == "__main__":
    sys.exit(start())
