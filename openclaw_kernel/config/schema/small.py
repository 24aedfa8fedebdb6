"""Sections of a few keys: `env`, `ui`, `budget`, `jupyter`, and the open ones that their own rooms read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from openclaw_kernel.config.schema.base import OpenSection, Positive, Section

Dollars = Annotated[float, Field(gt=0)]


class ShellEnv(Section):
    """Import of the login shell's environment; off by default."""

    enabled: bool = False
    timeout_ms: Positive = 15_000


class Env(Section):
    """`vars` fill in what the environment lacks; they never replace a value that is there (CFG-07)."""

    vars: dict[str, str] = Field(default_factory=dict, repr=False)
    shell_env: ShellEnv = Field(default_factory=ShellEnv)


class Assistant(Section):
    """Name and picture shown when the agent has none of its own."""

    name: str | None = None
    avatar: str | None = None


class Ui(Section):
    """The look of the faces."""

    seam_color: str | None = None
    assistant: Assistant = Field(default_factory=Assistant)


class BudgetLimit(Section):
    """None means no limit. `usd` are US dollars."""

    tokens: Positive | None = None
    usd: Dollars | None = None


class AgentBudget(BudgetLimit):
    """Limits of one agent. `tokens` and `usd` by themselves are for a day."""

    turn: BudgetLimit = Field(default_factory=BudgetLimit)
    session: BudgetLimit = Field(default_factory=BudgetLimit)
    day: BudgetLimit = Field(default_factory=BudgetLimit)


class Budget(Section):
    """Hard limits, checked before a model is called (MOD-19). An agent's own hold beside those for all."""

    turn: BudgetLimit = Field(default_factory=BudgetLimit)
    session: BudgetLimit = Field(default_factory=BudgetLimit)
    day: BudgetLimit = Field(default_factory=BudgetLimit)
    agents: dict[str, AgentBudget] = Field(default_factory=dict)


class Jupyter(Section):
    """Ours: how the gateway behaves inside a Jupyter server. `listen` opens the second door on `gateway.port`."""

    listen: bool = True


class SkillsLoad(OpenSection):
    """Where skills are looked for besides the usual places. A project's own skills need its folder in `trusted_projects`."""

    extra_dirs: list[str] = Field(default_factory=list)
    trusted_projects: list[str] = Field(default_factory=list)


class SkillEntry(OpenSection):
    """One skill: whether it is on, and variables that only its runs see."""

    enabled: bool = True
    env: dict[str, str] = Field(default_factory=dict, repr=False)


class Skills(OpenSection):
    """Read by the skills room. `allow_bundled` lists the bundled skills that may be used; None means all."""

    allow_bundled: list[str] | None = None
    load: SkillsLoad = Field(default_factory=SkillsLoad)
    entries: dict[str, SkillEntry] = Field(default_factory=dict)
