"""The assistant's hand on its own settings: it may look, and propose; the owner's yes changes them (TOL-17).

What may be proposed is a list of harmless keys (`OPEN`), everything else is a person's: keys that start programs, open doors,
let people in, hold secrets, lower a guard or raise a limit. A key that a later version adds is closed until it is named here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.config.redact import REDACTED, redact
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.tools.api import Asking, Effect, Preview, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError, UserError

MAX_CHARS = 12_000
MAX_PATCH = 50
"""Keys of one change: a person has to read them all."""

_AGENT = ("model", "imageModel", "thinkingDefault", "identity", "name", "verboseDefault")
OPEN = (
    *(f"agents.defaults.{key}" for key in (*_AGENT, "userTimezone", "timeFormat", "promptProfile")),
    *(f"agents.list.*.{key}" for key in _AGENT),
    "messages.ackReaction",
    "messages.responsePrefix",
    "messages.queue",
    "session.reset",
    "session.typingMode",
    "logging.level",
    "ui.seamColor",
    "ui.assistant",
    "cron.enabled",
    "skills.entries.*.enabled",
    "tools.web.search.maxResults",
    "tools.web.fetch.maxChars",
    "channels.*.requireMention",
    "channels.*.groups.*.requireMention",
    "channels.*.ackReaction",
)
"""Dotted keys with all below them; `*` is any one name or list entry."""


class GatewayArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Literal["config.get", "config.schema.lookup", "config.patch"]
    path: str = Field("", max_length=300, description="Dotted key, for get and lookup")
    patch: dict[str, Any] = Field(default_factory=dict, description="For patch: nested keys to merge; null removes one")


def gateway_tool(config: ConfigStore) -> Tool:
    """`gateway`: read the configuration without its secrets, look up a key, propose a change."""

    async def run(args: GatewayArgs, ctx: ToolContext) -> ToolResult:
        if ctx.guest:
            raise ToolError("Only the owner may see or change the configuration.")
        match args.action:
            case "config.get":
                return _shown(_without_secrets(config.current.config.to_wire()), args.path)
            case "config.schema.lookup":
                return _shown(lookup(config.schema(), args.path), "")
            case "config.patch":
                return await _patch(config, args.patch)

    async def preview(arguments: Mapping[str, Any], _asking: Asking) -> Preview | None:
        """Refuses before anybody is asked: a person should not have to know which keys are dangerous."""
        if arguments.get("action") == "config.patch":
            patch = arguments.get("patch")
            keys = check(patch if isinstance(patch, Mapping) else {}, config.current.parsed)
            return Preview(json.dumps(patch, ensure_ascii=False, indent=2), f"Change {', '.join(keys)[:200]} in openclaw.json")
        return None

    def effect(arguments: Mapping[str, Any]) -> Effect:
        return "config" if arguments.get("action") == "config.patch" else "workspace"

    return Tool(
        "gateway",
        "Read this assistant's own configuration, look up what a key means, or propose a change, which the owner must approve.",
        GatewayArgs,
        run,
        effect="config",
        effect_of=effect,
        exclusive=True,
        groups=frozenset({"openclaw"}),
        title=lambda arguments: f"{arguments.get('action', 'config')} {arguments.get('path', '')}".strip(),
        preview=preview,
    )


def check(patch: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """The keys a patch of `old` changes. Raises `UserError` for one that only a person may change, or for nothing at all."""
    leaves = dict.fromkeys(_leaves(patch, old, ()))
    keys = sorted(".".join(path) for path in leaves)
    if not keys:
        raise UserError('the patch changes nothing; give nested keys, for example {"logging": {"level": "debug"}}.')
    if len(keys) > MAX_PATCH:
        raise UserError(f"the patch changes {len(keys)} keys; {MAX_PATCH} at most can be approved at once.")
    if closed := sorted(".".join(path) for path in leaves if not is_open(path)):
        raise UserError(f"{', '.join(closed[:5])} may only be changed by a person, with `jupyter openclaw config set`.")
    text = json.dumps(patch, ensure_ascii=False, default=str)
    if REDACTED in text or "${" in text:
        raise UserError("the patch holds a placeholder or a reference to the environment; write plain values.")
    return keys


def is_open(path: tuple[str, ...]) -> bool:
    """Whether the assistant may propose a change at `path` or below it. `$include` would bring in anything."""
    if any(name.startswith("$") for name in path):
        return False
    for key in OPEN:
        wanted = key.split(".")
        if len(path) >= len(wanted) and all(want in ("*", have) for want, have in zip(wanted, path, strict=False)):
            return True
    return False


def lookup(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What the schema says of one key: its words and the names below it. Raises `ToolError` for an unknown one."""
    node: Any = _deref(schema, schema)
    for name in (part for part in path.split(".") if part):
        below = node.get("properties", {}).get(name)
        extra = node.get("additionalProperties")
        below = below if below is not None else node.get("items") if node.get("type") == "array" else extra
        if not isinstance(below, dict):
            raise ToolError(f"The configuration has no key {path!r}.")
        node = _deref(below, schema)
    found = {key: value for key, value in node.items() if key not in ("properties", "$defs", "title", "additionalProperties")}
    return found | {"path": path, "keys": sorted(node.get("properties", {})), "open": is_open(tuple(path.split(".")))}


async def _patch(config: ConfigStore, patch: Mapping[str, Any]) -> ToolResult:
    try:
        keys = check(patch, config.current.parsed)
        loaded = await config.patch(patch, config.current.hash if config.current.exists else None)
    except (UserError, OpenClawError) as error:
        raise ToolError(f"The configuration was not changed: {error}") from error
    return text_result(f"Changed {', '.join(keys)} in {loaded.path.name}.", keys=keys)


def _leaves(value: Mapping[str, Any], old: Any, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every changed place. A list of entries with ids is merged by id, so its entries are gone through."""
    for key, item in value.items():
        path, before = (*at, str(key)), old.get(key) if isinstance(old, Mapping) else None
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, before, path)
        elif isinstance(item, list) and any(isinstance(row, Mapping) for row in item):
            yield from _entries(item, before, path)
        else:
            yield path


def _entries(rows: list[Any], old: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The changes of known entries; any other list of objects replaces or adds some whole, which is the list's own place."""
    known = {row.get("id"): row for row in old if isinstance(row, Mapping)} if isinstance(old, list) else {}
    for row in rows:
        if not isinstance(row, Mapping) or not isinstance(row.get("id"), str) or row["id"] not in known or None in known:
            yield path
            continue
        yield from _leaves({key: item for key, item in row.items() if key != "id"}, known[row["id"]], (*path, row["id"]))


def _without_secrets(wire: Mapping[str, Any]) -> Any:
    return _no_env(redact(wire))


def _no_env(value: Any) -> Any:
    """Variables of programs are secrets more often than not, whatever their names."""
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(item, REDACTED) if key == "env" and isinstance(item, dict) and _flat(item) else _no_env(item)
            for key, item in value.items()
        }
    return [_no_env(item) for item in value] if isinstance(value, list) else value


def _flat(value: Mapping[str, Any]) -> bool:
    return all(isinstance(item, str) for item in value.values())


def _shown(value: Any, path: str) -> ToolResult:
    for name in (part for part in path.split(".") if part):
        if isinstance(value, list):
            value = next((row for row in value if isinstance(row, dict) and row.get("id") == name), None)
        else:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            raise ToolError(f"The configuration has nothing at {path!r}.")
    text = json.dumps(value, ensure_ascii=False, indent=1)
    cut = f"\n[cut: {MAX_CHARS} of {len(text)} characters; ask for a path]" if len(text) > MAX_CHARS else ""
    return text_result(text[:MAX_CHARS] + cut, path=path)


def _deref(node: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    while isinstance(node, dict) and ("$ref" in node or "anyOf" in node):
        if "$ref" in node:
            node = root.get("$defs", {}).get(str(node["$ref"]).rsplit("/", 1)[-1], {})
        else:
            node = next((option for option in node["anyOf"] if option.get("type") != "null"), {})
    return node if isinstance(node, dict) else {}
