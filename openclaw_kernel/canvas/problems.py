"""What is wrong with a message: a code, the place, a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

from openclaw_kernel.canvas.limits import PROBLEMS


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is a JSON Pointer into what was checked."""

    code: str
    path: str
    message: str

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "path": self.path, "message": self.message}


@dataclass(slots=True)
class Problems:
    """Collects up to `PROBLEMS` of them."""

    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, path: str, message: str) -> None:
        if len(self.found) < PROBLEMS:
            self.found.append(Problem(code, path, message))

    @property
    def full(self) -> bool:
        return len(self.found) >= PROBLEMS


class CanvasError(ValueError):
    """A message or a value that cannot be applied. `problem` says why."""

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(code, path, message)
