"""One sentence read: each name as a wish, a denial, a statement, an anchor or taken back."""

from agents.assistant.request import Doubt, Wish
from agents.assistant.understanding.bounds import joined, wishes
from agents.assistant.understanding.denying import LISTED, Denying
from agents.assistant.understanding.descriptions import descriptions
from agents.assistant.understanding.found import Found, Stated
from agents.assistant.understanding.indexes import is_genre
from agents.assistant.understanding.joining import is_choice, meant_by_it
from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.names import CatalogueNames
from agents.assistant.understanding.numbers import NumberReader
from agents.assistant.understanding.relations import Reading, RelationReader
from agents.assistant.understanding.sharing import other_relations, shared_relations
from agents.assistant.understanding.tokens import Sentence, Token
from data_engine.graphs.inverted import InvertedGraph
from data_engine.schema import Condition, Op

_LIKENESS = frozenset(("a", "an", "something", "anything", "one", "more", "someone"))
SHOWN = 5  # items that a doubt lists


class SentenceReader:
    """Reads sentences of one catalogue into a `Found`."""

    def __init__(self, graph: InvertedGraph, lexicon: Lexicon, names: CatalogueNames) -> None:
        self._graph, self._lexicon, self._names = graph, lexicon, names
        self._relations = RelationReader(lexicon, names)
        self._numbers = NumberReader(graph, lexicon)
        self._denying = Denying(lexicon)

    def read(self, sentence: Sentence, found: Found) -> None:
        """Add to `found` what the sentence says."""
        sentence = [self._by_last_name(token, found) for token in sentence]
        asks_from = self._asks_from(sentence)
        described = self._described(sentence, found)
        for relations in shared_relations(sentence, self._lexicon):
            found.speak_of(relations)
            if relations:
                found.sames.append(relations)
        found.others += other_relations(sentence, self._lexicon)
        self._read_numbers(sentence, found)
        titles, skipped = self._titles(sentence, described, found)
        meant = titles or meant_by_it(sentence, found)
        found.named = list(titles.values()) or found.named
        for at, token in enumerate(sentence):
            if token.kind == "word":
                found.speak_of(self._lexicon.relation.get(token.text, ()))
            elif not (token.values or token.items) and token.kind == "name":
                self._read_stranger(sentence, at, asks_from, meant, found)
            elif token.values and at not in described | skipped:
                self._read_value(sentence, at, asks_from, meant, found)
        if not any(token.kind == "name" for token in sentence):
            self._drop_relations(sentence, found)

    def _by_last_name(self, token: Token, found: Found) -> Token:
        """A name or word that is the last name of somebody named before is that person."""
        known = found.bearers.get(token.text.casefold())
        if known is None or token.kind not in ("name", "word"):
            return token
        found.used.add(token.start)
        return token._replace(kind="name", items=(), values=(known.value,))

    def _asks_from(self, sentence: Sentence) -> int:
        """The place from which a sentence asks; before it, things are told."""
        for at, token in enumerate(sentence):
            if token.kind == "word" and self._asks(token.text):
                return at
            if token.text == "like" and at + 1 < len(sentence) and at:
                before = sentence[at - 1]
                things = self._lexicon.marks["things"] | {"is"}
                if sentence[at + 1].kind == "name" and (
                    before.kind == "name" or {before.text, before.text[:-1]} & things
                ):
                    return at
        return len(sentence)

    def _asks(self, word: str) -> bool:
        return self._lexicon.is_(word, "want") or self._lexicon.is_(word, "same")

    def _described(self, sentence: Sentence, found: Found) -> set[int]:
        """The places of names that describe an item, which is found or doubted."""
        places: set[int] = set()
        for start, end in descriptions(sentence, self._lexicon, self._names):
            inside = sentence[start:end]
            readings = []
            for k, token in enumerate(inside):
                if token.kind == "name" and token.values:
                    readings.append(self._relations.read(inside, k, ()))
                    places.add(start + k)
            items = self._meeting(readings)
            if len(items) == 1:
                found.anchors += items
            else:
                said = " ".join(token.text for token in inside)
                found.doubts.append(Doubt(text=said, items=items[:SHOWN]))
        return places

    def _meeting(self, readings: list[Reading]) -> tuple[str, ...]:
        """The one item that has all the values; else those that have them or homonyms of them."""
        exact = [set(self._graph.holders(*reading[:2])) for reading in readings]
        if len(met := set.intersection(*exact)) == 1:
            return tuple(met)
        for reading, holding in zip(readings, exact, strict=True):
            for one in reading.others:
                if reading.said and one[0] == reading.relation:
                    holding.update(self._graph.holders(*one))
        return tuple(sorted(set.intersection(*exact)))

    def _read_numbers(self, sentence: Sentence, found: Found) -> None:
        for group in joined(sentence, list(self._numbers.read(sentence))):
            at = group[0].at
            for bound in group:
                found.used.update(token.start for token in sentence[bound.at : bound.end + 1])
            if self._denying.taken_back(sentence, at):
                found.dropped.append(group[0].conditions[0].relation)
            else:
                found.wishes += wishes(group, self._denying.denied(sentence, at))

    def _titles(
        self, sentence: Sentence, described: set[int], found: Found
    ) -> tuple[dict[int, str], set[int]]:
        """Place → item of the titles that something may be told of, and the places of all. They
        are noted as anchors or as ruled out.
        """
        titles, places = dict[int, str](), set[int]()
        for at, token in enumerate(sentence):
            if not token.items or at in described or self._is_value(sentence, at):
                continue
            if len(token.items) > 1:
                found.doubts.append(Doubt(text=token.text, items=token.items[:SHOWN]))
            item = token.items[0]
            places.add(at)
            if self._denying.taken_back(sentence, at):
                found.forgotten.append(item)
            elif self._denying.ruled_out(sentence, at) and not self._replaces(sentence, at, found):
                found.excluded.append(item)
            else:
                titles[at] = item
                found.anchors.append(item)
        return titles, places

    def _replaces(self, sentence: Sentence, at: int, found: Found) -> bool:
        """Whether a title takes the place of one that was liked: "not Heat, Alien"."""
        listed = at > 1 and sentence[at - 1].text == ","
        return listed and not found.liked_none_of(sentence[at - 2].items)

    def _is_value(self, sentence: Sentence, at: int) -> bool:
        """Whether a name of both an item and a value is the value: the words beside it say a
        relation that the value has.
        """
        values = sentence[at].values
        said = self._relations.beside(sentence, at) if values else ()
        return any(not self._names.counts(value).keys().isdisjoint(said) for value in values)

    def _read_value(
        self, sentence: Sentence, at: int, asks_from: int, titles: dict[int, str], found: Found
    ) -> None:
        token = sentence[at]
        listed = at and self._lexicon.is_(sentence[at - 1].text, "negation")  # "no X": a new thing
        reading = self._relations.read(sentence, at, () if listed else tuple(found.spoken))
        known = found.bearers.get(token.text.casefold())
        said = reading.said
        if known and not said:
            reading = known
        found.name(token.text, reading)
        if self._denying.taken_back(sentence, at):
            found.retracted.append(reading)
            return
        denied = self._denying.denied(sentence, at)
        if known and not (said or denied):
            return  # "I like Newman's style": what was said of the whole name holds
        if (items := self._stated_of(sentence, at, asks_from, titles)) and (
            self._denying.told(sentence, at)
            if denied
            else reading.said or at > asks_from or not is_genre(reading.relation)
        ):
            wanted = sentence[min(titles)].kind == "name"  # else it was told of "it"
            found.stated.append(Stated(items, reading, not denied, wanted))
            return
        wish = self._wish(reading, "not" if denied else "is")
        if not denied and is_choice(sentence, at, wish, found):
            found.wishes.append(found.wishes.pop().or_else(wish))
        elif titles and is_genre(reading.relation) and at < asks_from:
            found.tastes.append(wish)  # what films like a title are: wanted if nothing else is
        else:
            found.wishes.append(wish)
        relations, either = self._relations.also(sentence, at)
        for relation in relations:
            if relation != reading.relation and relation in self._names.counts(reading.value):
                also = self._wish(Reading(relation, reading.value), wish.condition.op)
                if either and not denied:
                    found.wishes.append(found.wishes.pop().whatever_relation(also))
                else:
                    found.wishes.append(also)

    def _read_stranger(
        self, sentence: Sentence, at: int, asks_from: int, titles: dict[int, str], found: Found
    ) -> None:
        """A name that the catalogue lacks: what it is said of, if that is stated."""
        items = self._stated_of(sentence, at, asks_from, titles)
        relations = self._relations.beside(sentence, at)
        if items and relations and not self._denying.denied(sentence, at):
            found.strangers.append((items, relations[0], sentence[at].text))

    def _stated_of(
        self, sentence: Sentence, at: int, asks_from: int, titles: dict[int, str]
    ) -> tuple[str, ...]:
        """The items of which the sentence states the value at a place; () where it asks for it."""
        if at < asks_from:
            return tuple(titles[place] for place in sorted(titles) if place < asks_from)
        if at > 1 and sentence[at - 1].text == "(" and at - 2 in titles:
            return self._listed_before(at - 2, sentence, titles)
        return ()

    def _listed_before(
        self, last: int, sentence: Sentence, titles: dict[int, str]
    ) -> tuple[str, ...]:
        """The titles of a list that ends at a place."""
        found, place = [titles[last]], last - 1
        while place >= 0 and (sentence[place].text in LISTED or place in titles):
            if place in titles:
                found.insert(0, titles[place])
            place -= 1
        return tuple(found)

    def _drop_relations(self, sentence: Sentence, found: Found) -> None:
        """Of "forget the composer", "the year doesn't matter"."""
        if any(self._lexicon.is_(token.text, "retract") for token in sentence):
            for token in sentence:
                found.dropped += self._lexicon.relation.get(token.text, ())

    def _wish(self, reading: Reading, op: Op = "is") -> Wish:
        others = (self._condition(Reading(r, v), op) for r, v in reading.others)
        return Wish(condition=self._condition(reading, op), alternatives=tuple(others))

    def _condition(self, reading: Reading, op: Op = "is") -> Condition:
        name = self._graph.name(reading.value)
        return Condition(relation=reading.relation, value=reading.value, name=name, op=op)
