"""slime and OpenRLHF: of a row they send its label, EXAMPLE_ID@GRAPH_DIGEST, or the id alone."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reward_server.wire import MOST_CHARACTERS, MOST_NAME, MOST_RESPONSES, Response

Label = Annotated[str, Meta(max_length=MOST_NAME)]
SPECIAL = 100  # characters of special tokens that may stand before a prompt


class SlimeRequest(msgspec.Struct, frozen=True, gc=False):
    """One response, as slime's `--rm-type remote_rm` sends it; the answer is its score, a number.

    label: EXAMPLE_ID@GRAPH_DIGEST, or the example id alone.
    """

    response: Annotated[str, Meta(max_length=MOST_CHARACTERS)]
    label: Label
    prompt: Any = None

    def responses(self) -> list[Response]:
        """The response to score."""
        return [Response(split_label(self.label)[0], self.response)]

    def labels_sent(self) -> list[str]:
        """One label per response."""
        return [self.label]


class OpenRLHFRequest(msgspec.Struct, frozen=True, gc=False):
    """Responses as OpenRLHF's remote reward sends them, three lists in one order.

    query: prompt and response in one text. prompts: the prompts alone. labels:
    EXAMPLE_ID@GRAPH_DIGEST, or the example ids alone.
    """

    query: Annotated[list[str], Meta(min_length=1, max_length=MOST_RESPONSES)]
    prompts: Annotated[list[str], Meta(min_length=1, max_length=MOST_RESPONSES)]
    labels: Annotated[list[Label], Meta(min_length=1, max_length=MOST_RESPONSES)]

    def responses(self) -> list[Response]:
        """What follows the prompts. Raises ValueError where that is not known."""
        if not len(self.query) == len(self.prompts) == len(self.labels):
            raise ValueError("query, prompts and labels are not equally long")
        rows = zip(self.query, self.prompts, self.labels, strict=True)
        return [
            Response(split_label(label)[0], _after(query, prompt, label))
            for query, prompt, label in rows
        ]

    def labels_sent(self) -> list[str]:
        """One label per response."""
        return self.labels


class OpenRLHFResponse(msgspec.Struct, frozen=True, gc=False):
    """Scores in request order, twice, as OpenRLHF reads them; logs of the parts that all have."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


def split_label(label: str) -> tuple[str, str]:
    """(example id, graph digest) of a label; the digest is "" where there is none."""
    example_id, _, digest = label.partition("@")
    return example_id, digest


def _after(query: str, prompt: str, label: str) -> str:
    """The response in a query. Raises ValueError where the query does not begin with the prompt."""
    if not prompt:
        raise ValueError(f"the prompt of {label!r} is empty: where does its response begin?")
    before, found, response = query.partition(prompt)
    if not found or len(before) > SPECIAL:
        raise ValueError(
            f"the query of {label!r} does not begin with its prompt: is the prompt cut, or decoded "
            "in another way?"
        )
    return response
