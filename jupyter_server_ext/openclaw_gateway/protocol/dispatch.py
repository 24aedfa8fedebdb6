"""Requests to handlers: parameters, scopes and error shapes in one place (protocol section 2, contracts.md)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from openclaw_gateway.protocol import scopes
from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.frames import Request
from openclaw_gateway.protocol.problems import describe
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import OpenClawError, UserError, invalid

log = logging.getLogger(__name__)

P = TypeVar("P", bound=BaseModel)


class Params(BaseModel):
    """Base of parameter models: camelCase on the wire, nothing unknown."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)


class NoParams(Params):
    """A method without parameters."""


@dataclass(frozen=True, slots=True)
class TwoStep:
    """A method that answers twice under one id: `accepted` at once, `final` when it is done (protocol section 4)."""

    accepted: Mapping[str, Any]
    final: Awaitable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler knows of its caller. `services` is the gateway's own bundle, typed by methods/."""

    connection: Connection
    scopes: frozenset[str]
    services: Any

    def require(self, scope: str) -> None:
        """For what depends on the parameters. Raises `FORBIDDEN` when the caller lacks `scope`."""
        if scope not in self.scopes:
            raise scopes.missing_scope(scope)

    @property
    def by(self) -> str:
        """Who calls, for people to read."""
        return self.connection.client.display_name or self.connection.client.id or self.connection.conn_id

    @property
    def is_admin(self) -> bool:
        return scopes.ADMIN in self.scopes


Handler = Callable[[Any, Call], Awaitable[Mapping[str, Any] | Sequence[Any] | TwoStep]]


@dataclass(frozen=True, slots=True)
class Method(Generic[P]):
    """One method. `scope` is an operator scope, `node`, or `dynamic`: then `scope_of(params)` names it, and without that the
    floor is `operator.write` and the handler asks `call.require` for more.
    """

    name: str
    params: type[P]
    handler: Handler
    scope: str
    scope_of: Callable[[P], str] | None = None


class Family(Protocol):
    """Methods that are loaded together with the first call to one of them."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def load(self) -> Sequence[Method[Any]]: ...


class Dispatcher:
    """Finds the method, checks the caller, reads the parameters, runs the handler, answers.

    `services` is handed to every call; the composition root sets it when its parts exist.
    """

    def __init__(self, methods: Sequence[Method[Any]] = (), services: Any = None, families: Sequence[Family] = ()) -> None:
        self._methods: dict[str, Method[Any] | Family] = {name: family for family in families for name in family.names}
        for method in methods:
            self.add(method)
        self.services = services

    def add(self, method: Method[Any]) -> None:
        """Raises `ValueError` for a name that is taken."""
        if method.name in self._methods or method.name == "connect":
            raise ValueError(f"method {method.name} is registered twice")
        self._methods[method.name] = method

    def get(self, name: str) -> Method[Any] | None:
        found = self._methods.get(name)
        if found is None or isinstance(found, Method):
            return found
        self._methods |= {method.name: method for method in found.load()}
        method = self._methods[name]
        assert isinstance(method, Method), f"{name} is not among the methods of its family"
        return method

    def names(self) -> list[str]:
        """For `features.methods` of `hello-ok`."""
        return list(self._methods)

    async def dispatch(self, connection: Connection, frame: Request) -> None:
        """Runs one request and sends its response or responses. Raises nothing but cancellation."""
        try:
            result = await self.call(frame.method, frame.params, connection)
            if isinstance(result, TwoStep):
                connection.respond(frame.id, result.accepted)
                result = await result.final
            connection.respond(frame.id, result)
        except OpenClawError as error:
            log.info("method %s refused: %s: %s", frame.method[:100], error.code, error.message)
            connection.fail(frame.id, error)
        except UserError as error:
            log.warning("method %s refused: %s", frame.method, error)
            connection.fail(frame.id, invalid(str(error)))
        except Exception:
            log.exception("method %s failed", frame.method)
            connection.fail(frame.id, OpenClawError("UNAVAILABLE", "internal error"))

    async def call(self, name: str, params: Mapping[str, Any], connection: Connection) -> Any:
        """Checks and runs a method; the handler's own result. Raises `OpenClawError` and whatever the handler raises."""
        method = self.get(name)
        if method is None:
            raise self._unknown(name, connection)
        _check_role(method, connection)
        if method.scope != scopes.DYNAMIC:
            _check_scope(method.scope, connection)
        try:
            value = method.params.model_validate(params)
        except ValidationError as error:
            raise invalid(f"invalid {name} params: {describe(error)}") from None
        if method.scope == scopes.DYNAMIC:
            _check_scope(method.scope_of(value) if method.scope_of else scopes.WRITE, connection)
        return await method.handler(value, Call(connection, connection.effective_scopes, self.services))

    def _unknown(self, name: str, connection: Connection) -> OpenClawError:
        """Unknown methods need admin, so that names cannot be probed; so does a second `connect`."""
        if not connection.has_scope(scopes.ADMIN):
            return scopes.missing_scope(scopes.ADMIN)
        if name == "connect":
            return invalid("connect is only valid as the first request")
        return invalid(f"unknown method: {name[:100]}")


def _check_role(method: Method[Any], connection: Connection) -> None:
    if (method.scope == scopes.NODE) != (connection.role == "node"):
        raise invalid(f"unauthorized role: {connection.role}")


def _check_scope(scope: str, connection: Connection) -> None:
    if scope and scope != scopes.NODE and not connection.has_scope(scope):
        raise scopes.missing_scope(scope)


class WriteLimit:
    """At most `limit` calls a window for one caller: three config writes a minute, as the original."""

    def __init__(self, limit: int = 3, window_ms: int = 60_000, clock: Clock = system_clock) -> None:
        self._limit, self._window, self._clock = limit, window_ms, clock
        self._calls: dict[str, deque[int]] = {}

    def check(self, method: str, connection: Connection) -> None:
        """Counts this call. Raises `UNAVAILABLE` with `retryAfterMs` when it is one too many."""
        now = self._clock()
        self._forget(now)
        caller = f"{connection.device_id or connection.client.id}|{connection.peer.remote_ip}"
        calls = self._calls.setdefault(caller, deque(maxlen=self._limit))
        if len(calls) == self._limit:
            wait = calls[0] + self._window - now
            seconds = -(-wait // 1000)
            message = f"rate limit exceeded for {method}; retry after {seconds}s"
            details = {"method": method, "limit": f"{self._limit} per {self._window // 1000}s"}
            raise OpenClawError("UNAVAILABLE", message, details, retryable=True, retry_after_ms=wait)
        calls.append(now)

    def _forget(self, now: int) -> None:
        for caller, calls in list(self._calls.items()):
            while calls and calls[0] + self._window <= now:
                calls.popleft()
            if not calls:
                del self._calls[caller]
