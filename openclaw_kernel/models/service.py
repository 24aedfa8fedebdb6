"""The models of one gateway: which there are, which one a name means, and a stream from any of them."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.models import ollama
from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Model, ModelCall, ModelStream, Provider, WireFormat
from openclaw_kernel.models.catalogue import Catalogue
from openclaw_kernel.models.formats import build_provider
from openclaw_kernel.models.local import Windows
from openclaw_kernel.models.offline import OFFLINE
from openclaw_kernel.models.vendors import VENDORS, Vendor
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure
from openclaw_kernel.values.stream import AbortSignal, EventStream

if TYPE_CHECKING:
    from openclaw_kernel.config.schema import OpenClawConfig
    from openclaw_kernel.config.secrets import Secrets
    from openclaw_kernel.models.budget import Budgeted, Reached
    from openclaw_kernel.models.credentials import CredentialBook
    from openclaw_kernel.models.desk import Desk
    from openclaw_kernel.models.failover import Sleep
    from openclaw_kernel.models.profiles import Profiles
    from openclaw_kernel.models.usage import UsageBook

DEFAULT_REF = OFFLINE.ref
_ALLOW = "agents.defaults.models in openclaw.json"
Rows = list[Model]
Refs = list[str]
DEFAULT_IDLE_S = 120.0  # MOD-20; the value of `ModelCall.idle_timeout_s` that a vendor's own may replace


class UnknownModel(UserError):
    """A model name that fits nothing. `near` holds names that look like it."""

    def __init__(self, ref: str, sentence: str, near: tuple[str, ...]) -> None:
        super().__init__(sentence)
        self.ref = ref
        self.near = near


@dataclass(slots=True)
class _Extension:
    """A provider from elsewhere, with its adapter once it is made."""

    vendor: Vendor
    rows: tuple[Model, ...]
    build: Callable[[], Provider] | None
    made: Provider | None = None


class Models:
    """Catalogue, keys and adapters together. Belongs to one event loop; `close()` ends its connections.

    Keys, their state and usage are kept in `state_dir`; without one they last as long as the process.
    """

    def __init__(
        self,
        config: OpenClawConfig,
        secrets: Secrets,
        *,
        env: Mapping[str, str] | None = None,
        clock: Clock = system_clock,
        state_dir: Path | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._env = os.environ if env is None else env
        self._state_dir = state_dir
        self._sleep = sleep
        self.on_budget: list[Callable[[Reached], None]] = []
        self._providers: dict[WireFormat, Provider] = {}
        self._extensions: dict[str, _Extension] = {}
        self._windows = Windows(clock)
        self.reconfigure(config)

    def reconfigure(self, config: OpenClawConfig) -> None:
        """Take a changed configuration; connections stay."""
        self._config = config
        self.catalogue = Catalogue(config)
        for extension in self._extensions.values():
            self._enter(extension)
        self._renew_desk()

    @cached_property
    def _desk(self) -> Desk:
        from openclaw_kernel.models.desk import Desk  # 20 ms of CPU that a gateway's start need not pay

        tell = self._reached
        desk = Desk(
            self._route, lambda: self._config, self._secrets, self._env, self._clock, self._state_dir, self._sleep, tell
        )
        desk.credentials.reconfigure(self._config, self.catalogue.vendors)
        return desk

    def _renew_desk(self) -> None:
        if "_desk" in self.__dict__:
            self._desk.credentials.reconfigure(self._config, self.catalogue.vendors)

    @property
    def credentials(self) -> CredentialBook:
        return self._desk.credentials

    @property
    def profiles(self) -> Profiles:
        return self._desk.profiles

    @property
    def usage(self) -> UsageBook:
        return self._desk.usage

    @property
    def budget(self) -> Budgeted:
        """The provider that `stream` asks; it knows the limits."""
        return self._desk.provider

    def extend(self, vendor: Vendor, rows: Sequence[Model] = (), build: Callable[[], Provider] | None = None) -> None:
        """Takes in a provider from elsewhere. With `build` its calls go to an adapter of its own, made on first use.

        Raises `UserError` when the name is taken.
        """
        if vendor.id in VENDORS or vendor.id in self._extensions:
            raise UserError(f"There is a model provider {vendor.id!r} already.")
        self._extensions[vendor.id] = extension = _Extension(vendor, tuple(rows), build)
        self._enter(extension)
        self._renew_desk()

    def withdraw(self, provider: str) -> None:
        """Takes an extension out again; its calls then fail as those of an unknown provider."""
        if self._extensions.pop(provider, None) is not None:
            self.reconfigure(self._config)

    def _enter(self, extension: _Extension) -> None:
        self.catalogue.vendors.setdefault(extension.vendor.id, extension.vendor)
        for row in extension.rows:
            if self.catalogue.find(row.ref) is None:
                self.catalogue.add(row)

    def list(self, *, usable_only: bool = False) -> Rows:
        """All rows, those with a key first; with `usable_only`, no others."""
        rows = self.catalogue.rows()
        usable = [row for row in rows if self.has_key(row.provider)]
        return usable if usable_only else usable + [row for row in rows if not self.has_key(row.provider)]

    def resolve(self, ref: str | None, agent_id: str = "main") -> Model:
        """The model that `provider/model` (or an unambiguous id) names; None means the agent's, then the default one.

        Raises `UnknownModel` with names that come near.
        """
        wanted = (ref or "").strip() or self._primary(agent_id) or DEFAULT_REF
        wanted = self.catalogue.named(self.aliases().get(wanted.lower(), wanted))
        found = self.catalogue.find(wanted) or self.catalogue.unlisted(wanted)
        if found is None:
            raise self._unknown(wanted)
        if ref and not self._allowed(found, agent_id):
            raise UnknownModel(ref, f"Model {found.ref} is not allowed here; {_ALLOW} names those that are.", ())
        return found

    async def measured(self, model: Model) -> Model:
        """The model with the window its own server keeps, unless the user wrote one down (MOD-06)."""
        provider = self._configured(model.provider)
        rows = provider.models if provider is not None else ()
        if any(row.id == model.id and (row.context_window or row.context_tokens) for row in rows):
            return model
        found = await self._windows.measured(model)
        if found is not model and (known := self.catalogue.find(model.ref)) is not None and known != found:
            self.catalogue.add(found)
        return found

    def _allowed(self, model: Model, agent_id: str) -> bool:
        """Whether it may be picked (MOD-07): with a `provider/*` under `agents.defaults.models`, what is named there alone."""
        named = list(self._config.agents.defaults.models)
        if not any(name.endswith("/*") for name in named):
            return True
        primary, fallbacks = self._model_choice(agent_id)
        plain = {self.catalogue.named(name) for name in (*named, *fallbacks, primary or "")}
        return model.ref in plain or f"{model.provider}/*" in plain or model.ref == OFFLINE.ref

    def fallbacks(self, agent_id: str = "main") -> Rows:
        """The models to try after the primary one, in order, each once; unknown names are left out."""
        primary = self.resolve(None, agent_id).ref
        rows: dict[str, Model] = {}
        for ref in self._model_choice(agent_id)[1]:
            ref = self.catalogue.named(self.aliases().get(ref.lower(), ref))
            row = self.catalogue.find(ref) or self.catalogue.unlisted(ref)
            if row is not None and row.ref != primary:
                rows[row.ref] = row
        return list(rows.values())

    def has_key(self, provider: str) -> bool:
        """Whether calls to this provider can be signed; true for one that needs no key. Resolves no secret."""
        return provider in self.catalogue.vendors and bool(self.credentials.of(provider))

    def stream(self, call: ModelCall) -> ModelStream:
        """Start a call, through budgets and failover; never raises. A missing key is the stream's failure, with a sentence
        that says where to put it."""
        return self.budget.stream(call)

    def _route(self, call: ModelCall) -> ModelStream:
        """One attempt: a model with a credential."""
        vendor = self.catalogue.vendors.get(call.model.provider)
        try:
            model = replace(call.model, headers={**self._headers(call.model.provider), **call.model.headers})
        except UserError as error:
            return self._failed(call, str(error))
        idle = call.idle_timeout_s
        if vendor is not None and idle == DEFAULT_IDLE_S:
            idle = vendor.idle_timeout_s
        return self._adapter(call.model).stream(replace(call, model=model, idle_timeout_s=idle))

    def _reached(self, reached: Reached) -> None:
        for tell in self.on_budget:
            tell(reached)

    async def detect_ollama(self) -> Rows:
        """Ask a local Ollama for its models and add them to the catalogue."""
        rows = await ollama.detect(self.catalogue.vendors["ollama"].base_url)
        for row in rows:
            if self.catalogue.find(row.ref) is None:
                self.catalogue.add(row)
        return rows

    async def warm(self, ref: str | None = None, agent_id: str = "main") -> None:
        """Load the SDK a model needs in a thread, so that the first message does not wait for it."""
        warm = getattr(self._adapter(self.resolve(ref, agent_id)), "warm", None)
        if warm is not None:
            await warm()

    async def close(self) -> None:
        made = [extension.made for extension in self._extensions.values() if extension.made is not None]
        for provider in (*self._providers.values(), *made):
            close = getattr(provider, "close", None)
            if close is not None:
                await close()
        self._providers.clear()
        if "_desk" in self.__dict__:
            self._desk.close()

    def _adapter(self, model: Model) -> Provider:
        extension = self._extensions.get(model.provider)
        if extension is None or extension.build is None:
            return self._provider(model.api)
        if extension.made is None:
            extension.made = extension.build()
        return extension.made

    def _provider(self, api: WireFormat) -> Provider:
        if api not in self._providers:
            self._providers[api] = build_provider(api, self._clock)
        return self._providers[api]

    def _failed(self, call: ModelCall, sentence: str) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], _signal: AbortSignal) -> AssistantMessage:
            return Answer(call.model, emit, self._clock).fail(ModelFailure(sentence, "auth"))

        return EventStream(produce)

    def _headers(self, provider: str) -> dict[str, str]:
        """Extra headers of a configured provider; their values may be secrets."""
        configured = self._configured(provider)
        if configured is None:
            return {}
        where = f"models.providers.{provider}.headers"
        return {name: str(self._secrets.resolve(value, f"{where}.{name}")) for name, value in configured.headers.items()}

    def _configured(self, provider: str) -> Any:
        return (self._config.models.providers or {}).get(provider)

    def _primary(self, agent_id: str) -> str | None:
        return self._model_choice(agent_id)[0]

    def _model_choice(self, agent_id: str) -> tuple[str | None, Refs]:
        """Primary and fallbacks of an agent; its own go before the defaults."""
        default = _choice(self._config.agents.defaults.model)
        for agent in self._config.agents.list or ():
            if agent.id == agent_id:
                own = _choice(agent.model)
                return own[0] or default[0], own[1] or ([] if own[0] else default[1])
        return default

    def aliases(self) -> dict[str, str]:
        """Short names under `agents.defaults.models.<ref>.alias`, lower case."""
        aliases: dict[str, str] = {}
        for ref, entry in (getattr(self._config.agents.defaults, "models", None) or {}).items():
            alias = entry.get("alias") if isinstance(entry, Mapping) else getattr(entry, "alias", None)
            if alias:
                aliases[str(alias).lower()] = ref
        return aliases

    def _unknown(self, ref: str) -> UnknownModel:
        names = [row.ref for row in self.catalogue.rows()]
        near = tuple(difflib.get_close_matches(ref, names, n=3, cutoff=0.5))
        provider, slash, _ = ref.partition("/")
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        if slash and provider not in self.catalogue.vendors:
            providers = difflib.get_close_matches(provider, self.catalogue.vendors, n=1, cutoff=0.6)
            hint = hint or (f" Did you mean {providers[0]}/…?" if providers else "")
            sentence = (
                f"Model {ref!r} names the provider {provider!r}, which is not known.{hint} "
                f"Add it under models.providers.{provider} or choose another model."
            )
        else:
            sentence = f"Model {ref!r} is not known.{hint} Write it as provider/model, for example {DEFAULT_REF}."
        return UnknownModel(ref, sentence, near)


def _choice(value: Any) -> tuple[str | None, Refs]:
    """Primary and fallbacks of a `model` setting, which is a string or an object."""
    if value is None:
        return None, []
    if isinstance(value, str):
        return value or None, []
    return value.primary or None, [str(ref) for ref in value.fallbacks or ()]
