"""What a skill is: a name, a description, and where its instructions stand (SKL-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.values.errors import UserError

Source = Literal["workspace", "project", "personal", "managed", "bundled", "extra"]
Kind = Literal["markdown", "notebook"]

MAX_NAME = 64
MAX_DESCRIPTION = 1_024
MAX_COMPATIBILITY = 500


class SkillProblem(UserError):
    """Why a skill cannot be used, in one sentence."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill. `path` is its `SKILL.md` or its notebook; `meta` is the rest of the header, as written."""

    name: str
    description: str
    path: Path
    source: Source
    meta: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "markdown"

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def for_model(self) -> bool:
        """Whether the model may choose it by itself (`disable-model-invocation`)."""
        return self.meta.get("disable-model-invocation") is not True

    @property
    def for_people(self) -> bool:
        """Whether a person may call it by name (`user-invocable`)."""
        return self.meta.get("user-invocable") is not False

    @property
    def openclaw(self) -> Mapping[str, Any]:
        """`metadata.openclaw` of the header: gating and looks; empty when there is none."""
        metadata = self.meta.get("metadata")
        found = metadata.get("openclaw") if isinstance(metadata, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def key(self) -> str:
        """Its name in `skills.entries` of the config."""
        return str(self.openclaw.get("skillKey") or self.name)

    def to_wire(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.description,
            "path": str(self.path),
            "source": self.source,
            "kind": self.kind,
        }
