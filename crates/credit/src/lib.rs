//! Premium subsidies (保费补助), interest discounts (融资贴息) and policy-pledge financing (保单质押) as rules that run.
//!
//! A [`Programme`] is one document of a city as data: dated figures, each with the clause that it stands in. [`assess`]
//! runs it over [`Application`]s and gives [`Award`]s that explain themselves: a [`Trail`](quanfu_trail::Trail) of steps
//! that can be computed again. What gets nothing gets a reason. A figure that the sources do not show is not guessed:
//! what needs it is refused.
//!
//! ```
//! use quanfu_credit::{Context, Programme, ReferenceRates, application, assess};
//! use quanfu_calendar::BusinessCalendar;
//! use quanfu_fx::RateTable;
//!
//! let programme = Programme::parse(quanfu_credit::shipped("city-markets").ok_or("not shipped")?)?;
//! let application = application::from_toml(r#"
//! schema = "quanfu.application/1"
//! id = "A1"
//! enterprise = "E1"
//! name = "a made-up firm"
//! filed_on = 2024-01-31
//! [[item]]
//! id = "1"
//! kind = "premium"
//! amount = "3000000.00 CNY"
//! invoice = "I1"
//! paid_on = 2023-05-04
//! product = "export"
//! market = "traditional"
//! "#)?;
//! let done = assess(&programme, &[application], &Context {
//!     day: "2024-02-01".parse()?, rates: &RateTable::default(), reference: &ReferenceRates::shipped(),
//!     calendar: &BusinessCalendar::china(), earlier: &[], policies: &[], files: &[],
//!     unread: &[],
//!     receipts: None,
//! })?;
//! assert_eq!(done.awards[0].paid.to_string(), "900000.00 CNY");
//! done.replay()?; // every step gives its figure again
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod application;
mod assess;
mod award;
pub mod budget;
mod coverage;
mod error;
mod fact;
mod interest;
pub mod lifecycle;
pub mod policy;
pub mod programme;
mod reason;
mod receipt;
mod reference;

pub use application::Application;
pub use assess::{Context, assess};
pub use award::{
    Assessment, Award, AwardLine, BudgetMark, ClassBudgetMark, CoverageRow, FileMark, ItemMark,
    NoticeMark, ProgrammeMark, Refusal, SCHEMA as ASSESSMENT_SCHEMA,
};
pub use error::DocumentError;
pub use fact::{Condition, Fact, Facts, Wanted};
pub use interest::{Flow, Loan, Segment};
pub use policy::{BorrowingBase, LimitMismatch, Policy};
pub use programme::Programme;
pub use reason::Reason;
pub use receipt::Receipts;
pub use reference::ReferenceRates;

macro_rules! programmes {
    ($($name:literal),+ $(,)?) => {
        /// The shipped programmes: file name without its end, text.
        pub const SHIPPED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../data/programmes/", $name, ".toml")))),+
        ];
    };
}

programmes!(
    "anhui",
    "chengdu-cbec",
    "city-markets",
    "cixi-2015",
    "guangdong-2022",
    "guangdong-2024",
    "guangdong-first",
    "guangzhou-2023",
    "guangzhou-nansha",
    "huizhou-2019",
    "huizhou-2019-emerging",
    "huizhou-2024",
    "jinan-illustrative",
    "qingdao-2019",
    "shenzhen-2017-interest",
    "xiamen-2008",
    "zhuhai-2020",
);

/// The text of a shipped programme.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
