"""Secrets as the rest of the gateway asks for them: resolved once, kept in memory only, known to the redactor (CFG-15)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, assert_never

from pydantic import BaseModel, ValidationError

from openclaw_kernel.config.dotenv import with_vars
from openclaw_kernel.config.problems import dotted
from openclaw_kernel.config.schema import OpenClawConfig, SecretRef
from openclaw_kernel.config.schema.secrets import EnvSecrets, ExecSecrets, FileSecrets, SecretProvider
from openclaw_kernel.config.secret_sources import SourceError, from_env, from_file, from_program
from openclaw_kernel.values.errors import UserError

_UNFILLED = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_MIN_KNOWN = 6
"""A shorter value would redact ordinary words."""


class SecretError(UserError):
    """A secret that cannot be had. `where` is the key that asks for it, or who does."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"The secret for {where} cannot be resolved: {reason}.")
        self.where = where


class _Snapshot:
    """What one configuration says of its secrets, and the values found so far."""

    def __init__(self, config: OpenClawConfig, env: Mapping[str, str]) -> None:
        self.providers = config.secrets.providers
        self.defaults = config.secrets.defaults
        self.refs = list(_refs(config, ()))
        self.env = with_vars(env, config.env.vars)
        self.values: dict[tuple[str, str, str], str] = {}

    def resolve(self, ref: SecretRef, where: str) -> str:
        name = self.defaults.get(ref.source, ref.provider) if ref.provider == "default" else ref.provider
        key = (ref.source, name, ref.id)
        found = self.values.get(key)
        if found is None:
            try:
                found = self.values[key] = self._fetch(ref, name)
            except SourceError as error:
                raise SecretError(where, str(error)) from error
        return found

    def _fetch(self, ref: SecretRef, name: str) -> str:
        provider: SecretProvider | None = self.providers.get(name)
        if provider is None and ref.source == "env" and name == "default":
            provider = EnvSecrets(source="env")
        if provider is None:
            raise SourceError(f'there is no secrets.providers.{name}; add it with source "{ref.source}"')
        if provider.source != ref.source:
            raise SourceError(f'secrets.providers.{name} has source "{provider.source}", not "{ref.source}"')
        match provider:
            case EnvSecrets():
                return from_env(provider, ref.id, self.env)
            case FileSecrets():
                return from_file(provider, ref.id, self.env)
            case ExecSecrets():
                return from_program(provider, name, ref.id, self.env)
            case _:
                assert_never(provider)


class Secrets:
    """The secrets of the configuration in force. A value once resolved stays the same until `renew` swaps the whole snapshot.
    Safe to share between threads."""

    def __init__(self, config: OpenClawConfig, env: Mapping[str, str]) -> None:
        self._process_env = env
        self._snapshot = _Snapshot(config, env)
        self._known: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Secrets({len(self._snapshot.values)} resolved)"

    def resolve(self, value: str | SecretRef | None, where: str) -> str:
        """The secret itself; `where` names its key for the error. None is the empty text.

        The first time a file is read or a program run, which blocks (5 s at most by default): call `preload` in a thread
        before. Raises `SecretError`.
        """
        if value is None:
            return ""
        if isinstance(value, str):
            return self._plain(value, where)
        found = self._snapshot.resolve(value, where)
        self._remember(found)
        return found

    def preload(self) -> dict[str, SecretError]:
        """Resolve every reference in the config; returns the failures by dotted key: one owner's must not stop the rest."""
        return self._fill(self._snapshot)

    def renew(self, config: OpenClawConfig) -> dict[str, SecretError]:
        """Resolve everything a changed configuration asks for, then swap to it whole. Blocks and answers as `preload` does.

        Values of before stay known to redaction: they may still be in what is written later.
        """
        fresh = _Snapshot(config, self._process_env)
        failures = self._fill(fresh)
        self._snapshot = fresh
        return failures

    def known(self) -> frozenset[str]:
        """Every value resolved so far, for redaction; values of fewer than 6 characters are left out."""
        return self._known

    def _plain(self, text: str, where: str) -> str:
        unfilled = _UNFILLED.search(text)
        if unfilled:
            raise SecretError(where, f"the environment variable {unfilled[1]} is not set")
        self._remember(text)
        return text

    def _remember(self, text: str) -> None:
        if len(text) >= _MIN_KNOWN and text not in self._known:
            with self._lock:
                self._known |= {text}

    def _fill(self, snapshot: _Snapshot) -> dict[str, SecretError]:
        failures: dict[str, SecretError] = {}
        for where, ref in snapshot.refs:
            try:
                self._remember(snapshot.resolve(ref, where))
            except SecretError as error:
                failures[where] = error
        return failures


def _refs(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str, SecretRef]]:
    """Every reference below `value` with its dotted key."""
    match value:
        case SecretRef():
            yield dotted(at), value
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from _refs(getattr(value, name), (*at, field.alias or name))
        case {"source": str(), "id": str()} if set(value) <= set(SecretRef.model_fields):  # in a section that others define
            with suppress(ValidationError):
                yield dotted(at), SecretRef.model_validate(value)
        case dict():
            for key, item in value.items():
                yield from _refs(item, (*at, str(key)))
        case list():
            for number, item in enumerate(value):
                yield from _refs(item, (*at, number))
        case _:
            return
