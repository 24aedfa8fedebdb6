"""A task of forty steps as a model would do it: a small till is written, tested, mended, renamed half-way and shipped."""

from __future__ import annotations

from typing import Any

from tests.fakes.model_script import Call, Step

TASK = "Write a small till in the folder till, with a check.py that proves it, and build dist/till.txt from it."
STEERING = "One more thing: prices are in euros, not in dollars."
THANKS = "Thank you, that is all."
ANSWER = "The till is written, checked and built; its prices are in euros."

MONEY = '''"""Money as whole cents."""

CURRENCY = "USD"


def cents(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def shown(value: int) -> str:
    return f"{value // 100}.{value % 100:02d} {CURRENCY}"
'''

CART = '''"""What somebody buys."""

from till.money import cents


class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name, price, count=1):
        self.lines.append((name, cents(price), count))

    def total(self):
        return sum(price for _, price, count in self.lines)
'''

CHECK = """from till.cart import Cart
from till.money import cents, shown

done = 0


def check(found, wanted):
    global done
    assert found == wanted, f"{found!r} is not {wanted!r}"
    done += 1


cart = Cart()
cart.add("tea", "2.50", 2)
cart.add("cake", "3.00")
check(cents("2.5"), 250)
check(cart.total(), 800)
check(shown(cart.total()), "8.00 USD")
# more checks go here
print("all good:", done)
"""

REPORT_PATCH = '''*** Begin Patch
*** Add File: till/report.py
+"""A receipt."""
+
+from till.money import shown
+
+
+def receipt(cart):
+    rows = [f"{count} {name}" for name, price, count in cart.lines]
+    return "; ".join([*rows, shown(0)])
*** Update File: check.py
@@
 from till.money import cents, shown
+from till.report import receipt
@@
 # more checks go here
+check(receipt(cart), "2 tea; 1 cake; 8.00 USD")
*** End Patch
'''

LOAD = '''"""Prices from a table."""

import csv


def prices(path="data/prices.csv"):
    with open(path, newline="") as file:
        return {row["name"]: row["price"] for row in csv.DictReader(file)}
'''

MOVE_PATCH = """*** Begin Patch
*** Update File: data/prices.csv
*** Move to: data/catalogue.csv
@@
 cake,3.00
+milk,0.80
*** Update File: till/load.py
@@
-def prices(path="data/prices.csv"):
+def prices(path="data/catalogue.csv"):
*** End Patch
"""

DISCOUNT_PATCH = '''*** Begin Patch
*** Add File: till/discount.py
+"""A tenth off from five euros on."""
+
+
+def after(total):
+    return total - total // 10 if total > 800 else total
*** Update File: check.py
@@
 from till.report import receipt
+from till.discount import after
@@
 # more checks go here
+check(after(cart.total()), 720)
*** End Patch
'''

BUILD = """import pathlib

pathlib.Path("dist").mkdir(exist_ok=True)
parts = sorted(pathlib.Path("till").glob("*.py"))
pathlib.Path("dist/till.txt").write_text("".join(part.read_text() for part in parts))
print("built from", len(parts), "files")
"""

WAIT = "until test -e go-on; do sleep 0.02; done; echo waited"


def write(path: str, content: str) -> Call:
    return Call("write", {"path": path, "content": content}, f"Created {path}")


def edit(path: str, old: str, new: str, gives: str = "", **more: Any) -> Call:
    return Call("edit", {"path": path, "old_text": old, "new_text": new, **more}, gives or f"Edited {path}")


def run(command: str, gives: str) -> Call:
    return Call("exec", {"command": command}, gives)


def check(gives: str) -> Step:
    return Step((run("python3 check.py", gives),))


def patch(text: str, gives: str) -> Step:
    return Step((Call("apply_patch", {"patch": text}, gives),))


def read(path: str, gives: str, **more: Any) -> Call:
    return Call("read", {"path": path, **more}, gives)


def grep(pattern: str, gives: str) -> Call:
    return Call("grep", {"pattern": pattern}, gives)


STEPS = (
    Step((Call("list", {}, "AGENTS.md"),), thinking="First I look at what is there."),
    Step((write("till/__init__.py", '"""A till."""\n'),)),
    Step((write("till/money.py", MONEY),)),
    Step((write("till/cart.py", CART),)),
    Step((write("check.py", CHECK),)),
    check("550 is not 800"),
    Step((read("till/cart.py", "def total"), read("till/money.py", "CURRENCY"), grep("count", "till/cart.py"))),
    Step((edit("till/cart.py", "sum(price of", "sum(price * count for", "does not contain that text"),)),
    Step((edit("till/cart.py", "sum(price for", "sum(price * count for"),), thinking="The count is missing from the sum."),
    check("all good: 3"),
    patch(REPORT_PATCH, "A till/report.py"),
    check("2 tea; 1 cake; 0.00 USD"),
    Step((read("till/report.py", "shown(0)", offset=6),)),
    Step((edit("till/report.py", "shown(0)", "shown(cart.total())", replace_all=True),)),
    check("all good: 4"),
    Step((write("data/prices.csv", "name,price\ntea,2.50\ncake,3.00\n"),)),
    Step((run("wc -l < data/prices.csv", "3"),)),
    Step((write("till/load.py", LOAD),)),
    Step((edit("check.py", "# more checks go here\n", '# more checks go here\ncheck(load.prices()["tea"], "2.50")\n'),)),
    check("name 'load' is not defined"),
    Step((edit("check.py", "from till.cart import Cart\n", "from till import load\nfrom till.cart import Cart\n"),)),
    check("all good: 5"),
    Step((run("cat data/catalogue.csv", "No such file"),)),
    Step((Call("glob", {"pattern": "**/*.csv"}, "data/prices.csv"), read("data/prices.csv", "cake,3.00"))),
    patch(MOVE_PATCH, "data/catalogue.csv"),
    check("all good: 5"),
    Step(
        (
            run(WAIT, "waited"),
            Call("write", {"path": "never.txt", "content": "x"}, "Not run: the user said something new first."),
            Call("read", {"path": "check.py"}, "Not run: the user said something new first."),
        ),
        hears=STEERING,
    ),
    Step((read("till/money.py", "USD"), grep("USD", "check.py"))),
    Step((edit("till/money.py", "USD", "euro", replace_all=True),), thinking="The person wants euros."),
    check("8.00 euro"),
    Step((edit("check.py", "USD", "euro", replace_all=True),)),
    check("all good: 5"),
    Step((write("docs/README.md", "# Till\n\nPrices are in euros.\n"),)),
    Step((edit("docs/README.md", "# Till", "# Tillage"),)),
    Step((Call("undo", {}, "Took back: edit docs/README.md"),)),
    patch(DISCOUNT_PATCH, "A till/discount.py"),
    check("800 is not 720"),
    Step((edit("till/discount.py", "total > 800", "total >= 500"),)),
    check("all good: 6"),
    Step((write("build.py", BUILD),)),
    Step((run("python3 build.py", "built from 6 files"),)),
    Step((read("dist/till.txt", "A tenth off"), Call("list", {"path": "dist"}, "till.txt"))),
    Step(text=ANSWER),
    Step(text="You are welcome."),
)
