"""One small pure function a rule, in a module of the same name: an event in, a report or None out.

The annotation of its parameter says which event a rule is asked about.  The page of the same name in `rules/` is the
registry entry, the documentation and the tests.
"""
