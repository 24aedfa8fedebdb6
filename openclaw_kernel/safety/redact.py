"""Hiding secrets in anything that is shown, logged or stored (SAF-26).

Two nets: the values this process resolved itself (`known`), and the shapes of well-known keys. The text may be made to stop the
house: a shape has no run without an end in front of what decides it, so the time grows with the length and not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

PLACEHOLDER = "[redacted: use a ${NAME} reference]"

_MIN_KNOWN = 4
"""A shorter known value would tear holes into ordinary words."""

_WHOLE = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
  | (?<![A-Za-z0-9])(?:
        sk-[A-Za-z0-9_-]{16,}                       # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-)
      | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
      | xox[abeoprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}
      | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[A-Za-z0-9_-]{30,}
      | hf_[A-Za-z0-9]{20,} | gsk_[A-Za-z0-9]{20,} | xai-[A-Za-z0-9]{20,} | tvly-[A-Za-z0-9-]{16,} | npm_[A-Za-z0-9]{30,}
      | pypi-[A-Za-z0-9_-]{40,} | [rs]k_(?:live|test)_[A-Za-z0-9]{16,}
      | \d{8,10}:[A-Za-z0-9_-]{35}                  # Telegram bot token
      | eyJ[A-Za-z0-9_-]{8,1000}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    )
    """,
    re.VERBOSE,
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)([A-Za-z0-9._~+/=-]{12,})")
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)([^\s/@]+)(@)")
_ASSIGNED = re.compile(
    r"""(?ix)
    ((?:api[_-]?key|secret|passw(?:or)?d|passphrase|access[_-]?token|auth[_-]?token|bot[_-]?token)
    [A-Z0-9_-]{0,80}["']?\s*[=:]\s*["']?)
    (?!\$\{|__OPENCLAW_REDACTED__|\[redacted)
    ([^\s"'&,;}]{6,})
    """
)


class Redactor:
    """Replaces secrets in text. `known` is asked on every call, so a secret resolved later is hidden too.

    `patterns` are regular expressions of the configuration, for what is secret in one house alone. Without `shapes` only what
    is known or matches them is hidden, not what merely looks like a key.
    """

    def __init__(
        self,
        known: Callable[[], Iterable[str]] = tuple,
        patterns: Callable[[], Sequence[str]] = tuple,
        shapes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._known = known
        self._patterns = patterns
        self._shapes = shapes
        self._own: tuple[tuple[str, ...], tuple[re.Pattern[str], ...]] = ((), ())
        self._seen: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """`text` with every secret replaced by a placeholder that says how to refer to one."""
        pattern = self._known_pattern()
        if pattern is not None:
            text = pattern.sub(PLACEHOLDER, text)
        for own in self._own_patterns():
            text = own.sub(PLACEHOLDER, text)
        if not self._shapes():
            return text
        text = _WHOLE.sub(PLACEHOLDER, text)
        text = _BEARER.sub(lambda m: f"{m[1]}{m[2]}{PLACEHOLDER}", text)
        text = _URL_USER.sub(lambda m: f"{m[1]}{PLACEHOLDER}{m[3]}", text)
        return _ASSIGNED.sub(lambda m: f"{m[1]}{PLACEHOLDER}", text)

    def value(self, value: Any) -> Any:
        """The same for a JSON value: every string inside it, keys excepted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def _own_patterns(self) -> tuple[re.Pattern[str], ...]:
        """Those of the configuration in force; the schema has tried them."""
        wanted = tuple(self._patterns())
        if wanted != self._own[0]:
            self._own = (wanted, tuple(map(re.compile, wanted)))
        return self._own[1]

    def _known_pattern(self) -> re.Pattern[str] | None:
        known = frozenset(secret for secret in self._known() if len(secret) >= _MIN_KNOWN)
        if known != self._seen:
            self._seen = known
            longest_first = sorted(known, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None
        return self._pattern
