//! Choices that look random and are the same for the same seed.

use std::ops::RangeInclusive;

use super::super::support::Random;

pub(super) struct Draw(Random);

impl Draw {
    pub(super) fn of(seed: u64) -> Draw {
        Draw(Random(seed))
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    pub(super) fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let bound = range.end() - range.start() + 1;
        range.start() + self.0.below(bound.unsigned_abs()) as i64
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(super) fn perhaps<T>(&mut self, percent: usize, make: impl FnOnce(&mut Draw) -> T) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }
}
