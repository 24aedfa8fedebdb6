"""Reading a channel's block: the account `default` first, the others with what they inherit (CHN-05)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from openclaw_kernel.config.problems import describe, dotted
from openclaw_kernel.config.schema.channels import AccountSettings
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT
from openclaw_kernel.values.errors import UserError

S = TypeVar("S", bound=AccountSettings)
M = TypeVar("M", bound=BaseModel)


def read_accounts(
    channel: str, block: Mapping[str, Any], model: type[S], own: frozenset[str]
) -> Iterator[tuple[str, S, str, bool]]:
    """Each account: name, settings, its path in the config, whether it is switched on. `own` are the keys that accounts do not
    inherit. Raises `UserError` with every problem of the first wrong account by its path."""
    where = f"channels.{channel}"
    named = block.get("accounts") or {}
    if not isinstance(named, Mapping) or not all(isinstance(row, Mapping) for row in named.values()):
        raise UserError(f"{where}.accounts must be an object of accounts.")
    on = block.get("enabled") is not False
    base = {key: value for key, value in block.items() if key != "accounts"}
    settings = read(model, {**base, **named.get(DEFAULT_ACCOUNT, {})}, where)
    yield DEFAULT_ACCOUNT, settings, where, on and settings.enabled
    shared = {key: value for key, value in base.items() if key not in own}
    for name, row in named.items():
        if name != DEFAULT_ACCOUNT:
            path = f"{where}.accounts.{name}"
            settings = read(model, {**shared, **row}, path)
            yield name, settings, path, on and settings.enabled


def read(model: type[M], data: Mapping[str, Any], where: str) -> M:
    """Raises `UserError` with every problem by its path."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        rows = [f"{where}.{dotted(path)}: {sentence}" for path, sentence in describe(error, data, model)]
        raise UserError("; ".join(rows) + ".") from None
