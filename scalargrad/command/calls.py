"""Read names and calls: `sin(x)`, `sin x`, `sin²x`, `max(x, y)`, `where(x > 0, x, y)`."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .functions import ALIASES, CALLABLE, CONSTANTS, ONE_ARGUMENT, unknown_function
from .reader import PRODUCTS, ROOTS, Reader
from .syntax import Call, Compare, List, Name, Node, Number, excerpt
from .tokens import ExpressionError, Token

__all__ = ["CallReader"]

LETTERS = ("σ", "Γ", "ψ")  # a name unless a parenthesis follows


class CallReader(Reader):
    """Read what begins with a name, and make the nodes. The parser above it reads the operators."""

    def __init__(self, text: str, found: list[Token] | None = None) -> None:
        super().__init__(text, found)
        self.depth = 0
        self.bars = 0  # how many |…| are open

    if TYPE_CHECKING:

        def comparison(self) -> Node: ...
        def sum(self) -> Node: ...
        def factor(self) -> Node: ...
        def superscript(self) -> Node: ...
        def group(self) -> Node: ...
        def is_operand(self) -> bool: ...

    def named(self) -> Node:
        token = self.token
        name = self._word(token)
        if name == r"\frac":
            return self.fraction()
        function = ALIASES.get(name, name)
        if function not in CALLABLE and self.following.text == "(":
            lower = ALIASES.get(name.lower(), name.lower())
            function = lower if lower in CALLABLE else function
        self.take()
        if self.is_at("("):
            if function in CALLABLE:
                return self.arguments(function, token)
            if name not in CONSTANTS:
                raise ExpressionError(unknown_function(name), self.text, token.start, token.end - token.start)
        elif function in ONE_ARGUMENT and name not in LETTERS:
            found = self.powered(function, token) or self.bare(function, token)
            if found:
                return found
        return Name(token.start, token.end, name)

    def _word(self, token: Token) -> str:
        if keyword.iskeyword(token.text):
            hint = "write where(x > 0, x, 0)" if token.text in ("if", "else") else "choose another name"
            self.refuse(f"{token.text!r} is a word of Python's and has no meaning here; {hint}", token.start, token.end)
        return token.text

    def fraction(self) -> Node:
        start = self.take()
        parts = []
        for _ in range(2):
            if not self.is_at("{"):
                self.refuse(r"\frac needs two parts in braces: \frac{x}{y}")
            parts.append(self.group())
        return self.call("div", *parts, start=start.start)

    def powered(self, function: str, token: Token) -> Node | None:
        """Read sin²(x) or sin^2 x, the square of the sine; return None if no argument follows."""
        back = self.place
        if self.token.kind == "superscript":
            exponent = self.superscript()
        elif self.is_at("**"):
            self.take()
            sign = self.take() if self.is_at("-") else None
            if not (self.token.kind in ("number", "name") or self.is_at("(", "{")):
                self.unexpected()
            exponent = self.group() if self.is_at("(", "{") else self._simple()
            exponent = self.call("neg", exponent, start=sign.start) if sign else exponent
        else:
            return None
        called = self.arguments(function, token) if self.is_at("(") else self.bare(function, token)
        if called is None:
            self.place = back
            return None
        if isinstance(exponent, Call) and exponent.function == "neg":
            inverse = f"a{function}(x)" if f"a{function}" in CALLABLE else "its inverse"
            self.refuse(
                f"{function} with a negative power may be its inverse or its reciprocal: did you mean {inverse} or "
                f"1/{function}(x)?",
                token.start,
                token.end,
            )
        return self.call("pow", called, exponent)

    def _simple(self) -> Node:
        token = self.take()
        return self._number(token) if token.kind == "number" else Name(token.start, token.end, self._word(token))

    def arguments(self, function: str, token: Token) -> Node:
        opened = self.take()
        bars, self.bars = self.bars, 0
        args: list[Node] = []
        named: dict[str, Node] = {}
        while not self.is_at(")"):
            if self.token.kind == "name" and self.following.text == "=" and function != "where":
                name = self.take().text
                self.take()
                if name in named:
                    self.refuse(f"{name} is given twice")
                named[name] = self.number(self.sum())
            else:
                args.append(self.comparison() if function == "where" and not args else self.sum())
            if not self.is_at(","):
                break
            self.take()
        self.bars = bars
        closed = self.expect(")", opened)
        if function == "where":
            self.check_where(args, named, token)
        return Call(token.start, closed.end, function, tuple(args), named)

    def check_where(self, args: Sequence[Node], named: dict[str, Node], token: Token) -> None:
        if len(args) != 3 or named:
            self.refuse(
                "where takes three arguments, a comparison and what to use if it holds and if not: where(x > 0, x, 0)",
                token.start,
                token.end,
            )
        if not isinstance(args[0], Compare):
            source = self.source(args[0])
            self.refuse(f"where needs a comparison such as x > 0, not {source!r}", args[0].start, args[0].end)

    def bare(self, function: str, token: Token) -> Node | None:
        """Read the argument of sin x, sin 2πx or ln|x|; return None if no argument follows."""
        if not (
            self.token.kind in ("number", "name") or self.is_at("{", *ROOTS) or (self.is_at("|") and not self.bars)
        ):
            return None
        parts = [self.factor()]
        while isinstance(parts[-1], Number) or (isinstance(parts[-1], Name) and parts[-1].name in CONSTANTS):
            if self.token.kind != "name" or ALIASES.get(self.token.text, self.token.text) in CALLABLE:
                break
            parts.append(self.factor())
        argument = parts[0]
        for part in parts[1:]:
            argument = self.call("mul", argument, part)
        self.check_bare_end(function, argument)
        return self.call(function, argument, start=token.start)

    def check_bare_end(self, function: str, argument: Node) -> None:
        """Refuse sin x/2 and sin x y: the argument may end here or go on."""
        following = self.following if self.is_at(*PRODUCTS) else self.token
        is_function = following.kind == "name" and ALIASES.get(following.text, following.text) in CALLABLE
        goes_on = self.is_at(*PRODUCTS) or (self.token.kind == "name") or self.is_at("(")
        if goes_on and not is_function:
            x, sign = self.source(argument), self.token.text if self.is_at(*PRODUCTS) else "*"
            after = following.text if following.text != "(" else "(…)"
            message = f"the argument of {function} may end here or go on: did you mean {function}({x}){sign}{after} "
            self.refuse(f"{message}or {function}({x}{sign}{after})?")

    # ---- making nodes ----
    def call(self, function: str, *args: Node, start: int | None = None, end: int | None = None) -> Call:
        """Return the node of an operator or a function of numbers."""
        for arg in args:
            self.number(arg)
        return Call(args[0].start if start is None else start, args[-1].end if end is None else end, function, args)

    def number(self, node: Node) -> Node:
        """Return a node that stands for a number; refuse a list."""
        if isinstance(node, List):
            message = "several numbers in place of one; a list is an argument, as in max([x, y])"
            self.refuse(message, node.start, node.end)
        return node

    def source(self, node: Node) -> str:
        """Return the text of a node, shortened."""
        return excerpt(self.text, node)

    def _number(self, token: Token) -> Number:
        value = float(token.text)
        if value == float("inf"):
            self.refuse("this number is too large for a float, which ends at 1.8e308", token.start, token.end)
        return Number(token.start, token.end, value)
