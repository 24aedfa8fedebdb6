"""The assistant from Python: `Assistant().ask("…")` in any kernel, script or program.

    from openclaw_kernel import Assistant
    answer = Assistant().ask("hello")          an Answer; a notebook shows it as Markdown
    for piece in Assistant().stream("hello"): print(piece, end="")
    answer = await Assistant().aask("hello")   where a loop runs and shall go on

It talks over the process's one link, which runs on a thread of its own: the blocking calls work inside a running event
loop, and Ctrl-C stops the run.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_kernel.notebook.prose import words
from openclaw_kernel.notebook.session import KernelLink, current_link
from openclaw_kernel.notebook.turn import Asked, Emit, Outcome, Settled, Step, ToolCard, Wrote, converse
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.notebook.live import LivePanel
    from openclaw_kernel.sessions.sql_frames import Form

SQL_ROWS = 10_000
SQL_S = 10.0
SQL_WAIT_S = 15.0
"""For the way there and back, and for a query that waits its turn."""

Approve = Callable[[Mapping[str, Any]], str]
"""Gets an approval request, answers `allow-once`, `allow-always` or `deny`."""


class NoAnswer(UserError):
    """The run failed or was stopped; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `tools` are the calls that were made, `tokens` and `cost` (US dollars) of the whole turn."""

    text: str
    model: str = ""
    tools: tuple[ToolCard, ...] = ()
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    run_id: str = ""

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return words(self.text)


class Assistant:
    """A conversation. `session` names one (`main`, or a whole session key); without it, the notebook's own.

    `approve` answers the assistant's questions; without it they are asked on stdin, and denied where there is none.
    """

    def __init__(self, session: str | None = None, *, approve: Approve | None = None, link: KernelLink | None = None) -> None:
        self._link = link or current_link()
        self._session = session
        self._approve = approve or ask_on_stdin

    @property
    def session(self) -> str:
        return self._session or self._link.session_key()

    def ask(self, message: str, *, model: str = "") -> Answer:
        """The whole answer. `model` becomes the session's model. Raises `NoAnswer`."""
        turn = self.turn(message, model=model)
        for _ in turn.steps():
            pass
        return answer_of(turn.outcome)

    def stream(self, message: str, *, model: str = "") -> Iterator[str]:
        """The answer's text in pieces. Leaving the loop early stops the run. Raises `NoAnswer` at the end of a failed one."""
        turn = self.turn(message, model=model)
        for step in turn.steps():
            if isinstance(step, Wrote):
                yield step.delta
        answer_of(turn.outcome)

    async def aask(self, message: str, *, model: str = "") -> Answer:
        """As `ask`, without blocking the loop; cancelling it stops the run."""
        turn = self.turn(message, model=model)
        async for _ in turn.asteps():
            pass
        return answer_of(turn.outcome)

    async def astream(self, message: str, *, model: str = "") -> AsyncIterator[str]:
        """As `stream`, without blocking the loop."""
        turn = self.turn(message, model=model)
        async for step in turn.asteps():
            if isinstance(step, Wrote):
                yield step.delta
        answer_of(turn.outcome)

    def status(self) -> dict[str, Any]:
        """Where the gateway is and which session this speaks to; starts the gateway if none runs."""
        health = self._link.run(self._link.request("health"))
        info = self._link.info
        return {
            "gateway": info.url if info is not None else "",
            "version": info.version if info is not None else "",
            "session": self.session,
            "ok": bool(health["ok"]),
        }

    def sql(self, query: str, *, limit: int = SQL_ROWS, form: Form = "auto", timeout: float = SQL_S) -> Any:
        """One SELECT over all conversations, calls, usage and notes: a DataFrame where pandas is installed, else a list of
        dicts; `form` may say `pandas`, `arrow` or `rows`. Raises `OpenClawError` with the reason of a refusal."""
        from openclaw_kernel.sessions.sql_frames import shaped
        from openclaw_kernel.sessions.sql_table import Table

        asked = {"sql": query, "limit": limit, "timeoutMs": round(timeout * 1000)}
        wire = self._link.run(self._link.request("sql.query", asked, timeout=timeout + SQL_WAIT_S))
        return shaped(Table.from_wire(wire), form)

    def live(self) -> LivePanel:
        """The live panel of this session; a cell that ends with it shows it."""
        from openclaw_kernel.notebook.live import LivePanel

        panel = LivePanel(self._link, self.session)
        panel.start()
        return panel

    def turn(self, message: str, *, model: str = "") -> Turn:
        """One message, to be followed step by step."""
        return Turn(self._link, self.session, message, self._approve, model)


class Turn:
    """One message and its steps. Iterate `steps` or `asteps` once; then `outcome` is set."""

    def __init__(self, link: KernelLink, session_key: str, message: str, approve: Approve, model: str) -> None:
        self.outcome = Outcome("aborted", sentence="Stopped.")
        self._link = link
        self._session_key = session_key
        self._message = message
        self._approve = approve
        self._model = model
        self._arrived: deque[Step] = deque()
        self._lock = threading.Lock()
        self._news: concurrent.futures.Future[None] = concurrent.futures.Future()

    def steps(self, due: Callable[[], float | None] = lambda: None) -> Generator[Step | None, None, None]:
        """Steps on the calling thread; `None` whenever `due()` seconds passed without one. Ctrl-C and leaving stop the run."""
        work = self._begin()
        try:
            while True:
                self._wait(due())
                self._look_again()
                ended = work.done()
                yield from self._taken()
                if ended:
                    self.outcome = work.result()
                    return
                yield None
        finally:
            work.cancel()

    async def asteps(self) -> AsyncIterator[Step]:
        """Steps on the caller's loop."""
        work = self._begin()
        asking: dict[str, asyncio.Task[None]] = {}
        try:
            with _lending():
                while True:
                    await asyncio.wrap_future(self._news)
                    self._look_again()
                    ended = work.done()
                    for step in self._taken(asynchronous=True):
                        if isinstance(step, Asked):
                            asking[step.approval_id] = asyncio.ensure_future(self._ask(step))
                        elif isinstance(step, Settled) and step.approval_id in asking:
                            asking.pop(step.approval_id).cancel()
                        yield step
                    if ended:
                        self.outcome = work.result()
                        return
        finally:
            work.cancel()
            for task in asking.values():
                task.cancel()

    async def _ask(self, asked: Asked) -> None:
        """Without a way of the caller's own, a live panel asks by its buttons, and only without one stdin is used."""
        from openclaw_kernel.notebook.live import current_panel

        if self._approve is ask_on_stdin and current_panel() is not None:
            return
        self._resolve(asked, await asyncio.to_thread(self._approve, asked.request))

    def _begin(self) -> concurrent.futures.Future[Outcome]:
        work = self._link.submit(self._converse(self._arrive))
        work.add_done_callback(lambda _: self._wake())
        return work

    async def _converse(self, emit: Emit) -> Outcome:
        try:
            connection = await self._link.connection_for_turn()
            return await converse(connection, self._session_key, self._message, emit, model=self._model)
        except (OpenClawError, UserError, OSError) as error:
            return Outcome("error", sentence=str(error))

    def _arrive(self, step: Step) -> None:
        self._arrived.append(step)
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if not self._news.done():
                self._news.set_result(None)

    def _look_again(self) -> None:
        """From here on news is told anew. Before anything is looked at: what ends behind the look must wake the next wait."""
        with self._lock:
            self._news = concurrent.futures.Future()

    def _taken(self, *, asynchronous: bool = False) -> Iterator[Step]:
        while self._arrived:
            step = self._arrived.popleft()
            if isinstance(step, Asked) and not asynchronous:
                self._resolve(step, self._approve(step.request))
            else:
                yield step

    def _wait(self, seconds: float | None) -> None:
        """For news, on the main thread of a kernel in such a way that the assistant's Python can run meanwhile."""
        if seconds is not None:
            self._link.start().call_soon_threadsafe(self._wake_later, seconds)
        node = current_node()
        if node is not None and threading.current_thread() is threading.main_thread():
            node.main.lend(self._news)
        else:
            self._news.result()

    def _wake_later(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._wake)

    def _resolve(self, asked: Asked, decision: str) -> None:
        self._link.submit(_resolved(self._link, asked.approval_id, decision))


async def _resolved(link: KernelLink, approval_id: str, decision: str) -> None:
    try:
        await link.request("exec.approval.resolve", {"id": approval_id, "decision": decision})
    except OpenClawError as error:
        if error.code != "APPROVAL_NOT_FOUND":  # answered elsewhere in the same moment
            raise


def answer_of(outcome: Outcome) -> Answer:
    """Raises `NoAnswer` unless the run ended well."""
    if outcome.status != "ok":
        raise NoAnswer(outcome.sentence)
    return Answer(outcome.text, outcome.model, outcome.cards, outcome.tokens, outcome.cost, outcome.seconds, outcome.run_id)


def ask_on_stdin(request: Mapping[str, Any]) -> str:
    """Asks where there is somebody to ask: a kernel whose front end takes input, or a terminal."""
    from openclaw_kernel.notebook.asking import decision_of, prompt_of

    if not (sys.stdin.isatty() or "ipykernel" in sys.modules):
        return "deny"
    try:
        return decision_of(input(prompt_of(request)), request)
    except (EOFError, NotImplementedError):  # the second: this front end takes no input
        return "deny"


def current_node() -> Any:
    """The node of this process, if it is one; the module is not loaded for the question."""
    module = sys.modules.get("openclaw_kernel.notebook.node")
    return module.current_node() if module is not None else None


def _lending() -> AbstractContextManager[None]:
    node = current_node()
    return node.main.lending() if node is not None else nullcontext()
