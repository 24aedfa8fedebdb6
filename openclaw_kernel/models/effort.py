"""Thinking levels as `reasoning effort`, held to what a model takes (MOD-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_kernel.models.api import Model, ThinkingLevel

ORDER = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
DEFAULT = ("low", "medium", "high")
_EFFORTS: Mapping[ThinkingLevel, str] = {
    "off": "none",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "adaptive": "medium",
    "max": "max",
    "ultra": "max",
}


def reasoning_effort(model: Model, level: ThinkingLevel) -> str | None:
    """The effort to ask for, the nearest the model takes; None means say nothing.

    `compat.reasoningEfforts` lists what a model takes. `off` is only said to a model that takes `none` or `minimal`.
    """
    if not model.reasoning or model.compat.get("supportsReasoningEffort") is False:
        return None
    allowed: Sequence[str] = model.compat.get("reasoningEfforts") or DEFAULT
    wanted = _EFFORTS[level]
    if level == "off":
        return next((effort for effort in ("none", "minimal") if effort in allowed), None)
    place = ORDER.index(wanted)
    spoken = [effort for effort in allowed if effort in ORDER and effort != "none"]
    return min(spoken, key=lambda effort: abs(ORDER.index(effort) - place), default=None)
