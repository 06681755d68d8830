"""Move through the tokens of a formula, and refuse what cannot stand at a place."""

from __future__ import annotations

from typing import NoReturn

from .tokens import ExpressionError, Token, tokens

__all__ = ["COMPARISONS", "PRODUCTS", "ROOTS", "Reader"]

PRODUCTS = {"*": "mul", "/": "div", "//": "floordiv", "%": "mod"}
ROOTS = {"√": "sqrt", "∛": "cbrt"}
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class Reader:
    """The tokens of a formula, and the place that has been read up to."""

    def __init__(self, text: str, found: list[Token] | None = None) -> None:
        self.text = text
        self.tokens = tokens(text) if found is None else found
        self.place = 0

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.place]

    @property
    def following(self) -> Token:
        """The token after the next one."""
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def is_at(self, *signs: str) -> bool:
        """Return whether the next token is one of these signs."""
        return self.token.kind == "sign" and self.token.text in signs

    def take(self) -> Token:
        """Read the next token."""
        token = self.token
        self.place += 1
        return token

    def touches(self) -> bool:
        """Return whether nothing stands between the last token and this one."""
        return self.place > 0 and self.tokens[self.place - 1].end == self.token.start

    def refuse(self, message: str, at: int | None = None, end: int | None = None) -> NoReturn:
        """Raise `ExpressionError` with carets from `at` to `end`, by default below the next token."""
        start = self.token.start if at is None else at
        width = (end - start) if end else max(1, self.token.end - self.token.start) if at is None else 1
        raise ExpressionError(message, self.text, start, width)

    def expect(self, sign: str, opened: Token) -> Token:
        """Read the sign that closes what `opened` opens."""
        if not self.is_at(sign):
            what = f"{opened.text!r} is opened here and not closed" if self.token.kind == "end" else ""
            if what:
                self.refuse(f"{what}; write {sign!r} where it ends", opened.start)
            self.unexpected(f"{sign!r} must come first")
        return self.take()

    def unexpected(self, reason: str = "") -> NoReturn:
        """Refuse the next token, with what to write instead of it."""
        token = self.token
        after = f"; {reason}" if reason else ""
        if token.kind == "end":
            self.refuse(f"the formula ends where a number, a name or a function must follow{after}")
        if token.text == ",":
            self.refuse("a comma separates the arguments of a function; write 1.5 for a decimal number")
        if token.text == "=":
            self.refuse("'=' names a part, as in t = x^2; to compare, write ==, as in where(x == 2, 1, 0)")
        if token.text in COMPARISONS:
            self.refuse(f"{token.text!r} compares, and only where does so: where(x > 0, x, 0)")
        if token.text == "[":
            self.refuse("square brackets hold the numbers of a list, as in max([x, y]); did you mean parentheses?")
        self.refuse(f"{token.text!r} cannot stand here{after}; a number, a name or a function must come first")
