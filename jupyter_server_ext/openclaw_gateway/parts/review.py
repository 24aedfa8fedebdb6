"""The reviewer of exec mode `auto`: one call without tools to the agent's model, or to `tools.exec.reviewModel`."""

from __future__ import annotations

from openclaw_kernel.agent.failover import account_for
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.models.api import Account, ModelCall, Prompt
from openclaw_kernel.models.service import Models
from openclaw_kernel.safety.reviewer import INSTRUCTIONS, REVIEW_S, Review, Reviewed, Reviewer, allows
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import Text, UserMessage

MAX_TOKENS = 1_024
"""The answer is one word; a model that thinks needs room for it."""


def open_reviewer(config: ConfigStore, models: Models, sessions: Sessions, clock: Clock) -> Reviewer:
    """Its calls are booked on the session that asks, and its budgets hold for them."""

    async def review(asked: Review) -> Reviewed:
        wanted = config.current.config.tools.exec.review_model
        try:
            model = models.resolve(wanted, asked.agent_id)
        except UserError as error:
            return Reviewed(False, "", f"the reviewer has no model: {error}")
        entry = sessions.get(asked.session_key)
        account = Account(asked.agent_id, asked.session_key, "", asked.run_id)
        stream = models.stream(
            ModelCall(
                model,
                Prompt(stable=INSTRUCTIONS),
                (UserMessage((Text(asked.question),), clock()),),
                max_output_tokens=MAX_TOKENS,
                idle_timeout_s=REVIEW_S,
                session_key=asked.session_key,
                account=account_for(sessions, entry, asked.run_id) if entry is not None else account,
            )
        )
        try:
            said = await stream.result()
        finally:
            stream.abort("the review is over")
        if said.stop_reason in ("error", "aborted"):
            return Reviewed(False, model.ref, "the reviewer could not be asked")
        return Reviewed(True, model.ref) if allows(said.text) else Reviewed(False, model.ref, "the reviewer wants you to look")

    return review
