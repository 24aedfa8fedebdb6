"""`memory`: what is remembered, how it is cut, searched and turned into vectors.

The keys are those of OpenClaw's `agents.defaults.memorySearch`, which is read too and wins over `memory`, as an agent's own
`memorySearch` wins over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import NotNegative, OpenSection, Positive, SecretInput

Share = Annotated[float, Field(ge=0, le=1)]
Sources = list[Literal["memory", "sessions"]]


def _notes_only() -> Sources:
    return ["memory"]


class Chunking(OpenSection):
    """How notes are cut, in tokens of four characters (MEM-03)."""

    tokens: Annotated[int, Field(ge=32, le=8_000)] = 400
    overlap: NotNegative = 80


class Mmr(OpenSection):
    """Variety among the hits (MEM-07)."""

    enabled: bool = False
    lambda_: Share = Field(default=0.7, alias="lambda")


class TemporalDecay(OpenSection):
    """Dated notes count less as they age; MEMORY.md and USER.md never do (MEM-06)."""

    enabled: bool = False
    half_life_days: Positive = 30


class Hybrid(OpenSection):
    """How words and meaning are weighed: the memory's own rule, or OpenClaw's 0.7 vector + 0.3 text (MEM-05)."""

    rule: Literal["house", "openclaw"] = "house"
    mmr: Mmr = Field(default_factory=Mmr)
    temporal_decay: TemporalDecay = Field(default_factory=TemporalDecay)


class Query(OpenSection):
    """`min_score` None means the value that fits the model (MEM-05)."""

    max_results: Positive = 6
    min_score: Share | None = None
    hybrid: Hybrid = Field(default_factory=Hybrid)


class Sync(OpenSection):
    """When files are taken up (MEM-04). `on_search` looks at the files of a small memory before each search."""

    watch: bool = True
    watch_debounce_ms: Positive = 1_500
    on_search: bool = True


class Embedding(OpenSection):
    """Where vectors come from. `auto` takes the installed model, and nothing when there is none (MEM-10)."""

    provider: Literal["auto", "local", "openai", "ollama", "none"] = "auto"
    model: str | None = None
    base_url: str | None = None
    api_key: SecretInput | None = None


class Dreaming(OpenSection):
    """Nightly consolidation (MEM-16): `frequency` is a cron expression in `timezone` (the host's own when empty). `apply` says
    whether proposals wait for a person or go into MEMORY.md at once. The rest are the marks a note has to reach."""

    enabled: bool = False
    frequency: str = "0 3 * * *"
    timezone: str = ""
    apply: Literal["ask", "auto"] = "ask"
    limit: Positive = 10
    min_score: Share = 0.8
    min_recall_count: NotNegative = 3
    min_unique_queries: NotNegative = 3
    recency_half_life_days: Positive = 14
    max_age_days: Positive = 30
    max_promoted_snippet_tokens: Annotated[int, Field(ge=16, le=1_000)] = 160


class Memory(OpenSection):
    """One agent's memory. `sources` with `sessions` makes private conversations findable too (MEM-13). `audience` `everyone`
    lets groups and guests hear of the notes as well."""

    enabled: bool = True
    backend: str = "builtin"
    citations: Literal["auto", "on", "off"] = "auto"
    audience: Literal["private", "everyone"] = "private"
    extra_paths: list[str] = Field(default_factory=list)
    sources: Sources = Field(default_factory=_notes_only)
    chunking: Chunking = Field(default_factory=Chunking)
    query: Query = Field(default_factory=Query)
    sync: Sync = Field(default_factory=Sync)
    embedding: Embedding = Field(default_factory=Embedding)
    dreaming: Dreaming = Field(default_factory=Dreaming)

    def overlaid(self, *overlays: Mapping[str, Any]) -> Memory:
        """These settings under `overlays` (the wire form of `memorySearch`), the last one on top. Raises `ValidationError`."""
        merged: dict[str, Any] = self.model_dump(by_alias=True)
        for overlay in overlays:
            merged = _merged(merged, overlay)
        return Memory.model_validate(merged) if any(overlays) else self


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return both
