//! [`Case`]: an application on its way through an office, with what must be so before each step.

use quanfu_calendar::{Date, Datelike};
use quanfu_money::Money;
use serde::{Deserialize, Serialize};

/// Where an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written.
    Draft,
    /// Filed.
    Submitted,
    /// Given back to be corrected.
    Returned,
    /// Complete in form.
    Accepted,
    /// Under review, insurer and bank having confirmed where that is asked for.
    UnderReview,
    /// Audited, with an amount that is proposed.
    Proposed,
    /// Before the public (公示).
    PublicNotice,
    /// Approved.
    Approved,
    /// Paid.
    Disbursed,
    /// Done.
    Closed,
    /// Refused.
    Rejected,
    /// Taken back by the firm.
    Withdrawn,
    /// Not filed in time.
    Lapsed,
    /// To be paid back.
    Clawback,
    /// Paid back.
    Recovered,
}

/// What happens to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The firm files it.
    Submit,
    /// The office gives it back.
    Return,
    /// It is complete in form.
    Accept,
    /// Review begins.
    Review,
    /// The audit proposes an amount.
    Propose,
    /// The public notice begins.
    OpenNotice,
    /// Somebody objects.
    Object,
    /// An objection is settled, and the application stays as it is.
    Settle,
    /// An objection is upheld: it is reviewed again.
    Uphold,
    /// It is approved.
    Approve,
    /// It is paid.
    Disburse,
    /// It is closed.
    Close,
    /// It is refused.
    Reject,
    /// The firm takes it back.
    Withdraw,
    /// The time to file has passed.
    Lapse,
    /// The money is to be paid back, for false documents and the like.
    OrderClawback,
    /// Some of it is paid back.
    Recover(Money),
}

/// What must be so, as the office knows it on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Whether all documents are there.
    pub documents_complete: bool,
    /// Last day to file; none: not stated.
    pub apply_to: Option<Date>,
    /// Calendar days of public notice; none: not stated, and nothing is approved.
    pub notice_days: Option<u32>,
    /// Whether the budget has the money set apart.
    pub budget_committed: bool,
    /// Whether the firm owes public money.
    pub owes_funds: bool,
}

/// Why an event cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The event does not follow on the state.
    #[error("{event:?} does not follow on {state:?}")]
    NotNext {
        /// The state.
        state: State,
        /// The event.
        event: Event,
    },
    /// The day is before that of the last event.
    #[error("{on} is before the last event, of {last}")]
    Backwards {
        /// The day.
        on: Date,
        /// The day of the last event.
        last: Date,
    },
    /// Documents are missing.
    #[error("documents are missing")]
    Documents,
    /// The time to file has passed, or has not passed yet.
    #[error("{on} does not fit the last day to file, {last}")]
    Window {
        /// The day.
        on: Date,
        /// The last day to file.
        last: Date,
    },
    /// The public notice has not run its days.
    #[error("the public notice runs until {until}")]
    Notice {
        /// Its last day.
        until: Date,
    },
    /// How long the public notice runs is not known.
    #[error("how long the public notice runs is not stated")]
    NoticeUnknown,
    /// An objection is open.
    #[error("{open} objections are open")]
    Objection {
        /// How many.
        open: u32,
    },
    /// The budget has no money set apart.
    #[error("the budget has no money set apart")]
    Budget,
    /// The firm owes public money.
    #[error("the firm owes public money")]
    OwedFunds,
    /// More is paid back than was paid, or another currency.
    #[error("{amount} cannot be paid back: {left} is left")]
    Amount {
        /// What is paid back.
        amount: Money,
        /// What is left to be paid back.
        left: Money,
    },
}

impl GuardError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "case-not-next",
        "case-backwards",
        "case-documents",
        "case-window",
        "case-notice",
        "case-notice-unknown",
        "case-objection",
        "case-budget",
        "case-owed-funds",
        "case-amount",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotNext { .. } => "case-not-next",
            Self::Backwards { .. } => "case-backwards",
            Self::Documents => "case-documents",
            Self::Window { .. } => "case-window",
            Self::Notice { .. } => "case-notice",
            Self::NoticeUnknown => "case-notice-unknown",
            Self::Objection { .. } => "case-objection",
            Self::Budget => "case-budget",
            Self::OwedFunds => "case-owed-funds",
            Self::Amount { .. } => "case-amount",
        }
    }
}

/// An application on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    state: State,
    /// What happened, in order.
    events: Vec<(Date, Event)>,
    notice_from: Option<Date>,
    objections: u32,
    awarded: Money,
    owed_back: Money,
}

impl Case {
    /// A draft, for an award of so much.
    ///
    /// ```
    /// use quanfu_credit::lifecycle::{Case, Event, Guards, State};
    ///
    /// let guards = Guards {
    ///     documents_complete: true, apply_to: None, notice_days: Some(5), budget_committed: true, owes_funds: false,
    /// };
    /// let mut case = Case::new("100.00 CNY".parse()?);
    /// let day = |day: &str| day.parse();
    /// for event in [Event::Submit, Event::Accept, Event::Review, Event::Propose, Event::OpenNotice] {
    ///     case.apply(day("2025-03-03")?, event, &guards)?;
    /// }
    /// // Five days of notice are 3 to 7 March.
    /// assert!(case.apply(day("2025-03-07")?, Event::Approve, &guards).is_err());
    /// case.apply(day("2025-03-08")?, Event::Approve, &guards)?;
    /// assert_eq!(case.state(), State::Approved);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(awarded: Money) -> Self {
        Self {
            state: State::Draft,
            events: Vec::new(),
            notice_from: None,
            objections: 0,
            awarded,
            owed_back: Money::zero(awarded.currency()),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What happened, in order.
    #[must_use]
    pub fn events(&self) -> &[(Date, Event)] {
        &self.events
    }

    /// What is still to be paid back.
    #[must_use]
    pub fn owed_back(&self) -> Money {
        self.owed_back
    }

    /// Lets an event happen on a day; nothing changes if it cannot be.
    ///
    /// # Errors
    ///
    /// [`GuardError`].
    pub fn apply(&mut self, on: Date, event: Event, guards: &Guards) -> Result<(), GuardError> {
        if let Some(&(last, _)) = self.events.last()
            && on < last
        {
            return Err(GuardError::Backwards { on, last });
        }
        let mut next = self.clone();
        next.state = next.after(on, event, guards)?;
        next.events.push((on, event));
        *self = next;
        Ok(())
    }

    fn after(&mut self, on: Date, event: Event, guards: &Guards) -> Result<State, GuardError> {
        use State as S;
        let late = guards.apply_to.filter(|last| on > *last);
        Ok(match (self.state, event) {
            (S::Draft | S::Returned, Event::Submit) => match late {
                // Who was sent back in time may correct after it.
                Some(last) if self.state == S::Draft => {
                    return Err(GuardError::Window { on, last });
                }
                _ => S::Submitted,
            },
            (S::Draft, Event::Lapse) => match (late, guards.apply_to) {
                (Some(_), _) => S::Lapsed,
                (None, Some(last)) => return Err(GuardError::Window { on, last }),
                (None, None) => {
                    return Err(GuardError::NotNext {
                        state: self.state,
                        event,
                    });
                }
            },
            (S::Submitted, Event::Return) => S::Returned,
            (S::Submitted, Event::Accept) if !guards.documents_complete => {
                return Err(GuardError::Documents);
            }
            (S::Submitted, Event::Accept) => S::Accepted,
            (S::Accepted, Event::Review) => S::UnderReview,
            (S::UnderReview, Event::Propose) => S::Proposed,
            (S::Proposed, Event::OpenNotice) => {
                self.notice_from = Some(on);
                self.objections = 0;
                S::PublicNotice
            }
            (S::PublicNotice, Event::Object) => {
                self.objections = self.objections.saturating_add(1);
                S::PublicNotice
            }
            (S::PublicNotice, Event::Settle) if self.objections > 0 => {
                self.objections -= 1;
                S::PublicNotice
            }
            (S::PublicNotice, Event::Uphold) if self.objections > 0 => S::UnderReview,
            (S::PublicNotice, Event::Approve) => {
                let days = guards.notice_days.ok_or(GuardError::NoticeUnknown)?;
                let free = self.notice_from.and_then(|from| {
                    from.num_days_from_ce()
                        .checked_add_unsigned(days)
                        .and_then(Date::from_num_days_from_ce_opt)
                });
                let free = free.ok_or(GuardError::NoticeUnknown)?;
                if on < free {
                    let until = free.pred_opt().unwrap_or(free);
                    return Err(GuardError::Notice { until });
                }
                if self.objections > 0 {
                    return Err(GuardError::Objection {
                        open: self.objections,
                    });
                }
                if !guards.documents_complete {
                    return Err(GuardError::Documents);
                }
                if !guards.budget_committed {
                    return Err(GuardError::Budget);
                }
                S::Approved
            }
            (S::Approved, Event::Disburse) if guards.owes_funds => {
                return Err(GuardError::OwedFunds);
            }
            (S::Approved, Event::Disburse) if !guards.budget_committed => {
                return Err(GuardError::Budget);
            }
            (S::Approved, Event::Disburse) => S::Disbursed,
            (S::Disbursed, Event::Close) => S::Closed,
            (S::Disbursed | S::Closed, Event::OrderClawback) => {
                self.owed_back = self.awarded;
                S::Clawback
            }
            (S::Clawback, Event::Recover(amount)) => {
                let left = self.owed_back;
                let refuse = GuardError::Amount { amount, left };
                let rest = left.checked_sub(amount).ok();
                let rest = rest.filter(|rest| !rest.is_negative() && !amount.is_negative());
                self.owed_back = rest.ok_or(refuse)?;
                if self.owed_back.is_zero() {
                    S::Recovered
                } else {
                    S::Clawback
                }
            }
            (
                S::Submitted | S::Accepted | S::UnderReview | S::Proposed | S::PublicNotice,
                Event::Reject,
            ) => S::Rejected,
            (
                S::Draft
                | S::Submitted
                | S::Returned
                | S::Accepted
                | S::UnderReview
                | S::Proposed
                | S::PublicNotice,
                Event::Withdraw,
            ) => S::Withdrawn,
            (state, event) => return Err(GuardError::NotNext { state, event }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Guards = Guards {
        documents_complete: true,
        apply_to: None,
        notice_days: Some(5),
        budget_committed: true,
        owes_funds: false,
    };

    fn day(day: u32) -> Date {
        Date::from_ymd_opt(2025, 3, day).expect("a day")
    }

    fn at_notice() -> Case {
        let mut case = Case::new("100.00 CNY".parse().expect("money"));
        for event in [
            Event::Submit,
            Event::Accept,
            Event::Review,
            Event::Propose,
            Event::OpenNotice,
        ] {
            case.apply(day(1), event, &FINE).expect("it follows");
        }
        case
    }

    #[test]
    fn nothing_is_approved_or_paid_before_its_guards_hold() {
        let (mut objected, mut settled) = (at_notice(), at_notice());
        objected
            .apply(day(2), Event::Object, &FINE)
            .expect("it follows");
        for event in [Event::Object, Event::Settle] {
            settled.apply(day(2), event, &FINE).expect("it follows");
        }
        for (name, case, on, guards, want) in [
            ("in time", at_notice(), 6, FINE, None),
            ("too early", at_notice(), 5, FINE, Some("case-notice")),
            ("objection open", objected, 6, FINE, Some("case-objection")),
            ("objection settled", settled, 6, FINE, None),
            (
                "days unknown",
                at_notice(),
                6,
                Guards {
                    notice_days: None,
                    ..FINE
                },
                Some("case-notice-unknown"),
            ),
            (
                "no money",
                at_notice(),
                6,
                Guards {
                    budget_committed: false,
                    ..FINE
                },
                Some("case-budget"),
            ),
            (
                "no documents",
                at_notice(),
                6,
                Guards {
                    documents_complete: false,
                    ..FINE
                },
                Some("case-documents"),
            ),
        ] {
            let mut after = case.clone();
            let found = after.apply(day(on), Event::Approve, &guards).err();
            assert_eq!(found.as_ref().map(GuardError::code), want, "{name}");
            assert_eq!(
                after == case,
                want.is_some(),
                "{name}: what cannot be changes nothing"
            );
        }
        let mut approved = at_notice();
        approved
            .apply(day(6), Event::Approve, &FINE)
            .expect("it follows");
        let owes = Guards {
            owes_funds: true,
            ..FINE
        };
        let found = approved
            .apply(day(7), Event::Disburse, &owes)
            .expect_err("it owes");
        assert_eq!(found.code(), "case-owed-funds");
    }

    #[test]
    fn what_is_clawed_back_is_exactly_what_was_paid() {
        let mut case = at_notice();
        for event in [Event::Approve, Event::Disburse, Event::OrderClawback] {
            case.apply(day(10), event, &FINE).expect("it follows");
        }
        let money = |text: &str| text.parse::<Money>().expect("money");
        case.apply(day(11), Event::Recover(money("60.00 CNY")), &FINE)
            .expect("it follows");
        for wrong in ["40.01 CNY", "-1.00 CNY", "1.00 USD"] {
            let found = case.apply(day(11), Event::Recover(money(wrong)), &FINE);
            assert_eq!(found.expect_err(wrong).code(), "case-amount");
        }
        case.apply(day(12), Event::Recover(money("40.00 CNY")), &FINE)
            .expect("it follows");
        assert_eq!(case.state(), State::Recovered);
    }
}
