"""Files and examples that type checkers read: code of users passes `mypy --strict` and pyright."""
