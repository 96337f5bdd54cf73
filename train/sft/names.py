"""Names swapped among themselves: a policy must read the facts it is given, not remember them."""

import random


class NameShuffler:
    """Swaps name tokens for others of their group, alike in the prompt and response of a sample."""

    def __init__(self, entities: dict[str, list[int]], rng: random.Random) -> None:
        """`entities`: token ids by group, as `train.sft.tokenizer.build_tokenizer` gives them."""
        self.rng = rng
        self.groups = {name: ids for name, ids in entities.items() if ids}
        self.group_of: dict[int, str] = {}
        for name, ids in self.groups.items():
            self.group_of |= dict.fromkeys(ids, name)

    def __call__(self, prompt: list[int], answer: list[int]) -> tuple[list[int], list[int]]:
        """Prompt and answer with other names.

        The small category group is permuted as a whole, in half of the samples.
        """
        swap: dict[int, int] = {}
        for name, ids in self.groups.items():
            if name == "category":
                if self.rng.random() < 0.5:
                    swap |= dict(zip(ids, self.rng.sample(ids, len(ids)), strict=True))
                continue
            used = list(dict.fromkeys(i for i in prompt + answer if self.group_of.get(i) == name))
            swap |= dict(zip(used, self.rng.sample(ids, len(used)), strict=True))
        return [swap.get(i, i) for i in prompt], [swap.get(i, i) for i in answer]
