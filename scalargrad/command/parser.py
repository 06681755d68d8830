"""Parse a formula as people write it: `2x`, `sin²x`, `|x|`, `√x`, `e^x`; what may mean two things is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from .calls import CallReader
from .functions import CALLABLE, CONSTANTS
from .reader import COMPARISONS, PRODUCTS, ROOTS
from .syntax import Call, Compare, List, Name, Node, Number, Statement
from .tokens import tokens

__all__ = ["Parser"]

DEEPEST = 100
SUMS = {"+": "add", "-": "sub"}
CLOSES = {"(": ")", "[": "]", "{": "}"}


class Parser(CallReader):
    """Read a formula from left to right. `statements()` returns its parts."""

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
