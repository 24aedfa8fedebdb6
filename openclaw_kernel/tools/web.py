"""What the web tools share: their settings, the guarded way out, and what was read a moment ago (TOL-09, TOL-10)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from openclaw_kernel._version import __version__
from openclaw_kernel.config.schema.base import SecretRef
from openclaw_kernel.config.schema.tools import WebTools
from openclaw_kernel.safety import ssrf
from openclaw_kernel.values.clock import Clock, system_clock

USER_AGENT = f"Mozilla/5.0 (compatible; jupyter-openclaw/{__version__})"
KEPT = 100
KNOWN_ADDRESSES = 500

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key for some time, the newest `limit` of them."""

    def __init__(self, clock: Clock, limit: int = KEPT) -> None:
        self._clock = clock
        self._limit = limit
        self._values: OrderedDict[object, tuple[int, T]] = OrderedDict()

    def get(self, key: object, ttl_ms: int) -> T | None:
        at, value = self._values.get(key, (0, None))
        return value if value is not None and self._clock() - at < ttl_ms else None

    def put(self, key: object, value: T) -> None:
        self._values.pop(key, None)
        self._values[key] = (self._clock(), value)
        while len(self._values) > self._limit:
            self._values.popitem(last=False)


def _plain_secret(value: str | SecretRef | None, _where: str) -> str:
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Web:
    """The way out of one gateway. `settings` is `tools.web` as it is now; `secret` resolves a key, `env` may hold one too."""

    settings: Callable[[], WebTools] = WebTools
    secret: Callable[[str | SecretRef | None, str], str] = _plain_secret
    env: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = system_clock
    lookup: ssrf.Lookup = ssrf.resolve
    pages: Recent[Any] = field(init=False)
    searches: Recent[Any] = field(init=False)
    _found: Recent[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Recent(self.clock)
        self.searches = Recent(self.clock)
        self._found = Recent(self.clock, KNOWN_ADDRESSES)

    async def request(
        self, method: str, url: str, *, allowed: Collection[str] = (), headers: Mapping[str, str] | None = None, **more: Any
    ) -> ssrf.Answer:
        """See `ssrf.request`."""
        sent = {"User-Agent": self.settings().fetch.user_agent or USER_AGENT, **(headers or {})}
        return await ssrf.request(method, url, headers=sent, allowed=allowed, lookup=self.lookup, **more)

    def found(self, url: str) -> None:
        """A search named this address."""
        self._found.put(url, True)

    def was_found(self, url: str) -> bool:
        """Whether a search named exactly this address lately: then nobody here has put words of his own into it."""
        return bool(self._found.get(url, self.settings().search.cache_ttl_minutes * 60_000))
