"""The phrases the built-in stand-in knows, as a table: pattern → tool and arguments, or plain text.

The first rule that fits and whose tool is offered wins. Rules are tried in order, so the specific come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ABOUT = (
    "I am the built-in stand-in: a small program with a fixed set of phrases, not a language model. "
    "To talk to a real model, add a key, for example `export ANTHROPIC_API_KEY=…` and set "
    "`agents.defaults.model.primary` to `anthropic/claude-sonnet-5-5` in openclaw.json "
    "(or run a local one with Ollama)."
)
PHRASES = (
    "These phrases I understand:\n"
    "- remember that my cat is called Miso\n"
    "- what do you remember about my cat?\n"
    "- run `date`\n"
    "- read NOTES.md\n"
    "- list files\n"
    "- python `print(6 * 7)`\n"
    "- show a form (or a table, or a chart)\n"
    "- remind me to stretch in 10 minutes\n"
    "- list skills\n"
    "- run the skill csv-report on data.csv\n"
    "- help"
)


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """One tool call."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    tool: str
    arguments: Callable[[re.Match[str]], Mapping[str, Any]]


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "form": {
        "title": "Sample form",
        "fields": [
            {"name": "name", "label": "Name", "type": "text"},
            {"name": "date", "label": "Date", "type": "date"},
            {"name": "agree", "label": "I agree", "type": "checkbox"},
        ],
    },
    "table": {
        "title": "Sample table",
        "columns": ["Planet", "Moons"],
        "rows": [["Earth", 1], ["Mars", 2], ["Jupiter", 97]],
    },
    "chart": {
        "title": "Sample chart",
        "series": [{"name": "Visitors", "points": [["Mon", 3], ["Tue", 5], ["Wed", 4], ["Thu", 8]]}],
    },
}
"""Fixed examples: the stand-in cannot make up content, so it shows the same one each time and its title says so."""


def _rule(pattern: str, tool: str, arguments: Callable[[re.Match[str]], Mapping[str, Any]]) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), tool, arguments)


def _clean(text: str) -> str:
    return text.strip().strip("?!.").strip()


def _surface(match: re.Match[str]) -> Mapping[str, Any]:
    kind = match["kind"].lower()
    return {"kind": kind, **SAMPLES[kind]}


def _reminder(match: re.Match[str]) -> Mapping[str, Any]:
    return {"when": f"{match['prep'].lower()} {_clean(match['when'])}", "text": _clean(match["text"])}


def _reminder_reversed(match: re.Match[str]) -> Mapping[str, Any]:
    return {"when": f"{match['prep'].lower()} {match['when'].strip()}", "text": _clean(match["text"])}


def _skill_run(match: re.Match[str]) -> Mapping[str, Any]:
    """`data.csv rows=5`: a word with `=` is a parameter by name, the rest is what the skill is run on."""
    words = _clean(match["rest"] or "").replace(",", " ").split()
    named = dict(word.split("=", 1) for word in words if "=" in word)
    on = " ".join(word.strip("`\"'") for word in words if "=" not in word and word not in ("and", "with"))
    return {"name": match["name"]} | ({"parameters": named} if named else {}) | ({"on": on} if on else {})


_POLITE = r"^(?:(?:please|hey|ok|okay|now|can you|could you|would you)[,\s]+)*"
_CODE = r"(?:```(?:\w+\n)?(?P<block>.+?)```|`(?P<code>[^`]+)`)"
_NAMED = r"[`\"']?(?P<name>[\w-]+)[`\"']?"


def _code(match: re.Match[str]) -> str:
    return (match["block"] or match["code"]).strip()


RULES: tuple[Rule, ...] = (
    _rule(_POLITE + r"remind me (?P<prep>in|at|on) (?P<when>.+?) to (?P<text>.+)$", "remind", _reminder_reversed),
    _rule(_POLITE + r"remind me (?:to |about |that )?(?P<text>.+) (?P<prep>in|at|on) (?P<when>.+)$", "remind", _reminder),
    _rule(
        r"\bwhat (?:do|did|can) you (?:remember|know|recall)(?: about (?P<q>.+))?$",
        "memory_search",
        lambda m: {"query": _clean(m["q"] or "everything")},
    ),
    _rule(_POLITE + r"do you remember (?P<q>.+)$", "memory_search", lambda m: {"query": _clean(m["q"])}),
    _rule(_POLITE + r"(?:recall|search memory for|look up) (?P<q>.+)$", "memory_search", lambda m: {"query": _clean(m["q"])}),
    _rule(
        _POLITE + r"(?:remember|note|note down|don't forget|do not forget)(?: that|:)?\s+(?P<text>.+)$",
        "memory_append",
        lambda m: {"text": m["text"].strip()},
    ),
    _rule(
        _POLITE + r"(?:run|use|start) (?:the |my )?skill " + _NAMED + r"(?: (?:on|for|with|over))?(?: (?P<rest>[^\n]+))?$",
        "skill_run",
        _skill_run,
    ),
    _rule(r"^/skill (?P<name>[\w-]+) (?P<rest>[^\n]+)$", "skill_run", _skill_run),
    _rule(r"^/skill (?P<name>[\w-]+)$", "skill", lambda m: {"name": m["name"]}),
    _rule(
        _POLITE + r"(?:load|read|show)(?: me)? (?:the |my )?skill " + _NAMED,
        "skill",
        lambda m: {"name": m["name"]},
    ),
    _rule(_POLITE + r"(?:run|execute|exec)(?: the (?:shell )?command)?:?\s+" + _CODE, "exec", lambda m: {"command": _code(m)}),
    _rule(_POLITE + r"(?:run |evaluate |in )?python(?: code)?:?\s+" + _CODE, "python", lambda m: {"code": _code(m)}),
    _rule(_POLITE + r"list (?:the |my |all )?skills\b", "skills_list", lambda m: {}),
    _rule(
        _POLITE + r"(?:list|show) (?:the |my |all )?files(?: (?:in|of|under) [`\"']?(?P<path>[^`\"'?]+?)[`\"']?)?\s*[.?!]?$",
        "list",
        lambda m: {"path": (m["path"] or ".").strip()},
    ),
    _rule(
        _POLITE + r"(?:show|open|make|draw|give)(?: me)? (?:an? |the )?(?:sample |little |small )?(?P<kind>form|table|chart)\b",
        "canvas",
        _surface,
    ),
    _rule(
        _POLITE + r"(?:read|open|cat)(?: the)?(?: file)? [`\"']?(?P<path>[^`\"'\s?]+?)[`\"']?\s*[.?!]?$",
        "read",
        lambda m: {"path": m["path"]},
    ),
    _rule(
        r"^(?:what(?:'s| is| are)|who(?:'s| is)|where(?:'s| is)|when(?:'s| is)) (?P<q>(?:my|our|the name of my) .+)$",
        "memory_search",
        lambda m: {"query": _clean(m["q"])},
    ),
)

_GREETING = re.compile(_POLITE + r"(?:hello|hi|hey|good (?:morning|afternoon|evening)|greetings)\b", re.IGNORECASE)
_THANKS = re.compile(r"^(?:thanks|thank you|thx)\b", re.IGNORECASE)
_HELP = re.compile(r"\b(?:help|what can you do|who are you|what are you)\b", re.IGNORECASE)


_CALLED = re.compile(r"^/(?:skill )?(?P<name>[\w-]+)(?: (?P<rest>[^\n]+))?$")
_TOLD = re.compile(r'<skill name="(?P<name>[^"]+)"')


def called_skill(text: str, told: Iterable[str], tools: frozenset[str]) -> Say | Use | None:
    """`/NAME words` for a skill whose text is in the conversation: one written as a notebook is run, others take a model."""
    match = _CALLED.match(text)
    if match is None:
        return None
    skills = {found["name"]: whole for whole in told if (found := _TOLD.search(whole))}
    name = match["name"].lower().replace("_", "-")
    name = name if name in skills else next(reversed(skills), "")
    if not name:
        return None
    if "with the tool skill_run" in skills[name] and "skill_run" in tools:
        return Use("skill_run", {**_skill_run(match), "name": name})
    return Say(f"I have read the skill `{name}`, but it takes a language model to follow it. {ABOUT}")


def understand(text: str, tools: frozenset[str]) -> Say | Use:
    """The next step for what a person wrote, given the names of the tools on offer."""
    missing = ""
    for rule in RULES:
        match = rule.pattern.search(text)
        if match is None:
            continue
        if rule.tool in tools:
            return Use(rule.tool, rule.arguments(match))
        missing = missing or rule.tool
    if missing:
        return Say(
            f"For that I would need the tool `{missing}`, and it is switched off for this agent (see `tools` in openclaw.json)."
        )
    if _HELP.search(text):
        return Say(f"{ABOUT}\n\n{PHRASES}")
    if _THANKS.search(text):
        return Say("You are welcome.")
    if _GREETING.search(text):
        return Say(f"Hello! {ABOUT} Say `help` for the phrases I know.")
    return Say(f"I do not understand that phrase. {ABOUT}\n\n{PHRASES}")
