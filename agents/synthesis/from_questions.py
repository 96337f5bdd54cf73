"""Examples of questions that people asked: their own words, conditions that the graph proves, and
an item that they liked as gold.

Everything but the words is made and proven as for other Examples.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from agents.assistant.catalogue import Catalogue
from agents.assistant.understanding.understand import Understanding
from agents.synthesis.candidates import add_candidates
from agents.synthesis.chains import build_chains
from agents.synthesis.nodes import difficulty
from agents.synthesis.questions import Asked, asked_questions, unusable
from agents.synthesis.state import Draft, Flaw
from agents.synthesis.verify import problems
from agents.synthesis.world import World
from agents.synthesis.writers.terse import TerseWriter
from data_engine.datasets.splits import query_split
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Condition, Example, Kind, Provenance
from data_engine.store.database import Store
from data_engine.store.examples_of_people import PEOPLE, replace_examples_of_people
from data_engine.store.feedback import Feedback

TURNED = {"not": "is", "below": "above", "above": "below"}
SHORTCUTS = {
    "not": "negation_ignored",
    "below": "bound_turned_round",
    "above": "bound_turned_round",
}


@dataclass
class FromQuestions:
    """The Examples, in the order of the questions, and how many questions were not taken, by
    reason.
    """

    asked: int = 0
    examples: list[Example] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def examples_of_questions(store: Path, candidates: int = 6, seed: int = 0) -> FromQuestions:
    """The Examples of all questions that were asked of a store, at most one per question and per
    wording: the same store and feedback give the same.

    candidates: items to choose from per query, gold included. Raises DataError where there is no
    feedback.
    """
    with Feedback.of(store) as feedback:
        questions = asked_questions(feedback)
    catalogue = Catalogue.load(store)
    understanding = Understanding(catalogue.graph, catalogue.folder)
    maker = _Maker(World(Evidence.load(store)), candidates, seed)
    found, words = FromQuestions(asked=len(questions)), set[str]()
    for asked in questions:
        reason = unusable(asked, understanding)
        if not reason and asked.text.casefold() in words:
            reason = "asked before in the same words"
        made = reason or maker.example(asked)
        if isinstance(made, str):
            found.left_out[made] += 1
        else:
            words.add(asked.text.casefold())
            found.examples.append(made)
    return found


def put_into(store: Path, examples: list[Example]) -> None:
    """Put the Examples behind those of other writers, in place of those of earlier questions."""
    with Store.open(store) as opened:
        replace_examples_of_people(opened, examples)


class _Maker:
    """Makes the Example of a question whose words are understood."""

    def __init__(self, world: World, candidates: int, seed: int) -> None:
        self._world, self._candidates, self._seed = world, candidates, seed
        self._writer = TerseWriter()

    def example(self, asked: Asked) -> Example | str:
        """The Example with the first liked item that is proven to be right, else why the first is
        not.
        """
        made = [self._with_gold(asked, gold) for gold in asked.liked]
        return next((one for one in made if isinstance(one, Example)), made[0])

    def _with_gold(self, asked: Asked, gold: str) -> Example | str:
        if reason := self._unproven(gold, asked.conditions):
            return reason
        titles = self._world.evidence.attributes.titles  # of what was liked, some may be gone
        draft = Draft(
            _kind(asked.conditions),
            asked.asker,
            gold,
            asked.conditions,
            anchors=(),
            premise=None,
            history=tuple(item for item in asked.history if item != gold and item in titles),
            opening=(),
            flaws=tuple(_flaws(asked.conditions)),
        )
        rng = Random(f"{self._seed}/{asked.text}/{gold}")
        whole = add_candidates(draft, self._world, rng, self._candidates)
        if whole is None:
            return "too few other items that miss a condition"
        example = self._assembled(whole, asked.text)
        for problem in problems(example, self._world):
            named = "names the gold" in problem
            return "the liked item is named" if named else f"not proven: {problem}"
        return example

    def _unproven(self, gold: str, conditions: tuple[Condition, ...]) -> str:
        """Why an item cannot be gold, "" where the graph and its card prove that it can."""
        graph, cards = self._world.evidence.attributes, self._world.evidence.cards
        if gold not in graph.titles:
            return "the liked item is no longer in the catalogue"
        if graph.misses(gold, conditions):
            return "the liked item misses a condition"
        if not graph.meets(gold, conditions):
            return "the catalogue does not say whether the liked item meets a condition"
        if gold not in cards.rows:
            return "the liked item has no fact card"
        shown = {AUDIENCE, *graph.numeric, *(column.relation for column in cards.columns)}
        if all(c.relation in shown and self._world.shows(gold, c) for c in conditions):
            return ""
        return "the fact card of the liked item does not show a condition"

    def _assembled(self, draft: Draft, text: str) -> Example:
        digest = self._world.evidence.digest
        return Example(
            domain=self._world.evidence.domain,
            kind=draft.kind,
            user=draft.user,
            query=text,
            conditions=draft.conditions,
            history=draft.history,
            candidates=draft.candidates,
            shuffle_seed=draft.shuffle_seed,
            gold=(draft.gold,),
            chains=build_chains(draft, self._writer, self._world),
            level=draft.level,
            difficulty=difficulty(draft),
            split=query_split(draft.gold, draft.conditions),
            provenance=Provenance(
                seed=self._seed,
                graph_digest=digest,
                writer=PEOPLE,
                prompt_hash=self._writer.prompt_hash,
            ),
        ).named()


def _kind(conditions: tuple[Condition, ...]) -> Kind:
    ops = {condition.op for condition in conditions}
    if AUDIENCE in {condition.relation for condition in conditions}:
        return "demographics"
    if "not" in ops:
        return "negation"
    return "numeric" if ops & {"below", "above"} else "explicit"


def _flaws(conditions: tuple[Condition, ...]) -> Iterator[Flaw]:
    """Per condition that rules out or bounds, the same turned round; then each left out."""
    for n, condition in enumerate(conditions):
        if condition.op in TURNED:
            turned = condition.model_copy(update={"op": TURNED[condition.op]})
            needs = (*conditions[:n], turned, *conditions[n + 1 :])
            yield Flaw(SHORTCUTS[condition.op], needs)
    for n in range(len(conditions)) if len(conditions) > 1 else ():
        yield Flaw("condition_dropped", (*conditions[:n], *conditions[n + 1 :]))
