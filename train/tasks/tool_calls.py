"""The tool of a dialogue: how a policy's call is read, and how its result is written.

The reward server answers calls (`POST /v1/look`). A call stands alone in a message:

    <call> lookup TITLE | RELATION </call>     the values of an item
    <call> holders RELATION | VALUE </call>    the candidates that have a value
"""

from collections.abc import Sequence

from data_engine.responses.reading import after_thoughts
from reward_server.wire import MOST_NAME, MOST_TITLE, Look, Looked
from train.tasks.prompts import indented

NOTHING = "nothing"
MOST_CALLS = 6  # look-ups of one dialogue; what asks for more is its last message


def parse_call(text: str, among: Sequence[str]) -> Look | None:
    """The call that a message makes after its thoughts, None where it makes none.

    `among` are the candidates' ids. Arguments longer than a name can be, as where a policy makes
    two calls at once, are cut: the tool will say that there is no such thing.
    """
    text = after_thoughts(text).strip()
    if not (text.startswith("<call>") and text.endswith("</call>")):
        return None
    tool, *rest = text.removeprefix("<call>").removesuffix("</call>").split(maxsplit=1) or [""]
    first, _, second = (part.strip() for part in "".join(rest).partition("|"))
    if not (first and second):
        return None
    if tool == "lookup":
        return Look("lookup", second[:MOST_NAME], item=first[:MOST_TITLE], among=list(among))
    if tool == "holders":
        return Look("holders", first[:MOST_NAME], value=second[:MOST_TITLE], among=list(among))
    return None


def tool_message(result: Looked) -> str:
    """The text of the tool's reply."""
    return indented("\n".join(result.found) or result.problem or NOTHING)
