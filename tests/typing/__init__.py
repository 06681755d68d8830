"""Files and examples that type checkers read: what users write passes `mypy --strict` and pyright."""
