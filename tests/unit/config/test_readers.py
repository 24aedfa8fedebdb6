"""Every key that the schema names is read by something: a setting that does nothing is a promise nobody keeps.

A key counts as read when the source names it (as an attribute, or as a word where a mapping is read) in a module that also
names its section. Sections without keys of their own (`Loose`) count as one key.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

import openclaw_gateway
import openclaw_kernel
from openclaw_kernel.config.schema import OpenClawConfig

ROOTS = (Path(openclaw_kernel.__file__).parent, Path(openclaw_gateway.__file__).parent)
SCHEMA = ROOTS[0] / "config" / "schema"

_CARRIED = "an OpenClaw config may carry it; there is no such part here, and it opens nothing"
UNREAD: dict[str, str] = {
    "AgentDefaults.elevated_default": "nothing is ever elevated here: approvals alone decide, which is the closed side",
    "AgentTools.elevated": "as elevated_default",
    "Tools.elevated": "as elevated_default",
    "ApplyPatch.workspace_only": "a promise: its validator refuses any other value",
    "FsTool.workspace_only": "a promise: its validator refuses any other value",
    "ControlUi.allow_insecure_auth": "the door it would open does not exist",
    "OpenClawConfig.schema_url": "for editors",
    "AgentDefaults.utility_model": "titles are the first words of a session, no model is asked",
    "AgentDefaults.media_max_mb": "each channel bounds its files itself, as `mediaMaxMb` of its block or the platform says",
    "AuthProfile.email": "a label for people",
    "Identity.theme": "OpenClaw's own apps show it",
    "ModelProvider.auth_header": "every vendor's client sends `Authorization: Bearer` as it is",
    "ModelEntry.streaming": "answers are always streamed",
    "HttpEndpoints.responses": "there is no such endpoint yet, and it is closed",
    "AgentEntry.agent_dir": "what an agent keeps is in the state directory",
    "Env.shell_env": "a login shell is never run; variables come from the process, .env and `env.vars`",
    "ShellEnv.enabled": "as shell_env",
    "ShellEnv.timeout_ms": "as shell_env",
    "Session.store": "sessions are in the state directory",
    "Logging.console_level": "the gateway writes its log to the file; the console gets what ends it",
    "Logging.console_style": "as console_level",
    **dict.fromkeys(
        (
            "AgentDefaults.human_delay", "AgentEntry.human_delay", "GatewayRemote.tls_fingerprint", "Session.maintenance",
            "Session.thread_bindings", "OpenClawConfig.cloud_workers", "OpenClawConfig.desktop", "OpenClawConfig.discovery",
            "OpenClawConfig.node_host", "OpenClawConfig.telemetry", "OpenClawConfig.tts", "OpenClawConfig.wizard",
            "OpenClawConfig.worktree_root",
        ),
        _CARRIED,
    ),
}  # fmt: skip
"""Keys that nothing reads, and why they may be written all the same."""
WORD = re.compile(r"[A-Za-z_]\w*")


def sections() -> Iterator[type[BaseModel]]:
    for path in sorted(SCHEMA.glob("*.py")):
        module = importlib.import_module(f"openclaw_kernel.config.schema.{path.stem}")
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, BaseModel) and found.__module__ == module.__name__:
                found.model_rebuild()
                yield found


@cache
def modules() -> dict[Path, frozenset[str]]:
    """The words of every module: names, attributes, parameters and short strings. In the schema only attributes count, because
    there every key is a name."""
    return {path: frozenset(_words(path)) for root in ROOTS for path in root.rglob("*.py")}


def _words(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield node.name
        elif SCHEMA in path.parents:
            continue
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            yield from WORD.findall(node.value)


def mounted() -> dict[str, set[str]]:
    """The names under which each section hangs in others, and its own, by the section's name. None for one that hangs nowhere:
    it is read where its adapter is."""
    found: dict[str, set[str]] = defaultdict(set)
    every = list(sections())
    for section in every:
        for name, field in section.model_fields.items():
            for other in every:
                if re.search(rf"\b{other.__name__}\b", str(field.annotation)):
                    found[other.__name__] |= {other.__name__, name, field.alias or name}
    return found


def unread() -> set[str]:
    at, found = mounted(), set()
    for section in sections():
        for name, field in section.model_fields.items():
            if not _is_read({name, field.alias or name}, set() if section is OpenClawConfig else at[section.__name__]):
                found.add(f"{section.__name__}.{name}")
    return found


def _is_read(names: set[str], section: set[str]) -> bool:
    return any(names & words and (not section or section & words) for words in modules().values())


def test_every_key_has_a_reader() -> None:
    assert sorted(unread() - UNREAD.keys()) == []


def test_the_list_of_exceptions_is_no_longer_than_it_must_be() -> None:
    assert sorted(UNREAD.keys() - unread()) == []
