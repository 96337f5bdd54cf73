"""From a message and the state before it to the state after it, and what there is to say."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from agents.assistant.request import Premise, Request, Shared, Verdict, Wish
from agents.assistant.understanding.acts import (
    Act,
    act_of,
    asked_among,
    asked_relations,
    asks_about_it,
    asks_whether,
    likened,
    meant,
    refused,
)
from agents.assistant.understanding.amounts import wanted_amount
from agents.assistant.understanding.correcting import corrects, settled
from agents.assistant.understanding.found import Found, Stated
from agents.assistant.understanding.groups import GroupReader
from agents.assistant.understanding.indexes import is_genre
from agents.assistant.understanding.leftovers import leftovers
from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.names import CatalogueNames
from agents.assistant.understanding.reading import SentenceReader
from agents.assistant.understanding.relations import Reading
from agents.assistant.understanding.tokens import Sentence, sentences
from agents.assistant.understanding.unclear import unclear
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.titles import split_year
from data_engine.schema import Condition, Record

_TAKEN_BACK = re.compile(
    r"\b(?:forget|never ?mind|drop|skip|(?:needn't|need not|not have to) be)\b[^.!?,;]*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\d+\. ", re.MULTILINE)


class Understood(Record):
    """The state after a message, and what the message does beside changing it.

    items, relations: of "why" and "who", the items that are asked about, and the relations.
    """

    request: Request
    act: Act = "ask"
    items: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()


class Understanding:
    """Understands requests over one catalogue; built once, then read only. folder: where the
    indexes of names are kept; they are made anew without one.
    """

    def __init__(self, graph: InvertedGraph, folder: Path | None = None) -> None:
        self._graph = graph
        self._lexicon = Lexicon(r for r in graph.relations if r != AUDIENCE)
        self.names = CatalogueNames(graph, self._lexicon.fillers, folder)
        self._reader = SentenceReader(graph, self._lexicon, self.names)
        self._groups = GroupReader(graph, self._lexicon.known)

    def heard(self, text: str, state: Request) -> Request:
        """The state after a message of the assistant: the items that it named were shown."""
        named = [mention for mention in self.names.find(text) if mention.items]
        if lines := [match.end() for match in _NUMBERED.finditer(text)]:  # a list of ours
            named = [mention for mention in named if mention.start in lines]
        shown = [mention.items[0] for mention in named]
        return state.model_copy(update={"shown": tuple(dict.fromkeys(shown))})

    def titled(self, text: str) -> tuple[str, ...]:
        """The items that bear a title."""
        whole = [m for m in self.names.find(text) if (m.start, m.end) == (0, len(text))]
        return whole[0].items if whole else ()

    def understand(self, text: str, state: Request | None = None) -> Understood:
        """The state after the message `text` of a person."""
        state = state or Request()
        chosen = settled(text, self.titled(text), state, self._year) if state.doubts else None
        if chosen:
            return Understood(request=chosen.model_copy(update={"not_understood": ()}))
        found, spoken = self._read(text, state)
        if asks_about_it(text) and not found.anchors:
            self._tell_of(state.anchors[-1:] or meant(text, state.shown), found)
        if corrects(text):
            wanted = [w.condition for w in found.wishes if w.condition.op != "not"]
            found.replaced += [condition.relation for condition in wanted]
        amount = wanted_amount(text)
        found.used.update(range(*amount.span) if amount else ())
        left = leftovers(text, spoken, found, self._lexicon)
        asks = bool(found.wishes or found.stated or found.sames)
        act = act_of(text, asks, bool(found.anchors))
        if act in ("why", "who"):
            request = state.model_copy(update={"not_understood": left})
            return self._question(text, act, request, found)
        if found.stated and not (found.wishes or found.sames) and asks_whether(text):
            request = state.model_copy(update={"not_understood": left})
            for premise in self._premises(found.stated, found):
                request = request.with_premise(premise)
            return Understood(request=request, act="who")
        found.excluded += refused(text, state)
        if not found.anchors and not found.excluded:
            found.anchors += likened(text, state.shown)
        among = state.among if act == "more" else asked_among(text, state.shown)
        amount_wanted = amount.number if amount else state.k
        changes = {"not_understood": left, "k": amount_wanted, "among": among}
        return Understood(request=self._applied(found, state).model_copy(update=changes), act=act)

    def _read(self, text: str, state: Request) -> tuple[Found, list[Sentence]]:
        """What a message says, and its sentences."""
        mentions, found = self.names.find(text), Found(self._lexicon.known, state.anchors)
        for wish in state.wishes:
            self._know(wish.condition, found)
        for mention in mentions:
            for value in mention.values[:1]:
                found.name(text[mention.start : mention.end], self._usual(value))
        for start, end, condition in self._groups.find(text):
            if any(m.items and m.start < end and start < m.end for m in mentions):
                continue  # "Who's That Girl?"
            mentions = [m for m in mentions if m.end <= start or m.start >= end]
            if _TAKEN_BACK.search(text[:start]):
                found.retracted.append(Reading(condition.relation, condition.value))
            else:
                found.wishes.append(Wish(condition=condition))
            found.used.update(range(start, end))
        for span in unclear(text, mentions, self._graph.relations):
            found.unclear.append(span)
            found.used.update(range(span.start, span.end))
        spoken = sentences(text, mentions, self._lexicon)
        for sentence in spoken:
            rest = [token for token in sentence if token.start not in found.used]
            self._reader.read(rest, found)
        return found, spoken

    def _question(self, text: str, act: Act, request: Request, found: Found) -> Understood:
        """A question about items that were named or shown."""
        items = tuple(dict.fromkeys((*found.anchors, *found.excluded)))
        relations = tuple(found.spoken) or asked_relations(text, self._graph.relations)
        return Understood(
            request=request,
            act=act,
            items=items or meant(text, request.shown),
            relations=relations,
        )

    def _know(self, condition: Condition, found: Found) -> None:
        if self.names.counts(condition.value):
            found.name(condition.name, Reading(condition.relation, condition.value))

    def _usual(self, value: str) -> Reading:
        return Reading(next(iter(self.names.counts(value))), value)

    def _applied(self, found: Found, state: Request) -> Request:
        """The state with all that was found: what is taken back first, wishes last."""
        for reading in found.retracted:
            state = self._without(reading, state)
        for relation in found.dropped:
            state = state.without_wish(relation)
        for relation in found.replaced:
            state = state.without_wanted(relation)
        told = [stated for stated in found.stated if not self._corrects(stated, state)]
        for stated in found.stated:
            if stated not in told:
                state = state.excluding(*stated.items)
                state = state.with_wish(Wish(condition=self._condition(stated.reading)))
                found.excluded += stated.items
        for item in found.forgotten:
            state = state.without_item(item)
        anchors = [item for item in dict.fromkeys(found.anchors) if item not in found.excluded]
        state = state.with_anchors(*anchors).excluding(*found.excluded)
        for premise in self._premises(told, found):
            state = state.with_premise(premise)
        for relations in found.sames:
            state = self._shared(relations, tuple(anchors) or state.anchors, state)
        state = state.without_excluded(found.wishes)
        for wish in (*self._wishes(told, found), *self._unlike(found, state.anchors)):
            state = state.with_wish(wish)
        return state.model_copy(update={"doubts": tuple(found.doubts)})

    def _tell_of(self, items: tuple[str, ...], found: Found) -> None:
        """Take the values that a message names as told of these items, none as wanted."""
        if not items or any(w.condition.op not in ("is", "not") for w in found.wishes):
            return
        for wish in found.wishes:
            reading = Reading(wish.condition.relation, wish.condition.value)
            holds = wish.condition.op == "is"
            found.stated.append(Stated(items, reading, holds, wanted=False))
        found.wishes.clear()

    def _year(self, item: str) -> str:
        return split_year(self._graph.title(item))[1]

    def _premises(self, told: Iterable[Stated], found: Found) -> Iterator[Premise]:
        """What was stated, of each item."""
        for stated in told:
            name = self._graph.name(stated.reading.value)
            for item in stated.items:
                yield self._premise(item, stated.reading, name, stated.holds)
        for items, relation, name in found.strangers:
            for item in items:
                yield self._premise(item, Reading(relation, ""), name)

    def _wishes(self, told: Iterable[Stated], found: Found) -> Iterator[Wish]:
        """What is wanted by name. A value that was only stated is, where no "same" takes its place;
        genres of what was liked are, where no other genre is.
        """
        for stated in told:
            if (
                stated.holds
                and stated.wanted
                and not any(stated.reading.relation in s for s in found.sames)
            ):
                yield Wish(condition=self._condition(stated.reading))
        if not any(is_genre(wish.condition.relation) for wish in found.wishes):
            yield from found.tastes
        yield from found.wishes

    def _unlike(self, found: Found, anchors: tuple[str, ...]) -> Iterator[Wish]:
        """Not by those who made the anchors, for each "by another director"."""
        for relations in found.others:
            relation = relations[0]
            for item in anchors:
                for value in self._graph.values(item, relation):
                    condition = self._condition(Reading(relation, value))
                    yield Wish(condition=condition.model_copy(update={"op": "not"}))

    def _without(self, reading: Reading, state: Request) -> Request:
        """Without the value, in all relations it was asked for: the one said, if it was."""
        asked = [c.relation for c in state.conditions if c.value == reading.value]
        if not asked:
            return state
        if reading.said and reading.relation in asked:
            asked = [reading.relation]
        for relation in asked:
            state = state.without_wish(relation, reading.value)
        return state

    def _corrects(self, stated: Stated, state: Request) -> bool:
        """Whether a denial says what a shown item lacks."""
        return not stated.holds and any(item in state.shown for item in stated.items)

    def _premise(self, item: str, reading: Reading, name: str, holds: bool = True) -> Premise:
        """The statement with its verdict. A name that the catalogue lacks is none of the values
        that it lists.
        """
        relation, value = reading[:2]
        has = self._graph.states(item, relation, value)
        verdict: Verdict = "unknown" if has is None else "true" if has is holds else "false"
        truth = self._graph.values(item, relation)
        return Premise(
            item=item,
            relation=relation,
            value=value,
            name=name,
            holds=holds,
            verdict=verdict,
            truth=truth,
        )

    def _shared(
        self, relations: Iterable[str], anchors: tuple[str, ...], state: Request
    ) -> Request:
        """The state with the value of the first relation that all the anchors share."""
        relations = tuple(relations)
        relation = next((r for r in relations if self._is_known(r, anchors)), relations[0])
        values = [self._graph.values(item, relation) for item in anchors]
        shared = set(values[0]).intersection(*values[1:]) if values else set()
        common = tuple(value for value in (values or [()])[0] if value in shared)
        if len(common) != 1:
            waiting = Shared(relation=relation, anchors=anchors, values=common)
            return state.with_shared(waiting)
        condition = self._condition(Reading(relation, common[0]))
        return state.with_wish(Wish(condition=condition, since=anchors))

    def _is_known(self, relation: str, items: tuple[str, ...]) -> bool:
        return all(self._graph.values(item, relation) for item in items)

    def _condition(self, reading: Reading) -> Condition:
        name = self._graph.name(reading.value)
        return Condition(relation=reading.relation, value=reading.value, name=name)
