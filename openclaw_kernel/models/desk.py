"""What stands around one attempt at a model: credentials, failover, usage and budgets, built together when first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_kernel.models.api import ModelCall, ModelStream
from openclaw_kernel.models.budget import Budgeted, Reached
from openclaw_kernel.models.credentials import CredentialBook, CredentialStore
from openclaw_kernel.models.failover import Failover, Sleep
from openclaw_kernel.models.holds import Holds
from openclaw_kernel.models.profiles import Profiles
from openclaw_kernel.models.usage import UsageBook
from openclaw_kernel.values.clock import Clock

if TYPE_CHECKING:
    from openclaw_kernel.config.schema import OpenClawConfig
    from openclaw_kernel.config.secrets import Secrets


class Desk:
    """`provider` is `Budgeted(Failover(route))`. Without a state directory all of it lasts as long as the process."""

    def __init__(
        self,
        route: Callable[[ModelCall], ModelStream],
        config: Callable[[], OpenClawConfig],
        secrets: Secrets,
        env: Mapping[str, str],
        clock: Clock,
        state_dir: Path | None,
        sleep: Sleep,
        on_reached: Callable[[Reached], None],
    ) -> None:
        self.profiles = Profiles(state_dir, clock)
        self.credentials = CredentialBook(secrets, env, self.profiles, CredentialStore(state_dir), clock)
        self.usage = usage = UsageBook(state_dir, clock)
        self._holds = Holds(state_dir, usage)
        failover = Failover(
            route,
            self.credentials,
            self.profiles,
            clock,
            book=lambda call, message: usage.record(call.account, call.model, message.usage),
            sleep=sleep,
        )
        self.provider = Budgeted(failover, config, usage, self._holds, clock, on_reached)

    def close(self) -> None:
        self.profiles.close()
        self.credentials.stored.close()
        self._holds.close()
        self.usage.close()
