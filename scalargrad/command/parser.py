"""Parse a formula as people write it: `2x`, `sin²x`, `|x|`, `√x`, `e^x`; what may mean two things is refused."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from .functions import ALIASES, CALLABLE, CONSTANTS, ONE_ARGUMENT, unknown_function
from .reader import COMPARISONS, Reader
from .syntax import Call, Compare, List, Name, Node, Number, Statement, excerpt
from .tokens import ExpressionError, Token, tokens

__all__ = ["Parser"]

DEEPEST = 100
SUMS = {"+": "add", "-": "sub"}
PRODUCTS = {"*": "mul", "/": "div", "//": "floordiv", "%": "mod"}
ROOTS = {"√": "sqrt", "∛": "cbrt"}
LETTERS = ("σ", "Γ", "ψ")  # a name unless a parenthesis follows
CLOSES = {"(": ")", "[": "]", "{": "}"}


class Parser(Reader):
    """Read a formula from left to right. `statements()` returns its parts."""

    def __init__(self, text: str, found: list[Token] | None = None) -> None:
        super().__init__(text, found)
        self.depth = 0
        self.bars = 0  # how many |…| are open

    # ---- statements ----
    def statements(self) -> list[Statement]:
        """Return the statements of the whole text."""
        found = []
        while self.token.kind != "end":
            if self.is_at(";"):
                self.take()
                continue
            found.append(self.statement())
            if self.token.kind != "end" and not self.is_at(";"):
                self.unexpected()
        return found

    def statement(self) -> Statement:
        start = self.token
        name = ""
        if start.kind == "name" and (self.following.text == "=" or self._defines()):
            name = self._word(start)
            while not self.is_at("="):  # y = …, or f(x) = …
                self.take()
            self.take()
        formula = self.number(self.sum())
        return Statement(start.start, formula.end, name, formula)

    def _defines(self) -> bool:
        """Return whether `f(x, y) =` stands here."""
        texts = [token.text for token in self.tokens[self.place + 1 :]]
        if texts[0] != "(" or ")" not in texts or self.token.text in CALLABLE:
            return False
        close = texts.index(")")
        return texts[close + 1 : close + 2] == ["="] and all(
            token.kind == "name" or token.text == "," for token in self.tokens[self.place + 2 : self.place + 1 + close]
        )

    # ---- operators, from the loosest to the tightest ----
    def comparison(self) -> Node:
        sides, operators = [self.sum()], []
        while self.is_at(*COMPARISONS):
            operators.append(self.take().text)
            sides.append(self.sum())
        if not operators:
            return sides[0]
        return Compare(sides[0].start, sides[-1].end, tuple(operators), tuple(map(self.number, sides)))

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"the formula is nested deeper than {DEEPEST} levels; name its parts, as in t = x^2; sin(t)")
        left = self.product()
        while self.is_at(*SUMS):
            left = self.call(SUMS[self.take().text], left, self.product())
        self.depth -= 1
        return left

    def product(self) -> Node:
        left, divided = self.signed(), False
        while True:
            if self.is_at(*PRODUCTS):
                operator = self.take().text
                divided = operator != "*"
                left = self.call(PRODUCTS[operator], left, self.signed())
            elif self.is_operand():
                if divided and isinstance(left, Call):
                    self.refuse_quotient(left)
                left = self.call("mul", left, self.factor())
            else:
                return left

    def refuse_quotient(self, quotient: Call) -> NoReturn:
        at, x, y = self.token.start, *map(self.source, quotient.args)
        sign = self.text[quotient.args[0].end : quotient.args[1].start].strip(" ()") or "/"
        z = self.source(self.factor())
        message = f"a product without a sign after {sign!r}: did you mean ({x} {sign} {y})*{z} or {x} {sign} ({y}*{z})?"
        self.refuse(message, at)

    def is_operand(self) -> bool:
        """Return whether a factor begins here, as in 2x. Refuse a number: x2 and 3 4 have no one meaning."""
        token = self.token
        if token.kind == "number":
            before = self.tokens[self.place - 1]
            x = before.text if before.kind in ("number", "name") else "(…)"
            self.refuse(f"a number after {before.text!r}: did you mean {x}*{token.text} or {x}^{token.text}?")
        if token.kind == "name":
            return True
        return self.is_at("(", "{", *ROOTS) or (self.is_at("|") and not self.bars)

    def signed(self) -> Node:
        signs = []
        while self.is_at(*SUMS):
            signs.append(self.take())
        found = self.factor()
        for sign in reversed(signs):
            found = self.call("neg" if sign.text == "-" else "pos", found, start=sign.start)
        return found

    def factor(self) -> Node:
        base = self.atom()
        if self.token.kind == "superscript":
            base = self.call("pow", base, self.superscript())
        if not self.is_at("**"):
            return base
        self.take()
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"the powers are nested deeper than {DEEPEST} levels; name their parts")
        is_number = self.token.kind == "number"
        exponent = self.signed()
        self.depth -= 1
        is_constant = isinstance(base, Number) or (isinstance(base, Name) and base.name in CONSTANTS)
        if is_number and is_constant and isinstance(exponent, Number) and self.touches() and self.is_operand():
            b, n = self.source(base), self.source(exponent)
            at = self.token.start
            z = self.source(self.factor())
            self.refuse(f"the exponent may be {n} or {n}{z}: did you mean {b}^({n}*{z}) or {b}^{n}*{z}?", at)
        return self.call("pow", base, exponent)

    def superscript(self) -> Node:
        token = self.take()
        inner = [part._replace(start=token.start, end=token.end) for part in tokens(token.text)]
        parser = Parser(self.text, inner)
        exponent = parser.number(parser.sum())
        if parser.token.kind != "end":
            parser.unexpected()
        return exponent

    # ---- what operators join ----
    def atom(self) -> Node:
        token = self.token
        if token.kind == "number":
            return self._number(self.take())
        if token.kind == "name":
            return self.named()
        if self.is_at("(", "[", "{"):
            return self.group()
        if self.is_at("|"):
            return self.bar()
        if not self.is_at(*ROOTS):
            self.unexpected()
        return self.root()

    def _number(self, token: Token) -> Number:
        value = float(token.text)
        if value == float("inf"):
            self.refuse("this number is too large for a float, which ends at 1.8e308", token.start, token.end)
        return Number(token.start, token.end, value)

    def group(self) -> Node:
        opened = self.take()
        bars, self.bars = self.bars, 0
        items: list[Node] = []
        is_list = opened.text == "["
        while not self.is_at(CLOSES[opened.text]):
            items.append(self.sum())
            if not self.is_at(","):
                break
            self.take()
            is_list = True
        self.bars = bars
        closed = self.expect(CLOSES[opened.text], opened)
        if is_list:
            return List(opened.start, closed.end, tuple(items))
        if not items:
            self.refuse("there is nothing between the parentheses", opened.start, closed.end)
        return replace(items[0], start=opened.start, end=closed.end)

    def bar(self) -> Node:
        opened = self.take()
        self.bars += 1
        inside = self.sum()
        if not self.is_at("|"):
            self.refuse("'|' is opened here and not closed; write |x| or abs(x)", opened.start)
        self.bars -= 1
        return self.call("abs", inside, start=opened.start, end=self.take().end)

    def root(self) -> Node:
        sign = self.take()
        is_bare = self.token.kind in ("number", "name")
        inside = self.atom()
        is_bare = is_bare and not isinstance(inside, Call)
        if is_bare and (self.is_at("**") or self.token.kind == "superscript" or self.is_operand()):
            x, rest = self.source(inside), self.text[self.token.start : self.token.start + 1]
            self.refuse(
                f"the root may end here or go on: did you mean {sign.text}({x}){rest}… or {sign.text}({x}{rest}…)?"
            )
        return self.call(ROOTS[sign.text], inside, start=sign.start)

    # ---- names and functions ----
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
            message = "several numbers stand where one must; a list is an argument, as in max([x, y])"
            self.refuse(message, node.start, node.end)
        return node

    def source(self, node: Node) -> str:
        """Return the text of a node, shortened."""
        return excerpt(self.text, node)
