"""The independent re-check behind `rerec verify`: every Example against the raw tables, in SQL and
plain sets.

Nothing here is shared with the agents that made the Examples: it reads edges and titles straight
from DuckDB and states the rules again, so that one mistake cannot hide in both places.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from data_engine.runtime.progress import ReportProgress, no_progress
from data_engine.schema import Call, Chain, Claim, Condition, Example
from data_engine.store.database import Store


@dataclass
class Audit:
    """checked Examples, and each violation as (example id, what is wrong)."""

    checked: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)


def audit(store: Store, progress: ReportProgress = no_progress) -> Audit:
    """Check all Examples of a store. `progress` is called with how many are done."""
    checker, result = _Checker(store), Audit()
    splits_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for example in store.stream():
        result.checked += 1
        result.kinds[example.kind] += 1
        result.splits[example.split] += 1
        result.violations += [
            (example.example_id, problem) for problem in checker.problems(example)
        ]
        if len(example.conditions) == 1:
            splits_of[example.gold[0], example.conditions[0].value].add(example.split)
        if result.checked % 500 == 0:
            progress(result.checked)
    result.violations += [
        ("-", f"link {link} stands in splits {sorted(splits)}")
        for link, splits in splits_of.items()
        if len(splits) > 1
    ]
    return result


class _Checker:
    def __init__(self, store: Store) -> None:
        self.digest = store.graph_digest
        self.titles: dict[str, str] = dict(store.rows("SELECT item_id, title FROM items"))
        self.triples = set(store.rows("SELECT item_id, relation, attribute_id FROM edges"))
        self.spoken = set(store.rows("SELECT DISTINCT item_id, relation FROM edges"))
        self.names: dict[str, str] = dict(store.rows("SELECT attribute_id, name FROM attributes"))
        self.numbers: dict[tuple[str, str], list[float]] = defaultdict(list)
        for item, relation, attribute in self.triples:
            if re.fullmatch(r"\d+\.?\d*|\.\d+", self.names[attribute], re.ASCII):
                self.numbers[item, relation].append(float(self.names[attribute]))
        self._add_audiences(store)

    def _add_audiences(self, store: Store) -> None:
        """Which groups like an item 1.4 times as much as all do, counted here once more from the
        interactions.
        """
        bound = (store.meta("rating_scale") or {}).get("liked_from", 4)
        liked = (
            f"CASE WHEN liked IS NOT NULL THEN liked ELSE coalesce(rating, {bound}) >= {bound} END"
        )
        likes = store.rows(f"SELECT user_id, item_id FROM interactions WHERE {liked}")
        groups: dict[str, list[str]] = defaultdict(list)
        for column in ("gender", "age", "occupation"):
            for user, value in store.rows(
                f"SELECT user_id, {column} FROM users WHERE {column} IS NOT NULL AND {column} "
                "<> 'other'"
            ):
                groups[user].append(f"{column}/{value}")
        if not groups:
            return
        item_likes, group_likes = Counter(item for _, item in likes), Counter[str]()
        both: Counter[tuple[str, str]] = Counter()
        for user, item in likes:
            group_likes.update(groups.get(user, ()))
            both.update((item, group) for group in groups.get(user, ()))
        self.spoken |= {(item, "popular_with") for item, n in item_likes.items() if n >= 30}
        for (item, g), n in both.items():
            if (
                item_likes[item] >= 30
                and n >= 10
                and n * len(likes) >= 1.4 * item_likes[item] * group_likes[g]
            ):
                self.triples.add((item, "popular_with", f"popular_with/{g}"))
                self.names[f"popular_with/{g}"] = g.replace("/", " ", 1)
        loved = {item for item, relation, _ in self.triples if relation == "popular_with"}
        self.triples |= {
            (item, "popular_with", "popular_with/everyone")
            for item, n in item_likes.items()
            if n >= 30 and item not in loved
        }

    def meets(self, item: str, c: Condition) -> bool | None:
        """Whether an item meets a condition of any kind; None: unknown."""
        if c.op in ("below", "above"):
            numbers = self.numbers[item, c.relation]
            sides = {n < float(c.value) if c.op == "below" else n > float(c.value) for n in numbers}
            return None if not numbers else sides == {True}
        truth = self.truth(item, c.relation, c.value)
        return truth if truth is None or c.op == "is" else not truth

    def truth(self, item: str, relation: str, value: str) -> bool | None:
        """True: the triple is there. False: the relation is known for the item, without it. None:
        unknown.
        """
        return (
            True
            if (item, relation, value) in self.triples
            else False
            if (item, relation) in self.spoken
            else None
        )

    def problems(self, e: Example) -> list[str]:
        """All violations of one Example.

        A benchmark's is not ours to prove: its gold must only not be disproved.
        """
        found, ours = self.form_problems(e), e.split != "benchmark"
        for item in e.candidates:
            verdicts = [self.meets(item, c) for c in e.conditions]
            if item in e.gold and (not all(verdicts) if ours else False in verdicts):
                found.append(f"gold {item} does not meet every condition")
            if item not in e.gold and e.conditions and False not in verdicts:
                found.append(f"negative {item} is not proven to miss a condition")
        found += self.query_problems(e)
        for call in e.calls:
            if self.looked_up(call, e) != set(call.result):
                found.append(f"a {call.tool} gives something else")
        for chain in e.chains:
            found += self.chain_problems(e, chain)
        if ours and (not e.chains or e.chains[0].flaw or not any(c.flaw for c in e.chains)):
            found.append("a gold chain and a flawed one are needed")
        return found

    def form_problems(self, e: Example) -> list[str]:
        """What is wrong with its id, its graph, or its lists."""
        found = []
        if e.named().example_id != e.example_id:
            found.append("its id is not the hash of its content")
        if e.provenance.graph_digest != self.digest:
            found.append(f"made from graph {e.provenance.graph_digest}")
        unproven = e.split != "benchmark" and not e.conditions
        twice = len(set(e.candidates)) < len(e.candidates)
        if unproven or not e.gold or twice or set(e.gold) - set(e.candidates):
            found.append("conditions, gold or candidates are not well formed")
        return found

    def query_problems(self, e: Example) -> list[str]:
        """What is wrong with the words of the query, its premise and its turns."""
        found = []
        if any(self.names.get(c.value) != c.name for c in e.conditions if c.op in ("is", "not")):
            found.append("a condition's name is not its attribute's")
        words = " ".join(turn.text for turn in e.turns).lower() or e.query.lower()
        ours = () if e.split == "benchmark" else e.gold
        if any(self.titles[g].rsplit(" (", 1)[0].lower() in words for g in ours):
            found.append("the query leaks the gold")
        premise = e.premise
        if premise:
            if self.truth(premise.subject, premise.relation, premise.value) is not False:
                found.append("the false premise is not false")
        if e.turns:
            roles = [turn.role for turn in e.turns]
            alternating = ["user", "assistant"] * (len(e.turns) // 2) + ["user"]
            if e.turns[-1].text != e.query or roles != alternating:
                found.append("the turns do not alternate, or do not end with the query")
        return found

    def looked_up(self, call: Call, e: Example) -> set[str]:
        """What a call gives, from the tables."""
        if call.tool == "lookup":
            return {
                value
                for item, relation, value in self.triples
                if (item, relation) == (call.item, call.relation)
            }
        return {item for item in e.candidates if (item, call.relation, call.value) in self.triples}

    def chain_problems(self, e: Example, chain: Chain) -> list[str]:
        """Every correct step must be true here, every wrong one false, every evidence edge real."""
        found = []
        conditions = {(c.op, c.relation, c.value) for c in e.conditions}
        for step in chain.steps:
            verdicts = [self.claim(claim, e) for claim in step.claims]
            if step.role == "need":
                verdicts.append({(c.op, c.relation, c.value) for c in step.claims} == conditions)
            holds = None if None in verdicts else all(verdicts)
            if holds is not (step.label == "correct"):
                found.append(f"step {step.text!r} is labelled {step.label}, the tables say {holds}")
            if set(step.evidence) - self.triples:
                found.append(f"step {step.text!r} cites an edge that is not there")
        right = chain.flaw in ("", "right_item_for_a_wrong_reason")
        if (
            (chain.answer in e.gold) != right
            or chain.answer not in e.candidates
            or bool(chain.flaw) != any(s.label == "wrong" for s in chain.steps)
        ):
            found.append(f"chain {chain.flaw or 'gold'} answers {chain.answer}")
        return found

    def claim(self, claim: Claim, e: Example) -> bool | None:
        """Truth of a claim, None where the tables cannot say."""
        if claim.kind == "need":
            return any(
                (claim.op, claim.relation, claim.value) == (c.op, c.relation, c.value)
                for c in e.conditions
            )
        if claim.kind == "fact":
            truth = self.truth(claim.subject, claim.relation, claim.value)
            return None if truth is None else truth is claim.holds
        verdicts = [self.meets(claim.subject, c) for c in e.conditions]
        meets = False if False in verdicts else None if None in verdicts else True
        return None if meets is None else meets is claim.holds
