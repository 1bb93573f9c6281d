"""`python -m stoplint`."""

from stoplint.cli import main

main()
