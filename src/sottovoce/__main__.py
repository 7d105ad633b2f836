"""`python -m sottovoce`: the command line."""

import sys

from sottovoce.cli import main

sys.exit(main())
