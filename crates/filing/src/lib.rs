//! Post-hoc filing (事后备案) of cooperations between banks and payment institutions, and restored declarations (还原申报).
//!
//! Business may begin before anything is filed. What was filed, when, by whom and on which papers is kept as a chain of
//! events; deadlines are counted on working days with the reason for every day that does not count, and where a programme
//! gives no deadline, nobody is told to be in time.
//!
//! ```
//! use quanfu_calendar::{BusinessCalendar, Date};
//! use quanfu_filing::{Act, Content, Filing, Programme, Timeliness, due};
//!
//! let day = |text: &str| text.parse::<Date>();
//! let programmes = Programme::shipped();
//! let programme = programmes.iter().find(|known| known.id == "example-5wd").ok_or("no such programme")?;
//! let mut filing = Filing::new(programme, "JN-2025-001", Content::default(), day("2025-12-22")?, "Li Na")?;
//! filing.apply(programme, Act::Sign, day("2025-12-24")?, "Li Na")?;
//! filing.apply(programme, Act::Start, day("2025-12-29")?, "Li Na")?;
//!
//! // New Year's Day, the 2nd and the 3rd are off; Sunday the 4th is worked
//! let item = due(&filing, programme, &BusinessCalendar::china(), day("2026-01-07")?);
//! let deadline = item.deadline.ok_or("no deadline")?;
//! assert_eq!(deadline.due().map(|day| day.to_string()).as_deref(), Some("2026-01-06"));
//! assert_eq!((item.timeliness, item.days_late), (Timeliness::Overdue, Some(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Read on in this order: [`Programme`], [`Content`], [`Filing`], [`Deadline`], [`due`], [`Restored`], [`Declaration`].

mod content;
mod deadline;
pub mod declaration;
mod due;
mod filing;
mod list;
mod programme;
mod restored;

pub use content::{
    Account, Agreement, Attachment, Bank, Channel, Contact, Content, Doubt, Institution, Scope,
    TransactionLimit,
};
pub use deadline::{DayUnit, Deadline, NotDeterminable, Term};
pub use declaration::{Bop, Declaration, NegativeList, ReceiptPayment};
pub use due::{DueItem, Retention, Timeliness, due, dues, retention, why_not};
pub use filing::{
    Act, Course, Event, Filing, Progress, Refusal, SCHEMA, Standing, State, Submission,
};
pub use programme::{Duty, Filer, Matter, Programme, ProgrammeError, Trigger};
pub use restored::{
    Actual, Batch, Change, Charge, Difference, FeeRounding, NettingRule, NotDeclared, Original,
    OriginalKind, OutcomeOf, Place, RestoreError, Restored, SCHEMA as RESTORED_SCHEMA, Unsound,
    netting_rules,
};
