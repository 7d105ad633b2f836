"""Every single change that is tried on a module: its place, and the text that stands there instead."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
RECKONED: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.Div: "*",
    ast.Mod: "+",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
SAID = {"log", "warnings", "logging"}


@dataclass(frozen=True)
class Change:
    """Characters `start` to `end` of a module become `text`."""

    line: int
    start: int
    end: int
    old: str
    text: str

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.text))
        return f"{self.line}: {old[:70]}  ->  {new[:70]}"

    def made(self, source: str) -> str:
        """The module with the change made."""
        return source[: self.start] + self.text + source[self.end :]


def changes(source: str) -> list[Change]:
    """All changes of a module's text; each leaves it readable by Python."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    raw = source.encode()
    tree = ast.parse(source)
    members: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            members[node.value.id].add(node.attr)

    def change(node: ast.expr | ast.stmt, text: str) -> Change:
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        at, to = len(raw[:start].decode()), len(raw[:end].decode())
        return Change(node.lineno, at, to, source[at:to], text)

    found = [change(node, text) for node in _worth_it(tree) for text in _instead(node, members)]
    return [one for one in found if one.text != one.old]


def _worth_it(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """What is executed and matters: no annotations, texts, assertions or words for the log."""
    if isinstance(node, (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)):
        return
    if isinstance(node, ast.Expr) and ast.unparse(node.value).partition(".")[0] in SAID:
        return
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list", "bases"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _worth_it(child)


def _instead(node: ast.expr | ast.stmt, members: dict[str, set[str]]) -> Iterator[str]:
    """What may stand in a node's place."""
    match node:
        case ast.Compare(left, [operator, *more], [right, *others]) if not more and not others:
            yield f"({ast.unparse(left)} {COMPARED[type(operator)]} {ast.unparse(right)})"
        case ast.BoolOp(operator, values):
            word = " or " if isinstance(operator, ast.And) else " and "
            yield f"({word.join(f'({ast.unparse(value)})' for value in values)})"
            for left_out in values:
                kept = [f"({ast.unparse(value)})" for value in values if value is not left_out]
                yield f"({(' and ' if isinstance(operator, ast.And) else ' or ').join(kept)})"
        case ast.UnaryOp(ast.Not(), operand):
            yield f"(bool({ast.unparse(operand)}))"
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value)):
            yield from (str(value + 1), f"({value - 1})")
        case ast.Constant(float(value)):
            yield from (str(value * 1.5 + 0.5), str(value * 0.5))
        case ast.BinOp(left, operator, right) if type(operator) in RECKONED:
            yield f"(({ast.unparse(left)}) {RECKONED[type(operator)]} ({ast.unparse(right)}))"
        case ast.IfExp(test, body, orelse):
            yield f"({ast.unparse(orelse)} if {ast.unparse(test)} else {ast.unparse(body)})"
        case ast.Call(function, arguments, keywords) if keywords:
            for left_out in keywords:
                kept = [one for one in keywords if one is not left_out]
                yield ast.unparse(ast.Call(function, arguments, kept))
        case ast.Attribute(ast.Name(name), member) if name[0].isupper() and not name.isupper():
            yield from (f"{name}.{other}" for other in sorted(members[name] - {member})[:2])
        case ast.Return(value) if value is not None and ast.unparse(value) != "None":
            yield "return None"
        case ast.Raise() | ast.Continue() | ast.AugAssign() | ast.Delete():
            yield "pass"
        case ast.Break():
            yield "continue"
        case ast.Expr(ast.Call()):
            yield "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()], _):
            yield "pass"
