"""The folder that `stoplint run` puts first on PYTHONPATH: the interpreter finds its `sitecustomize` there."""
