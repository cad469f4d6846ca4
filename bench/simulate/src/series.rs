//! Latencies by time: a histogram for each ten seconds.

/// Seconds of one point.
pub const STEP: usize = 10;
const BINS: usize = 240;
/// From 0.1 ms on, each bin is 6 % wider than the one before: the last is at 100 s.
const GROWTH: f64 = 1.06;

pub struct Latencies {
    steps: Vec<[u32; BINS]>,
}

impl Latencies {
    pub fn new(seconds: usize) -> Self {
        Self { steps: vec![[0; BINS]; seconds.div_ceil(STEP)] }
    }

    /// `count` events that began at `at` took so long, s.
    pub fn add(&mut self, at: f64, took: f64, count: u32) {
        let bin = ((took / 1e-4).max(1.0).ln() / GROWTH.ln()) as usize;
        if let Some(step) = self.steps.get_mut(at as usize / STEP) {
            step[bin.min(BINS - 1)] += count;
        }
    }

    /// How many events began in each step.
    pub fn counts(&self) -> Vec<f64> {
        self.steps.iter().map(|step| step.iter().map(|count| f64::from(*count)).sum()).collect()
    }

    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.steps.iter_mut().zip(&other.steps) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
    }

    /// The time that a share of the events did not exceed, in each step, s.
    pub fn quantile(&self, share: f64) -> Vec<f64> {
        self.steps.iter().map(|step| quantile(&step.map(u64::from), share)).collect()
    }

    /// And over all.
    pub fn whole(&self, share: f64) -> f64 {
        let mut sum = [0u64; BINS];
        for step in &self.steps {
            sum.iter_mut().zip(step).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        quantile(&sum, share)
    }
}

fn quantile(bins: &[u64; BINS], share: f64) -> f64 {
    let total: u64 = bins.iter().sum();
    let wanted = (share * total as f64) as u64;
    let mut below = 0;
    for (bin, count) in bins.iter().enumerate() {
        below += count;
        if below > wanted {
            return 1e-4 * GROWTH.powf(bin as f64 + 0.5);
        }
    }
    0.0
}
