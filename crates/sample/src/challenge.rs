//! Hostile days for a user's own rules: payments of known truth, planted as rows of every source, and the judge of what
//! the rules made of them.
//!
//! Rows are made from the rules (and from the profiles of their sources, where these say what a source can hold): keys
//! that the normalisers bring together, texts in which the tokens' patterns find what they should, days beside the
//! cut-offs, kinds that the filters let through. Each row belongs to one group of one edge; on every edge, rows of
//! different groups do not belong together.
//!
//! ```
//! use quanfu_calendar::BusinessCalendar;
//! use quanfu_settlement::Rules;
//!
//! let rules = Rules::parse(&quanfu_sample::demo_day(1).rules).unwrap();
//! let challenge = quanfu_sample::Challenge::plant(&rules, &[None, None, None], &BusinessCalendar::china(), 7, 600);
//! assert_eq!(challenge.days.len(), 2);
//! assert!(challenge.row_count() > 500);
//! ```

mod csv;
mod judge;
mod pattern;
mod pen;
mod plant;
mod plot;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_settlement::challenge::LeftOut;
use quanfu_settlement::{ChallengeClass, ChallengeGap, Entry, Profile, Rules, Side};

use crate::random::Random;
use pen::Pen;
use plot::Plot;

/// A planted row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub edge: usize,
    pub side: Side,
    /// Number of its group.
    pub group: u32,
    /// Whether it is one more copy, which belongs to the group and need not be found.
    pub is_spare: bool,
    /// The run in whose files it is.
    pub run: usize,
    pub entry: Entry<'static>,
}

/// One business day.
#[derive(Clone, Debug)]
pub struct ChallengeDay {
    /// Business day of the run.
    pub as_of: Date,
    /// Rows by source, in the order of the rules' sources.
    pub rows: Vec<Vec<Entry<'static>>>,
    /// For each of these rows its number in the truth.
    numbers: Vec<Vec<u32>>,
}

/// The truth about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlantedRow {
    /// Index of the edge for which it was planted; on other edges it has no counterpart.
    pub edge: usize,
    /// Its side there.
    pub side: Side,
    /// Number of its group: rows of one group belong together.
    pub group: u32,
    /// Whether it is one more copy, which belongs to the group and need not be found.
    pub is_spare: bool,
}

/// The truth about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlantedGroup {
    /// What is odd about it.
    pub class: ChallengeClass,
    /// Number of its case: a case of some classes has several groups.
    pub case: u32,
}

/// Days with planted truth for certain rules.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The seed.
    pub seed: u64,
    /// The days, to be run one after the other; the second one carries on the first.
    pub days: Vec<ChallengeDay>,
    /// Truth of the rows.
    pub truth: Vec<PlantedRow>,
    /// Truth of the groups, by their number.
    pub groups: Vec<PlantedGroup>,
    /// By edge: the classes that were not planted, and why.
    pub left_out: Vec<Vec<LeftOut>>,
}

/// Of a thousand rows of an edge, how many are of a class that is not one of the odd many.
const PLAIN_SHARE: u64 = 350;
/// How many rows a shop of the pool has, about.
const ROWS_OF_SHOP: u64 = 40;
/// How many cases of a class in a row may fail before it is given up.
const TRIES: u32 = 12;

impl Challenge {
    /// Plants about this many rows, and one case of each class at least. `profiles` are those of the rules' sources,
    /// in their order; a source without one is taken to hold everything.
    ///
    /// The same rules, profiles, calendar, seed and number of rows give the same days.
    #[must_use]
    pub fn plant(
        rules: &Rules,
        profiles: &[Option<&Profile>],
        calendar: &BusinessCalendar,
        seed: u64,
        rows: u32,
    ) -> Self {
        let pens: Vec<Pen<'_>> = (0..rules.sources.len())
            .map(|source| Pen::new(rules, source, profiles.get(source).copied().flatten()))
            .collect();
        let (days, is_known) = four_days(calendar);
        let carries = rules.carry_business_days.is_some_and(|days| days > 0) && is_known;
        let mut challenge = Self {
            seed,
            days: Vec::new(),
            truth: Vec::new(),
            groups: Vec::new(),
            left_out: Vec::new(),
        };
        let mut random = Random::new(seed);
        let mut all: Vec<Row> = Vec::new();
        for (index, edge) in rules.edges.iter().enumerate() {
            let own = Random::new(random.below(u64::MAX));
            let sides = [&pens[edge.left], &pens[edge.right]];
            let mut plot = Plot::new(rules, index, sides, own, days);
            let budget = u64::from(rows) / rules.edges.len().max(1) as u64;
            challenge.fill(&mut plot, carries, budget, &mut all);
        }
        random.shuffle(&mut all);
        let is_late = all.iter().any(|row| row.run > 0);
        for (run, &as_of) in days[2..].iter().enumerate() {
            if run > 0 && !is_late {
                break;
            }
            let blank = || vec![Vec::new(); rules.sources.len()];
            challenge.days.push(ChallengeDay {
                as_of,
                rows: vec![Vec::new(); rules.sources.len()],
                numbers: blank(),
            });
        }
        for row in all {
            let edge = &rules.edges[row.edge];
            let source = match row.side {
                Side::Left => edge.left,
                Side::Right => edge.right,
            };
            let day = &mut challenge.days[row.run];
            day.rows[source].push(row.entry);
            day.numbers[source].push(challenge.truth.len() as u32);
            challenge.truth.push(PlantedRow {
                edge: row.edge,
                side: row.side,
                group: row.group,
                is_spare: row.is_spare,
            });
        }
        challenge
    }

    /// Number of rows, in all sources and days.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.truth.len() as u64
    }

    /// Plants the classes of an edge.
    fn fill(&mut self, plot: &mut Plot<'_>, carries: bool, budget: u64, all: &mut Vec<Row>) {
        let mut left_out = Vec::new();
        let mut classes = Vec::new();
        for &class in ChallengeClass::ALL {
            match plot.gap(class, carries) {
                Some(why) => left_out.push(LeftOut { class, why }),
                None => classes.push(class),
            }
        }
        let is_many = |class: ChallengeClass| {
            matches!(class, ChallengeClass::Plain | ChallengeClass::BatchExact)
        };
        let many = classes.iter().filter(|class| is_many(**class)).count() as u64;
        let few = classes.len() as u64 - many;
        let pool = usize::try_from(budget / ROWS_OF_SHOP)
            .unwrap_or(usize::MAX)
            .max(3);
        for class in classes {
            let share = if is_many(class) {
                budget * PLAIN_SHARE / 1000 / many
            } else {
                budget * (1000 - PLAIN_SHARE * many.min(1)) / 1000 / few
            };
            let (mut rows, mut case, mut failed) = (0, 0, 0);
            while (case == 0 || rows < share) && failed < TRIES {
                plot.stage.clear();
                let done = plot.case(class, case, pool);
                let stage = std::mem::take(&mut plot.stage);
                // a case may be bound to a rule whose texts cannot be made: the next one has its turn
                case += 1;
                if done.is_none() || stage.is_empty() {
                    failed += 1;
                    continue;
                }
                failed = 0;
                rows += stage.len() as u64;
                self.keep(class, stage, all);
            }
            if rows == 0 {
                let why = ChallengeGap::NoText;
                left_out.push(LeftOut { class, why });
            }
        }
        left_out.sort_by_key(|left_out| left_out.class);
        self.left_out.push(left_out);
    }

    /// Takes over the rows of a case.
    fn keep(&mut self, class: ChallengeClass, stage: Vec<(u32, Row)>, all: &mut Vec<Row>) {
        let case = self.groups.last().map_or(0, |group| group.case + 1);
        let mut numbers: Vec<(u32, u32)> = Vec::new();
        for (local, mut row) in stage {
            let known = numbers.iter().find(|(number, _)| *number == local);
            row.group = match known {
                Some((_, number)) => *number,
                None => {
                    let number = self.groups.len() as u32;
                    self.groups.push(PlantedGroup { class, case });
                    numbers.push((local, number));
                    number
                }
            };
            all.push(row);
        }
    }
}

/// Four business days one after the other, and whether the calendar knows them.
fn four_days(calendar: &BusinessCalendar) -> ([Date; 4], bool) {
    let days = |first: Date| -> Option<[Date; 4]> {
        let mut days = [first; 4];
        for index in 1..4 {
            days[index] = days[index - 1].succ_opt()?;
        }
        Some(days)
    };
    // the first Monday of March 2026, or else the first such days that the calendar has
    let march = Date::from_ymd_opt(2026, 3, 2).unwrap_or_default();
    for start in [march, calendar.covers().0] {
        let mut first = start;
        for _ in 0..400 {
            let is_business =
                |day: &Date| calendar.is_business_day(*day).is_ok_and(|is_one| is_one);
            if let Some(days) = days(first)
                && days.iter().all(is_business)
            {
                return (days, true);
            }
            match first.succ_opt() {
                Some(next) => first = next,
                None => break,
            }
        }
    }
    (days(march).unwrap_or([march; 4]), false)
}
