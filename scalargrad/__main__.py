"""`python -m scalargrad` is the command `scalargrad`."""

import sys

from .cli import main

sys.exit(main())
