"""Text to vectors: the one thing the index asks of a model, wherever the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray


class EmbeddingError(UserError):
    """A model cannot be loaded or an endpoint does not answer; the sentence says which and what to do."""


class Embedder(Protocol):
    """A loaded model. Blocking: call it in a thread.

    `model_id` names weights, precision, revision and prefix rule: vectors of two ids never meet. `dim` is their length,
    `window` how many tokens of a text the model reads, `floor` the cosine under which a hit is noise.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def window(self) -> int: ...

    @property
    def floor(self) -> float: ...

    def embed(self, texts: Sequence[str]) -> NDArray[float32]:
        """One row a text, float32, length 1; the row of an empty text is zero. Raises `EmbeddingError`."""

    def embed_query(self, text: str) -> NDArray[float32]:
        """One row: the query in the form the model wants it."""
