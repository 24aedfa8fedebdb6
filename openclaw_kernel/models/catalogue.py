"""What is known about models: providers by name, rows for their models, and the rows a user wrote (MOD-03 to MOD-06).

Prices are US dollars per million tokens as published by the vendors; 0 means unknown or free, so no cost shown is invented.
A model without a row still works: it gets its provider's defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openclaw_kernel.models.api import Model, ModelCost, WireFormat
from openclaw_kernel.models.offline import OFFLINE
from openclaw_kernel.models.vendors import LEGACY, OTHER_NAMES, VENDORS, Vendor
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.config.schema import OpenClawConfig

__all__ = ["FORMATS", "KNOWN", "VENDORS", "Catalogue", "Vendor"]

TEXT_IMAGE = ("text", "image")
FORMATS: tuple[WireFormat, ...] = ("anthropic-messages", "openai-completions", "openai-responses", "offline")


def _claude(
    id: str,
    name: str,
    window: int,
    out: int,
    price: tuple[float, float],
    thinking: str,
    *,
    cache_read: float | None = None,
    long: tuple[int, float, float] | None = None,
) -> Model:
    """A Claude row. A cache read costs 0.1 of the input price unless said otherwise, a write of five minutes 1.25.

    `thinking`: `budget` (a number of tokens), `adaptive` (can be switched off) or `always` (cannot).
    """
    entry, output = price
    return Model(
        id=id,
        provider="anthropic",
        api="anthropic-messages",
        name=name,
        reasoning=True,
        input=TEXT_IMAGE,
        context_window=window,
        max_output_tokens=out,
        cost=ModelCost(entry, output, round(entry * 0.1, 4) if cache_read is None else cache_read, round(entry * 1.25, 4)),
        compat={"thinking": thinking, **_long(long)},
    )


def _gpt(
    id: str,
    window: int,
    out: int,
    price: tuple[float, float, float, float] = (0, 0, 0, 0),
    efforts: tuple[str, ...] = (),
    *,
    long: tuple[int, float, float] | None = None,
) -> Model:
    """A GPT row; `price` is input, output, cache read, cache write. No efforts means it does not reason."""
    return Model(
        id=id,
        provider="openai",
        api="openai-responses",
        name=id.replace("gpt", "GPT"),
        reasoning=bool(efforts),
        input=TEXT_IMAGE,
        context_window=window,
        max_output_tokens=out,
        cost=ModelCost(*price),
        compat={"reasoningEfforts": efforts, **_long(long)},
    )


def _long(tier: tuple[int, float, float] | None) -> Mapping[str, Any]:
    """`longContext`: above that many input tokens, what input and cache and what output cost more by."""
    return {"longContext": {"above": tier[0], "input": tier[1], "output": tier[2]}} if tier else {}


_CLASSIC = ("minimal", "low", "medium", "high")
_NONE_HIGH = ("none", "low", "medium", "high")
_NONE_XHIGH = ("none", "low", "medium", "high", "xhigh")
_NONE_MAX = ("none", "low", "medium", "high", "xhigh", "max")
_OVER_272K = (272_000, 2.0, 1.5)

KNOWN: tuple[Model, ...] = (
    OFFLINE,
    _claude("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, (4, 20), "always", cache_read=0.2),
    _claude("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, (2, 10), "adaptive", cache_read=0.1),
    _claude("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, (0.1, 0.5), "adaptive", long=(100_000, 5.0, 5.0)),
    _claude("claude-fable-5-1", "Claude Fable 5.1", 1_000_000, 128_000, (10, 50), "always"),
    _claude("claude-opus-5", "Claude Opus 5", 1_000_000, 128_000, (5, 25), "adaptive"),
    _claude("claude-sonnet-5", "Claude Sonnet 5", 1_000_000, 128_000, (2, 10), "adaptive"),
    _claude("claude-opus-4-6", "Claude Opus 4.6", 200_000, 128_000, (5, 25), "adaptive"),
    _claude("claude-sonnet-4-6", "Claude Sonnet 4.6", 200_000, 64_000, (3, 15), "adaptive"),
    _claude("claude-opus-4-5", "Claude Opus 4.5", 200_000, 64_000, (5, 25), "budget"),
    _claude("claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000, (3, 15), "budget"),
    _claude("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, (1, 5), "budget"),
    _gpt("gpt-6.2-sol", 1_050_000, 128_000, (2, 10, 0.1, 2.5), _NONE_MAX[1:], long=_OVER_272K),
    _gpt("gpt-6-sol", 1_050_000, 128_000, (2, 10, 0.2, 2.5), _NONE_MAX, long=_OVER_272K),
    _gpt("gpt-6-luna", 1_050_000, 128_000, (0.1, 0.5, 0.01, 0.125), _NONE_MAX, long=_OVER_272K),
    _gpt("gpt-5.4", 400_000, 128_000, efforts=_NONE_XHIGH),
    _gpt("gpt-5.4-mini", 400_000, 128_000, efforts=_NONE_XHIGH),
    _gpt("gpt-5.2", 400_000, 128_000, (1.75, 14, 0.175, 0), _NONE_XHIGH),
    _gpt("gpt-5.1", 400_000, 128_000, (1.25, 10, 0.125, 0), _NONE_HIGH),
    _gpt("gpt-5", 400_000, 128_000, (1.25, 10, 0.125, 0), _CLASSIC),
    _gpt("gpt-5-mini", 400_000, 128_000, (0.25, 2, 0.025, 0), _CLASSIC),
    _gpt("gpt-4.1", 1_047_576, 32_768, (2, 8, 0.5, 0)),
    _gpt("gpt-4.1-mini", 1_047_576, 32_768, (0.4, 1.6, 0.1, 0)),
    _gpt("gpt-4o", 128_000, 16_384, (2.5, 10, 1.25, 0)),
    _gpt("gpt-4o-mini", 128_000, 16_384, (0.15, 0.6, 0.075, 0)),
)


class Catalogue:
    """Vendors and rows of one configuration. `replace` mode of `models.mode` hides the built-in rows but the stand-in."""

    def __init__(self, config: OpenClawConfig) -> None:
        self.vendors: dict[str, Vendor] = dict(VENDORS)
        rows = (OFFLINE,) if config.models.mode == "replace" else KNOWN
        self._rows: dict[str, Model] = {}
        for row in rows:
            self.add(row)
        for provider_id, provider in (config.models.providers or {}).items():
            self._add_provider(str(provider_id), provider)

    def add(self, row: Model) -> None:
        """One more row; the address and oddities of its vendor fill what it leaves open."""
        self._rows[row.ref] = self._completed(row)

    def named(self, ref: str) -> str:
        """`ref` with the provider by its own name: `bedrock/x` is `amazon-bedrock/x`."""
        provider, slash, model_id = ref.partition("/")
        if not slash or provider in self.vendors:
            return ref
        return f"{OTHER_NAMES.get(provider.lower(), provider)}/{model_id}"

    def rows(self) -> list[Model]:
        return list(self._rows.values())

    def find(self, ref: str) -> Model | None:
        """The row of `provider/model`, or of a bare model id that only one provider has."""
        if (row := self._rows.get(ref)) is not None:
            return row
        same_id = [row for row in self._rows.values() if row.id == ref]
        return same_id[0] if len(same_id) == 1 else None

    def unlisted(self, ref: str) -> Model | None:
        """A row made up from the vendor's defaults, for a model nobody listed; None for an unknown vendor.

        A dated or suffixed name (`claude-haiku-4-5-20251001`) takes after the row whose id it begins with.
        """
        provider_id, _, model_id = ref.partition("/")
        vendor = self.vendors.get(provider_id)
        if vendor is None or not model_id or vendor.id == "builtin":
            return None
        kin = [row for row in self._rows.values() if row.provider == provider_id and model_id.startswith(f"{row.id}-")]
        if kin:
            nearest = max(kin, key=lambda row: len(row.id))
            return replace(nearest, id=model_id, name=model_id)
        guess = _guess(vendor) if vendor.base_url == VENDORS.get(provider_id, vendor).base_url else {}
        return self._completed(Model(id=model_id, provider=provider_id, api=vendor.api, name=model_id, **guess))

    def _completed(self, row: Model) -> Model:
        vendor = self.vendors.get(row.provider)
        if vendor is None:
            return row
        return replace(
            row,
            name=row.name or row.id,
            base_url=row.base_url or vendor.base_url,
            compat={**vendor.compat, **row.compat},
        )

    def _add_provider(self, provider_id: str, provider: Any) -> None:
        known = VENDORS.get(provider_id)
        api = provider.api or (known.api if known else "openai-completions")
        if api not in FORMATS:
            raise UserError(
                f"models.providers.{provider_id}.api is {api!r}, which is not spoken here; "
                f"write one of {', '.join(FORMATS[:3])}"
            )
        base_url = provider.base_url or (known.base_url if known else "")
        if not base_url and api != "offline":
            raise UserError(f"models.providers.{provider_id} has no baseUrl; write the address of its API")
        self.vendors[provider_id] = Vendor(
            provider_id,
            api,
            base_url,
            known.key_env if known else "",
            300.0 if _is_local(base_url) else 120.0,
            known.compat if known else (LEGACY if api == "openai-completions" else {}),
        )
        for ref, row in list(self._rows.items()):
            if row.provider == provider_id:
                self._rows[ref] = self._completed(replace(row, api=api, base_url=base_url))
        for row in _configured_rows(provider_id, api, provider):
            self.add(row)


def _guess(vendor: Vendor) -> dict[str, Any]:
    """What an unlisted model of a vendor may be expected to do: both big vendors read images and reason."""
    if vendor.api == "anthropic-messages" and vendor.id in ("anthropic", "amazon-bedrock"):
        return {
            "reasoning": True,
            "input": TEXT_IMAGE,
            "context_window": 200_000,
            "max_output_tokens": 64_000,
            "compat": {"thinking": "always"},
        }
    if vendor.id == "openai":
        return {"reasoning": True, "input": TEXT_IMAGE, "context_window": 400_000, "max_output_tokens": 64_000}
    return {}


def _configured_rows(provider_id: str, api: WireFormat, provider: Any) -> Iterator[Model]:
    """The rows under `models.providers.<id>.models`; what the user left open takes the values of a known row of that name."""
    known = {row.ref: row for row in KNOWN}
    for entry in provider.models or ():
        base = known.get(f"{provider_id}/{entry.id}") or Model(id=entry.id, provider=provider_id, api=api)
        yield replace(
            base,
            api=entry.api or api,
            name=entry.name or base.name or entry.id,
            base_url=provider.base_url or "",
            reasoning=bool(entry.reasoning) if entry.reasoning is not None else base.reasoning,
            input=tuple(entry.input) if entry.input else base.input,
            context_window=_used(entry.context_window or base.context_window, entry.context_tokens),
            max_output_tokens=entry.max_tokens or base.max_output_tokens,
            cost=_cost(entry.cost) or base.cost,
            headers=dict(entry.headers),
            compat={**base.compat, **_as_mapping(entry.compat)},
        )


def _used(window: int, tokens: int | None) -> int:
    """What is used of a window when the user wants less than there is."""
    return min(window, tokens or window)


def _as_mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    dumped = value.model_dump(by_alias=True, exclude_none=True)
    return dumped if isinstance(dumped, dict) else {}


def _cost(value: Any) -> ModelCost | None:
    prices = _as_mapping(value)
    if not prices:
        return None
    return ModelCost(
        float(prices.get("input") or 0),
        float(prices.get("output") or 0),
        float(prices.get("cacheRead", prices.get("cache_read")) or 0),
        float(prices.get("cacheWrite", prices.get("cache_write")) or 0),
    )


def _is_local(base_url: str) -> bool:
    host = base_url.split("//", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
    return host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0") or host.endswith((".local", ".lan"))
