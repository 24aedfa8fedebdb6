"""List what a notebook defines: `definitions.py NOTEBOOK` prints JSON. Standard library only; reads, never writes or runs."""

import ast
import builtins
import json
import sys
from pathlib import Path


def code_cells(notebook):
    """`(cell number, source)`, with the lines that are only IPython's (`%`, `!`, `?`) blanked so that the rest can be read."""
    for number, cell in enumerate(notebook.get("cells", []), 1):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = "".join(source) if isinstance(source, list) else source
        if source.lstrip().startswith("%%"):
            continue
        lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()]
        yield number, "\n".join(lines)


def names_of(statement):
    """What kind of definition a statement is, and the names it makes."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return "function", [name]
        case ast.ClassDef(name=name):
            return "class", [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return "import", [(name.asname or name.name).split(".")[0] for name in names]
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            made = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            return ("constant" if made and all(name.isupper() for name in made) else "variable"), made
    return "", []


def used_by(statement):
    """Names that a function or class reads but does not make itself."""
    read, made = set(), set(dir(builtins))
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler):
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.update(names_of(node)[1])
    return read - made


def definitions(notebook):
    """Every definition in order, and the cells that could not be read."""
    found, unread = [], []
    for number, source in code_cells(notebook):
        try:
            statements = ast.parse(source).body
        except SyntaxError as error:
            unread.append({"cell": number, "reason": f"{error.msg}, line {error.lineno}"})
            continue
        for statement in statements:
            kind, names = names_of(statement)
            found += [{"cell": number, "kind": kind, "name": name, "statement": statement} for name in names]
    kinds = {one["name"]: one["kind"] for one in found}
    for one in found:
        statement = one.pop("statement")
        if one["kind"] in ("function", "class"):
            one["uses"] = {name: kinds[name] for name in sorted(used_by(statement)) if name in kinds}
    return {"definitions": found, "unread": unread}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: definitions.py NOTEBOOK")
    try:
        notebook = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        print(json.dumps(definitions(notebook), indent=2))
    except (OSError, ValueError, AttributeError) as error:
        sys.exit(f"{sys.argv[1]} cannot be read: {error}")


if __name__ == "__main__":
    main()
