"""How each credential is doing: when it was used, how often it failed in a row, until when it is left alone (MOD-11, MOD-13).

Rows live in `<state>/auth-profiles.jsonl`. What one model of a provider refuses does not hold for the others, so a row is about
a credential and a model; what is wrong with the credential itself is in the row without a model.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.models import failures
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.messages import ErrorKind, ModelFailure

log = logging.getLogger(__name__)

CredentialKind = Literal["oauth", "token", "api_key"]
RANK: dict[CredentialKind, int] = {"oauth": 0, "token": 1, "api_key": 2}  # MOD-14
LADDER_S = (1.0, 5.0, 30.0, 300.0, 1800.0)  # MOD-11
DISABLE_S = 600.0  # MOD-10
WRITE_EVERY_MS = 60_000
"""How stale the time of the last use on disk may be while all goes well."""
_OF_THE_MODEL: frozenset[ErrorKind] = frozenset(("rate_limit", "overloaded", "network", "timeout"))
_OF_THE_CREDENTIAL: frozenset[ErrorKind] = frozenset(("auth", "billing"))


@dataclass(frozen=True, slots=True)
class Profile:
    """A credential by name. `source` says where it is kept; `none` stands for a provider that needs none."""

    id: str
    provider: str
    kind: CredentialKind = "api_key"
    source: Literal["config", "stored", "environment", "none"] = "config"


@dataclass(frozen=True, slots=True)
class Health:
    """One row. Times are milliseconds. `errors` counts failures in a row; `mark` tells one key from the next."""

    id: str
    last_used_at: int = 0
    uses: int = 0
    failures: int = 0
    errors: int = 0
    cooldown_until: int = 0
    disabled_until: int = 0
    reason: str = ""
    mark: str = ""

    @property
    def ready_at(self) -> int:
        return max(self.cooldown_until, self.disabled_until)


@dataclass(frozen=True, slots=True)
class Preference:
    """The credential a session's calls to a provider stay with, so that prompt caches stay warm (MOD-14)."""

    id: str
    profile: str


class Profiles:
    """The rows of all credentials. Without a path they last as long as the process."""

    def __init__(self, state_dir: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._rows = _Table(state_dir and state_dir / "auth-profiles.jsonl", Health)
        self._sticky = _Table(state_dir and state_dir / "auth-sessions.jsonl", Preference)
        self._written: dict[str, int] = {}
        self.ladder_s: Sequence[float] = LADDER_S
        self.disable_s = DISABLE_S

    def health(self, profile_id: str, model_id: str = "") -> Health:
        found: Health | None = self._rows.get(_row_id(profile_id, model_id))
        return found or Health(_row_id(profile_id, model_id))

    def ready_at(self, profile_id: str, model_id: str, credential: str) -> int:
        """When it may be used for a model; 0 for now. A key that was replaced starts anew."""
        now, found = self._clock(), 0
        for name in ("", model_id):
            row = self._rows.get(_row_id(profile_id, name))
            if row is not None and row.ready_at > now and row.mark == fingerprint(credential):
                found = max(found, row.ready_at)
        return found

    def failed(self, profile_id: str, model_id: str, failure: ModelFailure, credential: str) -> Health:
        """Books a failure; returns the row with the time until which this credential is left alone."""
        if failure.kind in _OF_THE_CREDENTIAL:
            name = ""
        elif failure.kind in _OF_THE_MODEL:
            name = model_id
        else:
            return self.health(profile_id, model_id)
        mark, row, now = fingerprint(credential), self.health(profile_id, name), self._clock()
        errors = row.errors + 1 if row.mark == mark else 1
        row = replace(row, errors=errors, failures=row.failures + 1, last_used_at=now, mark=mark, reason=failure.kind)
        if failures.is_lasting(failure):
            row = replace(row, disabled_until=now + round(self.disable_s * 1000))
        else:
            row = replace(row, cooldown_until=now + max(self._step_ms(failure.kind, errors), failure.retry_after_ms or 0))
        self._rows.put(row)
        return row

    def succeeded(self, profile_id: str, model_id: str) -> None:
        """Used well: the ladder begins anew."""
        self.recovered(profile_id, model_id)
        now, row = self._clock(), self.health(profile_id)
        row = replace(row, uses=row.uses + 1, last_used_at=now)
        if now - self._written.get(row.id, 0) >= WRITE_EVERY_MS:
            self._written[row.id] = now
            self._rows.put(row)
        else:
            self._rows.keep(row)

    def recovered(self, profile_id: str, model_id: str) -> None:
        for name in ("", model_id):
            row = self._rows.get(_row_id(profile_id, name))
            if row is not None and row.errors:
                self._rows.put(replace(row, errors=0, cooldown_until=0, disabled_until=0, reason=""))

    def preferred(self, session_key: str, provider: str) -> str:
        """The credential a session used last at a provider, empty for none."""
        row: Preference | None = self._sticky.get(f"{session_key}|{provider}")
        return row.profile if row is not None else ""

    def prefer(self, session_key: str, provider: str, profile_id: str) -> None:
        if session_key and self.preferred(session_key, provider) != profile_id:
            self._sticky.put(Preference(f"{session_key}|{provider}", profile_id))

    def close(self) -> None:
        self._rows.close()
        self._sticky.close()

    def _step_ms(self, kind: ErrorKind, errors: int) -> int:
        """The wait after so many failures in a row; an overloaded provider gets one step more (MOD-10)."""
        step = errors if kind == "overloaded" else errors - 1
        return round(self.ladder_s[min(step, len(self.ladder_s) - 1)] * 1000)


class _Table:
    """A ledger that is opened when it is first needed, or rows in memory alone."""

    def __init__(self, path: Path | None, row: type[Any]) -> None:
        self._path = path
        self._names = tuple(field.name for field in fields(row))
        self._row = row
        self._ledger: Ledger[Any] | None = None
        self._rows: dict[str, Any] | None = {} if path is None else None

    def get(self, id: str) -> Any:
        return self._loaded().get(id)

    def put(self, row: Any) -> None:
        self._loaded()[row.id] = row
        if self._ledger is not None:
            try:
                self._ledger.put(row)
            except StoreError as error:
                log.error("how a credential is doing is kept in memory alone: %s", error)

    def keep(self, row: Any) -> None:
        """In memory alone."""
        self._loaded()[row.id] = row

    def close(self) -> None:
        """What was kept in memory alone is written first."""
        if self._ledger is None:
            return
        for row in self._loaded().values():
            if self._ledger.get(row.id) != row:
                self.put(row)
        self._ledger.close()
        self._ledger = self._rows = None

    def _loaded(self) -> dict[str, Any]:
        if self._rows is None:
            assert self._path is not None
            try:
                self._ledger = self._opened(self._path)
                self._rows = {row.id: row for row in self._ledger.rows()}
            except StoreError as error:
                log.error("how credentials are doing is kept in memory alone: %s", error)
                self._rows = {}
        return self._rows

    def _opened(self, path: Path) -> Ledger[Any]:
        return Ledger(
            path,
            key=lambda row: str(row.id),
            encode=lambda row: {name: getattr(row, name) for name in self._names},
            decode=lambda wire: self._row(**wire),
        )


def ordered(
    profiles: Sequence[Profile], explicit: Sequence[str], preferred: str, last_used_at: Callable[[str], int]
) -> list[Profile]:
    """Which credential first (MOD-14): the explicit order, else OAuth, token, key by oldest use; the session's own leads."""
    by_id = {profile.id: profile for profile in profiles}
    if explicit:
        found = [by_id[name] for name in explicit if name in by_id]
    else:
        found = sorted(profiles, key=lambda profile: (RANK[profile.kind], last_used_at(profile.id)))
    found.sort(key=lambda profile: profile.id != preferred)
    return found


def fingerprint(credential: str) -> str:
    """Tells one key from another without holding it."""
    return hashlib.blake2b(credential.encode(), digest_size=6).hexdigest() if credential else ""


def _row_id(profile_id: str, model_id: str) -> str:
    return f"{profile_id}|{model_id}" if model_id else profile_id
