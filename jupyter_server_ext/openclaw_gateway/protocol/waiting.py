"""Pairing requests that wait for a person's answer, of devices and of nodes (PRO-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import invalid

TTL_MS = 300_000
"""A request nobody answers in five minutes is gone; who still wants in asks again."""
MAX_WAITING = 32


class _Request(Protocol):
    @property
    def request_id(self) -> str: ...

    @property
    def ts(self) -> int: ...


R = TypeVar("R", bound=_Request)


class Waiting(Generic[R]):
    """`what` names those who wait, `method` lists them; both are for the sentence when there are too many.

    `on_requested` and `on_resolved` (with `approved`, `rejected` or `withdrawn`) hear of every change but expiry.
    """

    def __init__(self, what: str, method: str, clock: Clock) -> None:
        self._what, self._method = what, method
        self._clock = clock
        self._requests: dict[str, R] = {}
        self.on_requested: list[Callable[[R], None]] = []
        self.on_resolved: list[Callable[[R, str], None]] = []

    def rows(self) -> list[R]:
        """Requests of the last five minutes, oldest first."""
        expired = [key for key, request in self._requests.items() if request.ts + TTL_MS <= self._clock()]
        for key in expired:
            del self._requests[key]
        return list(self._requests.values())

    def find(self, request_id: str) -> R:
        """Raises `OpenClawError` for an id that does not wait."""
        for request in self.rows():
            if request.request_id == request_id:
                return request
        raise invalid("unknown requestId")

    def put(self, request: R, *, instead_of: R | None = None) -> R:
        """Asks the operators. Raises `OpenClawError` when too many wait; `instead_of` does not count."""
        if instead_of is not None:
            del self._requests[instead_of.request_id]
        if len(self.rows()) >= MAX_WAITING:
            raise invalid(f"too many {self._what}; approve or reject some with {self._method}")
        self._requests[request.request_id] = request
        for listener in self.on_requested:
            listener(request)
        return request

    def resolve(self, request: R, decision: str) -> None:
        del self._requests[request.request_id]
        for listener in self.on_resolved:
            listener(request, decision)
