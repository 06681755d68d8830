"""`python -m scalargrad` is the command `scalargrad`."""

import sys

from .command import main

sys.exit(main())
