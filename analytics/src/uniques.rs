//! How many different visitors: a `HyperLogLog` whose state is a pure function of the set it has seen.
//!
//! That purity is why it is ours: the sketches of the libraries carry estimators that depend on the order of
//! insertion, and then `rollup(a ++ b) == rollup(a) + rollup(b)` is no longer an equality that a test can demand.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// 2^12 registers: a standard error of 1.04 / sqrt(4096) = 1.6 %.
const PRECISION: u32 = 12;
const REGISTERS: usize = 1 << PRECISION;
/// A register holds the position of the first one-bit among the other 52: at most 53.
const RANK_MAX: u8 = (64 - PRECISION + 1) as u8;
/// As long as fewer registers are set, they are kept as a sorted list of 3 bytes each instead of 4,096.
const SPARSE_MAX: usize = 1_024;

/// What a visitor's hash leaves in the registers, and nothing else of it: which of the 4,096, and how many zeros. Adding it is
/// adding the hash, and it is what millions of visitors in a billion have in common.
pub fn coarse(hash: u64) -> u64 {
    let low = hash & (u64::MAX >> PRECISION);
    let first = low.checked_ilog2().map_or(0, |place| 1 << place);
    hash - low + first
}

/// A mergeable estimate of how many different visitors there were. Adding one twice changes nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Uniques(Registers);

#[derive(Clone, PartialEq, Eq)]
enum Registers {
    /// `(register, rank)`, sorted, at most [`SPARSE_MAX`].
    Sparse(Vec<(u16, u8)>),
    /// All of them. More than [`SPARSE_MAX`] are set, so that equal sets are equal states.
    Dense(Box<[u8]>),
}

impl Default for Uniques {
    fn default() -> Self {
        Self(Registers::Sparse(Vec::new()))
    }
}

impl Uniques {
    /// Adds a visitor by a 64-bit hash of the identity.
    pub fn insert(&mut self, hash: u64) {
        let register = (hash >> (64 - PRECISION)) as u16;
        // The low 52 bits, with a stop bit so that the rank is at most RANK_MAX.
        let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
        self.raise(register, rest.leading_zeros() as u8 + 1);
    }

    /// Adds every visitor of `other`.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Registers::Sparse(pairs) => {
                for &(register, rank) in pairs {
                    self.raise(register, rank);
                }
            }
            Registers::Dense(ranks) => {
                for (mine, theirs) in self.dense().iter_mut().zip(ranks) {
                    *mine = (*mine).max(*theirs);
                }
            }
        }
    }

    /// The estimated number: Ertl, "New cardinality estimation algorithms for `HyperLogLog` sketches" (2017),
    /// algorithm 6, which needs no bias tables and counts linearly while few registers are set.
    pub fn estimate(&self) -> u64 {
        let mut histogram = [0u32; RANK_MAX as usize + 1];
        let mut count = |rank: u8, times: u32| {
            if let Some(slot) = histogram.get_mut(usize::from(rank)) {
                *slot += times;
            }
        };
        match &self.0 {
            Registers::Sparse(pairs) => {
                count(0, (REGISTERS - pairs.len()) as u32);
                for &(_, rank) in pairs {
                    count(rank, 1);
                }
            }
            Registers::Dense(ranks) => {
                for &rank in ranks {
                    count(rank, 1);
                }
            }
        }
        let m = REGISTERS as f64;
        let [zeros, middle @ .., saturated] = &histogram;
        let mut z = m * tau(1.0 - f64::from(*saturated) / m);
        for &registers in middle.iter().rev() {
            z = 0.5 * (z + f64::from(registers));
        }
        z += m * sigma(f64::from(*zeros) / m);
        (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as u64
    }

    /// Whether nobody was added.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Registers::Sparse(pairs) if pairs.is_empty())
    }

    /// How long it is when it is stored.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Registers::Sparse(pairs) => 3 * pairs.len(),
            Registers::Dense(ranks) => ranks.len(),
        }
    }

    fn raise(&mut self, register: u16, rank: u8) {
        match &mut self.0 {
            Registers::Sparse(pairs) => match pairs.binary_search_by_key(&register, |pair| pair.0) {
                Ok(at) => {
                    if let Some(pair) = pairs.get_mut(at) {
                        pair.1 = pair.1.max(rank);
                    }
                }
                Err(at) => {
                    pairs.insert(at, (register, rank));
                    if pairs.len() > SPARSE_MAX {
                        self.dense();
                    }
                }
            },
            Registers::Dense(ranks) => {
                if let Some(slot) = ranks.get_mut(usize::from(register)) {
                    *slot = (*slot).max(rank);
                }
            }
        }
    }

    fn dense(&mut self) -> &mut [u8] {
        if let Registers::Sparse(pairs) = &self.0 {
            let mut ranks = vec![0; REGISTERS].into_boxed_slice();
            for &(register, rank) in pairs {
                if let Some(slot) = ranks.get_mut(usize::from(register)) {
                    *slot = rank;
                }
            }
            self.0 = Registers::Dense(ranks);
        }
        match &mut self.0 {
            Registers::Dense(ranks) => ranks,
            Registers::Sparse(_) => &mut [],
        }
    }

    /// Sparse: two bytes of register (big endian) and one of rank for each. Dense: one byte for each register.
    /// The two are told apart by their length.
    fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Registers::Sparse(pairs) => pairs
                .iter()
                .flat_map(|&(register, rank)| {
                    let [high, low] = register.to_be_bytes();
                    [high, low, rank]
                })
                .collect(),
            Registers::Dense(ranks) => ranks.to_vec(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut uniques = Self::default();
        if bytes.len() == REGISTERS {
            let registers = bytes.iter().enumerate().filter(|(_, rank)| **rank > 0);
            registers.for_each(|(register, &rank)| uniques.raise(register as u16, rank.min(RANK_MAX)));
            return Some(uniques);
        }
        if !bytes.len().is_multiple_of(3) || bytes.len() > 3 * SPARSE_MAX {
            return None;
        }
        for triple in bytes.chunks_exact(3) {
            let &[high, low, rank] = triple else { return None };
            let register = u16::from_be_bytes([high, low]);
            if usize::from(register) >= REGISTERS || rank == 0 || rank > RANK_MAX {
                return None;
            }
            uniques.raise(register, rank);
        }
        Some(uniques)
    }
}

/// Ertl's sigma: the share of empty registers, turned into what they say of the count.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

/// Ertl's tau: likewise for saturated registers.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

impl fmt::Debug for Uniques {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{}", self.estimate())
    }
}

impl Serialize for Uniques {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Uniques {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Uniques;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the registers of a HyperLogLog")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Uniques, E> {
                Uniques::from_bytes(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
