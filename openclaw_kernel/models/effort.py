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


LEVELS: tuple[ThinkingLevel, ...] = ("off", "minimal", "low", "medium", "high", "xhigh", "max")
_BY_EFFORT: Mapping[str, ThinkingLevel] = {
    "none": "off",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}


def levels_of(model: Model) -> list[ThinkingLevel]:
    """The levels a model offers, the least first; one that cannot reason offers `off` alone."""
    if not model.reasoning or model.compat.get("supportsReasoningEffort") is False:
        return ["off"]
    if model.api == "anthropic-messages":
        style = model.compat.get("thinking", "budget")
        levels: list[ThinkingLevel] = ["minimal", "low", "medium", "high", "xhigh", "max"]
        levels = levels if style == "always" else ["off", *levels]
        return levels if style == "budget" else [*levels, "adaptive"]
    efforts = model.compat.get("reasoningEfforts")
    if efforts is None:
        return ["off", "minimal", "low", "medium", "high"]
    return [_BY_EFFORT[effort] for effort in ORDER if effort in efforts]


def nearest_level(model: Model, level: ThinkingLevel) -> ThinkingLevel:
    """What a level is taken as by a model that does not offer it."""
    offered = levels_of(model)
    if level in offered:
        return level
    meant = LEVELS.index("max" if level == "ultra" else "medium" if level == "adaptive" else level)
    known = [one for one in offered if one in LEVELS]
    return min(known, key=lambda one: abs(LEVELS.index(one) - meant))
