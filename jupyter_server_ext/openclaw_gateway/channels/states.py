"""How far a message has come (STO-02)."""

from __future__ import annotations

from typing import Literal

RowState = Literal["pending", "attempting", "done", "failed", "recovered", "abandoned"]
"""failed is a dead letter · recovered may have had its effect and is not repeated · abandoned was given up by a person."""

OPEN: frozenset[RowState] = frozenset({"pending", "attempting"})
DEAD: frozenset[RowState] = frozenset({"failed", "recovered"})
