"""`import stoplint.auto` at the top of an application starts the tracer.

Nothing heavy is imported here: the tracer waits for the application to import `anthropic`.  Without OpenTelemetry, or
without a tracer provider, turns and findings go to a local file, which `stoplint report` reads.
"""

from stoplint.trace import runtime as _runtime

_runtime.start()
