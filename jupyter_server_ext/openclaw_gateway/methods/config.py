"""The configuration: read redacted, written with an optimistic lock (protocol section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method, WriteLimit
from openclaw_kernel.config.loader import LoadedConfig
from openclaw_kernel.config.redact import redact
from openclaw_kernel.values.clock import iso
from openclaw_kernel.values.errors import invalid

_WRITES = WriteLimit()


class ConfigGetParams(Params):
    include_provenance: bool | None = None


class ConfigWriteParams(Params):
    raw: str = Field(min_length=1)
    base_hash: str | None = None
    session_key: str | None = None
    delivery_context: Any = None
    note: str | None = None
    restart_delay_ms: int | None = None
    replace_paths: list[str] | None = None


class LookupParams(Params):
    path: str


async def config_get(_params: ConfigGetParams, call: Call) -> dict[str, Any]:
    return parts(call).config.snapshot()


def _base_hash(services: GatewayServices, params: ConfigWriteParams) -> str | None:
    if params.base_hash is None and services.config.current.exists:
        raise invalid("config base hash required; re-run config.get and retry")
    return params.base_hash


def _written(before: LoadedConfig, after: LoadedConfig) -> dict[str, Any]:
    return {
        "ok": True,
        "path": str(after.path),
        "hash": after.hash,
        "config": redact(after.parsed),
        "changedPaths": changed_paths(before.parsed, after.parsed),
    }


def changed_paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Top-level keys that differ."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


async def config_set(params: ConfigWriteParams, call: Call) -> dict[str, Any]:
    """The whole text anew. Redacted places keep the secret they stand for."""
    services = parts(call)
    _WRITES.check("config.set", call.connection)
    before = services.config.current
    return _written(before, await services.config.write(params.raw, _base_hash(services, params)))


async def config_patch(params: ConfigWriteParams, call: Call) -> dict[str, Any]:
    """A merge patch: `null` removes a key; comments of the file stay."""
    services = parts(call)
    _WRITES.check("config.patch", call.connection)
    try:
        patch = orjson.loads(params.raw)
    except orjson.JSONDecodeError:
        raise invalid("invalid config.patch params: raw is not a JSON object") from None
    if not isinstance(patch, dict):
        raise invalid("invalid config.patch params: raw is not a JSON object")
    before = services.config.current
    return _written(before, await services.config.patch(patch, _base_hash(services, params)))


async def config_schema(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    schema = services.config.schema()
    return {"schema": schema, "uiHints": {}, "version": services.version, "generatedAt": iso(services.started_at)}


async def schema_lookup(params: LookupParams, call: Call) -> dict[str, Any]:
    """One path of the schema, `gateway.port` for instance."""
    root = parts(call).config.schema()
    node: Any = root
    for name in (part for part in params.path.split(".") if part and part != "*"):
        node = _child(_deref(node, root), name)
        if node is None:
            raise invalid(f"config schema path not found: {params.path}")
    node = _deref(node, root)
    children = [
        {"key": name, "path": f"{params.path}.{name}".strip("."), "required": name in node.get("required", ())}
        for name in node.get("properties", {})
    ]
    return {"path": params.path, "schema": node, "children": children}


def _deref(node: Any, root: Mapping[str, Any]) -> Any:
    while isinstance(node, dict) and ("$ref" in node or "anyOf" in node):
        if "$ref" in node:
            node = root.get("$defs", {}).get(str(node["$ref"]).rsplit("/", 1)[-1], {})
        else:
            node = next((option for option in node["anyOf"] if option.get("type") != "null"), {})
    return node


def _child(node: Any, name: str) -> Any:
    found = node.get("properties", {}).get(name)
    if found is not None:
        return found
    extra = node.get("additionalProperties")
    return extra if isinstance(extra, dict) else None


METHODS = [
    Method("config.get", ConfigGetParams, config_get, "operator.read"),
    Method("config.set", ConfigWriteParams, config_set, "operator.admin"),
    Method("config.apply", ConfigWriteParams, config_set, "operator.admin"),
    Method("config.patch", ConfigWriteParams, config_patch, "operator.admin"),
    Method("config.schema", NoParams, config_schema, "operator.read"),
    Method("config.schema.lookup", LookupParams, schema_lookup, "operator.read"),
]
