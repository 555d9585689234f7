"""When a training looks at dev."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Looks:
    """Every so many steps, or whenever all examples were seen once more; and at the end."""

    every: int | None
    examples: int
    batch: int
    total: int
    """Steps in all."""

    @property
    def count(self) -> int:
        """How many there are."""
        if self.every is not None:
            return -(-self.total // self.every)
        at_ends = min(self.total, self.total * self.batch // self.examples)
        return at_ends + (not self._ends_epoch(self.total))

    def due(self, step: int) -> bool:
        """Whether there is one after a step, counted from 1."""
        if step == self.total:
            return True
        return self._ends_epoch(step) if self.every is None else step % self.every == 0

    def epochs(self, step: int) -> float:
        """How often every example was seen; a whole number where an epoch has just ended."""
        if self._ends_epoch(step):
            return step * self.batch // self.examples
        return round(step * self.batch / self.examples, 3)

    def _ends_epoch(self, step: int) -> bool:
        seen, before = step * self.batch, (step - 1) * self.batch
        return seen // self.examples > before // self.examples
