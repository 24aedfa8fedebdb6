"""Profile a CSV, TSV or JSON-lines file: `profile.py FILE [--limit N]` prints JSON. Standard library only; never writes."""

import argparse
import csv
import itertools
import json
import math
import re
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?"}
DECORATED = re.compile(r"^[^\d\s-]{0,3}\s*-?\d[\d.,' ]*\s*[^\d\s]{0,4}$")


def rows_of(path, limit):
    """Header and rows as text. JSON lines give the union of their keys."""
    text = path.open(encoding="utf-8-sig", errors="replace", newline="")
    with text as file:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            records = [json.loads(line) for line in itertools.islice(file, limit) if line.strip()]
            header = list(dict.fromkeys(key for record in records for key in record))
            return header, [[as_text(record.get(key)) for key in header] for record in records], ""
        first = file.readline()
        file.seek(0)
        delimiter = max(",;\t|", key=first.count)
        table = list(itertools.islice(csv.reader(file, delimiter=delimiter), None if limit is None else limit + 1))
        return (table[0] if table else []), table[1:], delimiter


def as_text(value):
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def number(text):
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def date(text):
    if len(text) < 8 or not text[:4].isdigit():
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def kind_of(text):
    if number(text) is not None:
        return "number"
    if date(text) is not None:
        return "date"
    return "truth" if text.lower() in ("true", "false", "yes", "no") else "text"


def column(name, values):
    """What one column holds, and what is odd about it."""
    filled = [value.strip() for value in values if value.strip().lower() not in MISSING]
    kinds = Counter(map(kind_of, filled))
    kind = kinds.most_common(1)[0][0] if kinds else "empty"
    counts = Counter(filled)
    facts = {"name": name, "type": kind, "missing": len(values) - len(filled), "different": len(counts)}
    odd = []
    if kind == "number":
        numbers = [value for value in map(number, filled) if value is not None]
        facts |= {"least": min(numbers), "mean": sum(numbers) / len(numbers), "most": max(numbers)}
    elif kind == "date":
        dates = [value for value in filled if date(value)]
        facts |= {"least": min(dates), "most": max(dates)}
    elif kind != "empty":
        facts["commonest"] = [[value[:60], count] for value, count in counts.most_common(5)]
    if len(kinds) > 1:
        odd.append("mixed types: " + ", ".join(f"{count} {name}" for name, count in kinds.most_common()))
    if kind == "text" and filled and sum(bool(DECORATED.match(value)) for value in filled) > len(filled) / 2:
        odd.append("looks like numbers with units, currency or thousands separators")
    if any(value != value.strip() for value in values):
        odd.append("blanks around values")
    if len(counts) == 1 and len(filled) > 1:
        odd.append("only one value")
    if re.search(r"(^|_|\b)id$", name.lower()) and len(counts) < len(filled):
        odd.append("looks like an identifier but repeats")
    return facts, [f"{name}: {one}" for one in odd]


def profile(path, limit=None):
    header, rows, delimiter = rows_of(path, limit)
    names = [name.strip() or f"column {index}" for index, name in enumerate(header, 1)]
    wrong = [index for index, row in enumerate(rows, 2) if row and len(row) != len(header)]
    whole = [(row + [""] * len(header))[: len(header)] for row in rows if row]
    columns, oddities = [], []
    for index, name in enumerate(names):
        facts, odd = column(name, [row[index] for row in whole])
        columns.append(facts)
        oddities += odd
    if wrong:
        oddities.append(f"{len(wrong)} rows of the wrong length, the first in line {wrong[0]}")
    if len(set(names)) < len(names):
        oddities.append("two columns have the same name")
    repeated = len(whole) - len({tuple(row) for row in whole})
    if repeated:
        oddities.append(f"{repeated} rows stand there twice")
    return {"file": path.name, "rows": len(whole), "delimiter": delimiter, "columns": columns, "oddities": oddities}


def main():
    parser = argparse.ArgumentParser(description="Profile a CSV, TSV or JSON-lines file as JSON.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    try:
        print(json.dumps(profile(arguments.file, arguments.limit), indent=2, ensure_ascii=False))
    except (OSError, ValueError, csv.Error) as error:
        sys.exit(f"{arguments.file} cannot be profiled: {error}")


if __name__ == "__main__":
    main()
