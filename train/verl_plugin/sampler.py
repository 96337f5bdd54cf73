"""The curriculum as verl's train sampler. Its state travels in verl's own checkpoint (data.pt)."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from train.rft.curriculum import Curriculum, CurriculumState


class CurriculumSampler(Sampler[int]):
    """Yields dataset rows in plan order.

    The state holds the last observed batch, so a batch handed out but not learned from comes again.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.curriculum = curriculum
        self._resumed = False

    def __iter__(self) -> Iterator[int]:
        """One epoch; ends at once when all queries are mastered."""
        unfinished = self._resumed and self.curriculum.done < len(self.curriculum.plan)
        self._resumed = False
        if not unfinished:
            self.curriculum.next_plan()
        yield from self.curriculum.plan[self.curriculum.done :]

    def __len__(self) -> int:
        return len(self.curriculum.prior)

    def state_dict(self) -> CurriculumState:
        """See `Curriculum.state`."""
        return self.curriculum.state()

    def load_state_dict(self, state: CurriculumState) -> None:
        """Continue after the last observed batch."""
        self.curriculum.restore(state)
        self._resumed = True
