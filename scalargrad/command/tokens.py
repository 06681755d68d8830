"""Split a formula into tokens: numbers, names and signs, in the spellings that people and LaTeX use."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

__all__ = ["ExpressionError", "Token", "canonical", "printable", "tokens"]

SHOWN = 64  # the width of the excerpt above a caret
SAME = {
    **dict.fromkeys("−–—‒", "-"),
    **dict.fromkeys("·×⋅∙∗•", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **{"^": "**", "∣": "|", "≤": "<=", "≥": ">=", "≠": "!=", "√": "√", "∛": "∛"},
}
"""The signs of one character, beside ASCII's, and what each is read as."""
LATEX = {
    **dict.fromkeys(("cdot", "times", "ast"), "*"),
    **dict.fromkeys(("le", "leq"), "<="),
    **dict.fromkeys(("ge", "geq"), ">="),
    **{"div": "/", "ne": "!=", "lvert": "|", "rvert": "|", "vert": "|"},
    **dict.fromkeys(("left", "right", "quad", "operatorname", "mathrm", "displaystyle"), ""),
}
NUMBER = re.compile(r"(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?", re.ASCII)
SIGN = re.compile(r"\*\*|//|<=|>=|==|!=|[-+*/%()\[\]{},;=<>|\n]")
COMMAND = re.compile(r"\\([a-zA-Z]+|[,;!: ])")
OPENING, CLOSING = ("(", "[", "{"), (")", "]", "}")
SUBSCRIPT = re.compile(r"_\{(\w+)\}")
REPLACED = {
    ":": "write / to divide",
    "'": "a formula has no text in quotes and no primes",
    '"': "a formula has no text in quotes",
    "!": "there is no factorial; write a product",
    "°": "angles are in radians; write x*pi/180",
    ".": "a name has no dot: write sin(x), not math.sin(x)",
    "∞": "infinity is not a number to compute with here",
    "&": "only comparisons such as 0 < x < 1 join conditions",
    "@": "write dot([x, y], [u, v]) for a product of vectors",
}


class ExpressionError(ValueError):
    """Say what is wrong with a formula or its inputs: `str()` in one line, `shown()` with a caret below the place."""

    def __init__(self, message: str, text: str = "", at: int | None = None, width: int = 1) -> None:
        super().__init__(message)
        self.text, self.at, self.width = text, at, width

    def shown(self) -> str:
        """Return the message, and the line of the formula with a caret below the place, if there is one."""
        message = printable(str(self))
        if self.at is None:
            return message
        start = self.text.rfind("\n", 0, self.at) + 1
        stop = (self.text + "\n").index("\n", self.at)
        first = max(start, min(self.at - SHOWN // 2, stop - SHOWN))
        last = min(stop, first + SHOWN)
        before = ("…" if first > start else "") + printable(self.text[first : self.at])
        after = printable(self.text[self.at : last]) + ("…" if last < stop else "")
        carets = "^" * max(1, min(self.width, last - self.at))
        return f"{message}\n  {before}{after}\n  {' ' * columns(before)}{carets}"


class Token(NamedTuple):
    """A piece of a formula: its kind, what it is read as, and where it stands in the text."""

    kind: str  # number, name, sign, superscript, end
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a formula, with one of kind `end` at the end.

    Raises `ExpressionError` for a character that has no meaning in a formula.

    >>> [token.text for token in tokens("2x² − π")]
    ['2', 'x', '2', '-', 'pi', '']
    """
    text = "".join(map(_narrow, text))
    found: list[Token] = []
    place = depth = 0
    while place < len(text):
        token = _token(text, place)
        place = token.end
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if token.text == "\n":  # a line ends a statement, except in brackets
            token = token._replace(text="" if depth > 0 else ";")
        if token.text:
            found.append(token)
    return [*found, Token("end", "", len(text), len(text))]


def _token(text: str, place: int) -> Token:
    """Return the token at a place; one without text for what means nothing, such as a space."""
    character = text[place]
    if character in "$ \t\r\u200b\u2060\ufeff" or (character.isspace() and character != "\n"):
        return Token("sign", "", place, place + 1)
    if character == "#":
        return Token("sign", "", place, (text + "\n").index("\n", place))
    if command := COMMAND.match(text, place):
        return _command(command)
    for kind, read in (("number", _number), ("superscript", _superscript), ("name", _name), ("sign", _sign)):
        part, end = read(text, place)
        if end > place:
            return Token(kind, part, place, end)
    reason = REPLACED.get(character, "it has no meaning in a formula")
    raise ExpressionError(f"{character!r} cannot stand in a formula: {reason}", text, place)


def _command(command: re.Match[str]) -> Token:
    word = command[1]
    sign = LATEX.get(word, "" if not word.isalpha() else None)
    kind = "sign" if sign is not None else "name"
    name = rf"\{word}" if word in ("frac", "dfrac", "tfrac") else word
    return Token(kind, name if sign is None else sign, *command.span())


def _number(text: str, place: int) -> tuple[str, int]:
    if text[place] in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞":
        return repr(unicodedata.numeric(text[place])), place + 1
    number = NUMBER.match(text, place)
    if number is None:
        return "", place
    if re.match(r"0[xXbBoO]\d", text[place:]):
        message = "this may be a product or a number in another base; write 0*x10, or 16"
        raise ExpressionError(message, text, place, 3)
    return number[0].replace("_", ""), number.end()


def _superscript(text: str, place: int) -> tuple[str, int]:
    end = place
    while end < len(text) and unicodedata.decomposition(text[end]).startswith("<super>"):
        end += 1
    return unicodedata.normalize("NFKC", text[place:end]), end


def _name(text: str, place: int) -> tuple[str, int]:
    if text[place] == "π":  # by itself: 2πx is a product of three
        return "pi", place + 1
    end = place
    while end < len(text) and _continues(text[end], is_first=end == place):
        end += 1
    subscript = SUBSCRIPT.match(text, end - 1) if end > place else None  # w_{12} is w_12
    if subscript:
        return canonical(text[place:end] + subscript[1]), subscript.end()
    return canonical(text[place:end]), end


def _continues(character: str, is_first: bool) -> bool:
    decomposed = unicodedata.decomposition(character)
    if decomposed.startswith("<super>") or character == "π" or character in SAME:
        return False
    plain = unicodedata.normalize("NFKC", character) if decomposed.startswith("<sub>") else character
    return plain.isidentifier() if is_first else f"a{plain}".isidentifier()


def _sign(text: str, place: int) -> tuple[str, int]:
    if text[place] in SAME:
        return SAME[text[place]], place + 1
    sign = SIGN.match(text, place)
    return (sign[0], sign.end()) if sign else ("", place)


def _narrow(character: str) -> str:
    wide = unicodedata.decomposition(character)
    return chr(int(wide.split()[1], 16)) if wide.startswith("<wide>") else character


def canonical(name: str) -> str:
    """Return a name as formulas use it: x₁ is x1, π is pi.

    >>> canonical("x₁")
    'x1'
    """
    return "pi" if name == "π" else unicodedata.normalize("NFKC", name)


def printable(text: str) -> str:
    """Return a text for a console: what would move its cursor or reorder a line is shown as `\\x1b`.

    >>> printable("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def columns(text: str) -> int:
    """Return how many columns of a console a text takes."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
