"""What a migration may do to tables that the running release reads and writes meanwhile.

What a migration makes itself, it may treat as it likes. To what was there before, only such
statements are let in as are known to be safe: all else is said, and has to be meant.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pglast
from pglast import enums, parse_plpgsql, parse_sql

Statement = Any
"""A node of Postgres' own parser."""
ast: Any = pglast.ast

AT = enums.AlterTableType
CONSTR = enums.ConstrType

HARMLESS = (ast.CommentStmt, ast.CreateSeqStmt, ast.CreateEnumStmt)
HARMLESS_CHANGES = {
    AT.AT_ValidateConstraint: "looks at rows and locks none of them",
    AT.AT_SetStorage: "is for rows to come",
    AT.AT_SetStatistics: "is for the planner",
    AT.AT_SetRelOptions: "is for the vacuum",
}
IN_A_COLUMN = {CONSTR.CONSTR_NULL, CONSTR.CONSTR_CHECK, CONSTR.CONSTR_FOREIGN}
"""What a new column may ask for: the running release leaves it empty, or at its default."""

DISTURBS: dict[type, tuple[Callable[[Statement], bool], str]] = {
    ast.DropStmt: (lambda _: True, "The running release may still use what is dropped here."),
    ast.RenameStmt: (lambda _: True, "The running release knows {table} by its old names."),
    ast.TruncateStmt: (lambda _: True, "The running release may still need what is removed here."),
    ast.IndexStmt: (
        lambda _: True,
        "Nobody writes to {table} while its new index is made, and a unique one refuses rows.",
    ),
    ast.CreatePolicyStmt: (
        lambda policy: not policy.permissive,
        "A restrictive policy hides rows of {table} from the running release.",
    ),
    ast.GrantStmt: (
        lambda grant: not grant.is_grant,
        "The running release may still use what is revoked here.",
    ),
    ast.CreateFunctionStmt: (
        lambda function: bool(function.replace),
        "The running release may still call the function that is replaced here.",
    ),
}
"""Of these statements, which disturb, and how that is said."""


class Unreadable(Exception):
    """A statement that only the database could make sense of."""


def made_in(scripts: Collection[str]) -> set[str]:
    """The tables that these migrations make."""
    return {
        raw.stmt.relation.relname
        for script in scripts
        for raw in _parsed(script)
        if isinstance(raw.stmt, ast.CreateStmt)
    }


def unsafe(script: str, *, new: Collection[str]) -> list[str]:
    """What would disturb the release that is running, a sentence each."""
    try:
        return [said for one in statements(script) for said in _unsafe(one, new)]
    except Unreadable as problem:
        return [str(problem)]


def statements(script: str) -> Iterator[Statement]:
    """Every statement of a script, those inside its blocks too, whatever they loop over."""
    for raw in _parsed(script):
        if isinstance(raw.stmt, ast.DoStmt):
            yield from _of_block(raw.stmt)
        else:
            yield raw.stmt


def _parsed(script: str) -> Any:
    return parse_sql(script)


def _of_block(block: Statement) -> Iterator[Statement]:
    body = next(one.arg.sval for one in block.args if one.defname == "as")
    function = f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $carespace${body}$carespace$"
    nodes = list(_nodes(parse_plpgsql(function)))
    looped = [
        name
        for kind, node in nodes
        if kind == "PLpgSQL_stmt_foreach_a"
        for name in _texts(node["expr"]["PLpgSQL_expr"]["query"])
    ]
    for kind, node in nodes:
        if kind == "PLpgSQL_stmt_execsql":
            yield from statements(node["sqlstmt"]["PLpgSQL_expr"]["query"])
        elif kind == "PLpgSQL_stmt_perform":
            yield from statements(node["expr"]["PLpgSQL_expr"]["query"])
        elif kind == "PLpgSQL_stmt_dynexecute":
            for script in _executed(node["query"]["PLpgSQL_expr"]["query"], looped):
                yield from statements(script)


def _nodes(tree: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield name, value
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _texts(expression: str) -> list[str]:
    """The texts in an array."""
    value = _parsed(f"SELECT {expression}")[0].stmt.targetList[0].val
    return [one.val.sval for one in getattr(value, "elements", ())]


def _executed(expression: str, looped: list[str]) -> list[str]:
    """What `EXECUTE` runs: a text, or `format` of one, for each name that the block loops over."""
    value = _parsed(f"SELECT {expression}")[0].stmt.targetList[0].val
    names: list[str] = []
    if isinstance(value, ast.FuncCall) and value.funcname[-1].sval == "format":
        value, *given = value.args
        names = [one.val.sval for one in given if isinstance(one, ast.A_Const)] or looped
    if not isinstance(value, ast.A_Const) or not isinstance(value.val, ast.String):
        raise Unreadable(f"It can't be said what is executed here: {expression}")
    written = str(value.val.sval)
    if "%I" not in written:
        return [written]
    if not names:
        raise Unreadable(f"It can't be said on what this is executed: {expression}")
    return [written.replace("%I", f'"{name}"') for name in names]


def _unsafe(statement: Statement, new: Collection[str]) -> Iterator[str]:
    table = _table(statement)
    if isinstance(statement, (ast.CreateStmt, *HARMLESS)) or table in new:
        return
    if isinstance(statement, ast.AlterTableStmt):
        for change in statement.cmds:
            yield from _unsafe_change(change, table)
    elif isinstance(statement, tuple(DISTURBS)):
        disturbs, sentence = DISTURBS[type(statement)]
        if disturbs(statement):
            yield sentence.format(table=table)
    else:
        yield f"{_verb(statement)} on {table or 'no table'} is not known to be safe."


def _table(statement: Statement) -> str:
    """The table that a statement is about, or "" where that is none, or several."""
    relation = getattr(statement, "relation", None) or getattr(statement, "table", None)
    if isinstance(statement, ast.GrantStmt) and len(statement.objects or ()) == 1:
        relation = statement.objects[0]
    return str(getattr(relation, "relname", "") or "")


def _verb(statement: Statement) -> str:
    return type(statement).__name__.removesuffix("Stmt")


def _unsafe_change(change: Statement, table: str) -> Iterator[str]:
    if change.subtype == AT.AT_AddColumn:
        yield from _unsafe_column(change.def_, table)
    elif change.subtype == AT.AT_AddConstraint:
        yield f"A new constraint on {table} refuses rows that the running release may write."
    elif change.subtype not in HARMLESS_CHANGES:
        yield f"{change.subtype.name} on {table} is not known to be safe."


def _unsafe_column(column: Statement, table: str) -> Iterator[str]:
    name = f"{table}.{column.colname}"
    constraints = {one.contype: one for one in column.constraints or ()}
    default = constraints.pop(CONSTR.CONSTR_DEFAULT, None)
    if default is not None and not _constant(default.raw_expr):
        yield f"The default of {name} is worked out for each row, with the table locked."
    if constraints.pop(CONSTR.CONSTR_NOTNULL, None) and default is None:
        yield f"The running release leaves {name} empty, and that is refused."
    for kind in constraints.keys() - IN_A_COLUMN:
        yield f"{kind.name} of the new {name} is not known to be safe."


def _constant(expression: Statement) -> bool:
    while isinstance(expression, ast.TypeCast):
        expression = expression.arg
    return isinstance(expression, ast.A_Const)
