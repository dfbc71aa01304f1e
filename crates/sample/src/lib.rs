//! Settlement days from a seed, with planted truth, as bytes in memory: for the demo, for tests, for trying rules.
//!
//! A day has three files of one invented shop company: its orders (`orders.csv`), the bill of its payment institution
//! (`wechat.csv`, in the layout of WeChat Pay's trade bill) and the statement of its bank (`bank.sta`, MT940). Some
//! rows are planted so that they must end in a certain outcome; [`SampleDay::truth`] says which. Merchants, orders,
//! accounts and amounts are made up.
//!
//! A [`Challenge`] is made from rules that a user brings: hostile days as rows of a program, and the judge of what the
//! rules made of them.
//!
//! ```
//! let day = quanfu_sample::demo_day(20_170_125);
//! assert!(day.files.iter().any(|file| file.path == "bank.sta"));
//! assert_eq!(day.business_day.to_string(), "2017-01-25");
//! ```

mod challenge;
mod random;
mod text;
mod world;

use quanfu_calendar::Date;
use quanfu_settlement::{BreakCode, Outcome};

pub use challenge::{Challenge, ChallengeDay, PlantedGroup, PlantedRow};

use crate::world::World;

/// A file of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// Path below the day's folder.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What must come of one row on one edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The source.
    pub source: &'static str,
    /// The file.
    pub file: &'static str,
    /// Line in the file, counted from 1.
    pub line: u32,
    /// A reference by which people look for the row.
    pub reference: String,
    /// The edge.
    pub edge: &'static str,
    /// The outcome.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<BreakCode>,
    /// Why the row was planted, such as `paid twice`; `agrees` for the many.
    pub class: &'static str,
}

/// A settlement day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleDay {
    /// Its files.
    pub files: Vec<SampleFile>,
    /// Its rules (`quanfu.rules/1`), which are also among the files.
    pub rules: String,
    /// What must come of every row on every edge of its source.
    pub truth: Vec<Expected>,
    /// What was planted and which commands show it; also among the files.
    pub readme: String,
    /// The business day.
    pub business_day: Date,
}

impl SampleDay {
    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(&file.bytes)
    }
}

/// How many rows of each class a day has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Payments of the business day on which everything agrees.
    pub payments: u32,
    /// Such payments of a day that is long past, whose bill came late.
    pub late_bill: u32,
    /// Payments behind the cut-off: they count for the next day.
    pub behind_cutoff: u32,
    /// Refunds on which everything agrees.
    pub refunds: u32,
    /// Orders of the day that the channel has not yet.
    pub order_only_fresh: u32,
    /// Orders long past that the channel never had.
    pub order_only_old: u32,
    /// Payments of the day that have no order yet.
    pub channel_only_fresh: u32,
    /// Payments long past that never had an order.
    pub channel_only_old: u32,
    /// Refunds long past that the shop does not know.
    pub refund_unknown: u32,
    /// Payments of which the channel has more than the order.
    pub more: u32,
    /// Payments of which the channel has less.
    pub less: u32,
    /// Payments that the shop still takes for pending.
    pub pending: u32,
    /// Orders paid twice.
    pub paid_twice: u32,
    /// Orders that the shop exported twice.
    pub exported_twice: u32,
    /// Payments that were revoked the same day.
    pub revoked: u32,
    /// Orders that were closed without payment.
    pub closed: u32,
    /// Whether the bank paid one batch short.
    pub short_batch: bool,
    /// Bank lines of the day that belong to no batch.
    pub bank_only_fresh: u32,
    /// Such lines long past.
    pub bank_only_old: u32,
}

impl Default for Shares {
    /// What the demo has.
    fn default() -> Self {
        Self {
            payments: 520,
            late_bill: 24,
            behind_cutoff: 9,
            refunds: 12,
            order_only_fresh: 4,
            order_only_old: 2,
            channel_only_fresh: 3,
            channel_only_old: 2,
            refund_unknown: 1,
            more: 1,
            less: 2,
            pending: 1,
            paid_twice: 1,
            exported_twice: 1,
            revoked: 2,
            closed: 5,
            short_batch: true,
            bank_only_fresh: 1,
            bank_only_old: 1,
        }
    }
}

/// The day that `quanfu demo` writes: 25 January 2017, the last but one before the Spring Festival of that year.
#[must_use]
pub fn demo_day(seed: u64) -> SampleDay {
    day(seed, &Shares::default())
}

/// A day with these shares.
#[must_use]
pub fn day(seed: u64, shares: &Shares) -> SampleDay {
    World::new(seed, shares).first_day()
}

/// The day after [`day`] with the same seed and shares: it brings the other sides of what was carried. To be run with
/// the first day's result as its predecessor.
#[must_use]
pub fn next_day(seed: u64, shares: &Shares) -> SampleDay {
    World::new(seed, shares).second_day()
}
