//! A set of small numbers that is filled and emptied again and again, and tells them in order.

/// Which of many numbers were met: a bit for each, and a bit for each 64 bits of which one is set, so that few marks among
/// many numbers are found in few steps.
#[derive(Debug)]
pub(super) struct Marks {
    bits: Vec<u64>,
    groups: Vec<u64>,
    marked: usize,
}

impl Marks {
    /// No marks yet, of numbers below `end`.
    pub(super) fn new(end: usize) -> Self {
        let words = end.div_ceil(64);
        Self { bits: vec![0; words], groups: vec![0; words.div_ceil(64)], marked: 0 }
    }

    /// Marks a number.
    #[inline]
    pub(super) fn mark(&mut self, number: u32) {
        let word = number as usize / 64;
        if let Some(bits) = self.bits.get_mut(word) {
            if *bits == 0
                && let Some(group) = self.groups.get_mut(word / 64)
            {
                *group |= 1 << (word % 64);
            }
            let bit = 1 << (number % 64);
            self.marked += usize::from(*bits & bit == 0);
            *bits |= bit;
        }
    }

    /// How many are marked.
    pub(super) fn len(&self) -> usize {
        self.marked
    }

    /// Tells the marked numbers, the least first; then there are none.
    pub(super) fn drain(&mut self, mut each: impl FnMut(u32)) {
        self.marked = 0;
        for (group, places) in self.groups.iter_mut().enumerate() {
            while *places != 0 {
                let word = group * 64 + places.trailing_zeros() as usize;
                *places &= *places - 1;
                let bits = self.bits.get_mut(word).map(std::mem::take).unwrap_or_default();
                ones(bits, |bit| each(word as u32 * 64 + bit));
            }
        }
    }
}

fn ones(mut bits: u64, mut each: impl FnMut(u32)) {
    while bits != 0 {
        each(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_are_a_set_in_order(rounds in prop::collection::vec(prop::collection::vec(0u32..9_000, 0..40), 0..4)) {
            let mut marks = Marks::new(9_000);
            for numbers in rounds {
                for number in &numbers {
                    marks.mark(*number);
                }
                let set: BTreeSet<u32> = numbers.into_iter().collect();
                prop_assert_eq!(marks.len(), set.len());
                let mut told = Vec::new();
                marks.drain(|number| told.push(number));
                prop_assert_eq!(told, set.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
