//! [`PriceQuote`]: a price that a buyer can accept, from its making to its use.

use crate::{ForeignPrice, Instant, PricingError, QuoteTerms, Tie, settle::Receipt};
use serde::Serialize;
use std::fmt;

/// A price that a buyer can accept (报价), for how long, and how far it has come.
///
/// ```text
/// indicative -> firm -> locked -> used
///      |          |        |
///      +----------+--------+-> expired, cancelled
/// ```
///
/// Every change is asked for by [`PriceQuote::apply`] with the instant at which it happens. What cannot be is an
/// error and leaves the quote as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct PriceQuote {
    id: String,
    state: QuoteState,
    valid_from: Instant,
    valid_until: Instant,
    lock_seconds: u32,
    uses: u32,
    used: u32,
    last_change: Instant,
    price: ForeignPrice,
}

/// How far a quote has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteState {
    /// It says what the price would be and binds nobody.
    Indicative,
    /// The seller stands by it until it ends.
    Firm,
    /// The buyer accepted it (锁定): it is kept for its use.
    Locked,
    /// It was used as often as it can be.
    Used,
    /// Its time ran out.
    Expired,
    /// It was taken back.
    Cancelled,
}

/// What is to happen to a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuoteAction {
    /// The seller stands by it.
    Firm,
    /// The buyer accepts it; from now it lasts for the seconds of the lock.
    Lock,
    /// It is used for a payment, once more.
    Use,
    /// Its time has run out.
    Expire,
    /// It is taken back.
    Cancel,
}

impl QuoteState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Indicative,
        Self::Firm,
        Self::Locked,
        Self::Used,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The text form, such as `locked`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Indicative => "indicative",
            Self::Firm => "firm",
            Self::Locked => "locked",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl QuoteAction {
    /// All actions.
    pub const ALL: [Self; 5] = [
        Self::Firm,
        Self::Lock,
        Self::Use,
        Self::Expire,
        Self::Cancel,
    ];

    /// The text form, such as `lock`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firm => "firm",
            Self::Lock => "lock",
            Self::Use => "use",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
        }
    }
}

impl fmt::Display for QuoteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for QuoteAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why something cannot happen to a quote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// A text that is no instant.
    #[error("\"{found}\" is no instant of the years 1 to 9999 such as 2026-03-02T09:00:00+08:00")]
    Instant {
        /// The text found.
        found: String,
    },
    /// No quote in that state can do that.
    #[error("quote {id} is {state} and cannot {action}")]
    Transition {
        /// The quote.
        id: String,
        /// Its state.
        state: QuoteState,
        /// What was asked for.
        action: QuoteAction,
    },
    /// It would happen before what happened last.
    #[error("quote {id} cannot {action} at {at}: it last changed at {last}")]
    Early {
        /// The quote.
        id: String,
        /// What was asked for.
        action: QuoteAction,
        /// When.
        at: Instant,
        /// When it last changed.
        last: Instant,
    },
    /// Its time has run out.
    #[error("quote {id} cannot {action} at {at}: it lasted until {until}")]
    Late {
        /// The quote.
        id: String,
        /// What was asked for.
        action: QuoteAction,
        /// When.
        at: Instant,
        /// The first instant at which it no longer lasts.
        until: Instant,
    },
    /// Its time has not run out.
    #[error("quote {id} does not expire at {at}: it lasts until {until}")]
    Lasting {
        /// The quote.
        id: String,
        /// When.
        at: Instant,
        /// The first instant at which it no longer lasts.
        until: Instant,
    },
    /// A settlement of a quote that was never used.
    #[error("quote {id} is {state} and was never used: there is nothing to settle")]
    NeverUsed {
        /// The quote.
        id: String,
        /// Its state.
        state: QuoteState,
    },
    /// The settlement cannot be tied to the price.
    #[error("the settlement cannot be tied to the price")]
    Pricing(#[from] PricingError),
}

impl QuoteError {
    /// Every code that [`QuoteError::code`] can give of its own.
    pub const CODES: &[&str] = &[
        "quote-instant",
        "quote-transition",
        "quote-early",
        "quote-late",
        "quote-lasting",
        "quote-never-used",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Instant { .. } => "quote-instant",
            Self::Transition { .. } => "quote-transition",
            Self::Early { .. } => "quote-early",
            Self::Late { .. } => "quote-late",
            Self::Lasting { .. } => "quote-lasting",
            Self::NeverUsed { .. } => "quote-never-used",
            Self::Pricing(error) => error.code(),
        }
    }
}

impl PriceQuote {
    /// An indicative quote of a price, made at an instant.
    ///
    /// # Errors
    ///
    /// [`QuoteError::Instant`] if it would last beyond the year 9999.
    pub fn new(
        id: impl Into<String>,
        price: ForeignPrice,
        terms: QuoteTerms,
        at: Instant,
    ) -> Result<Self, QuoteError> {
        Ok(Self {
            id: id.into(),
            state: QuoteState::Indicative,
            valid_from: at,
            valid_until: at.plus(terms.valid_seconds)?,
            lock_seconds: terms.lock_seconds,
            uses: terms.uses,
            used: 0,
            last_change: at,
            price,
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How far it has come.
    #[must_use]
    pub const fn state(&self) -> QuoteState {
        self.state
    }

    /// When it was made, or accepted if it was.
    #[must_use]
    pub const fn valid_from(&self) -> Instant {
        self.valid_from
    }

    /// The first instant at which it no longer lasts.
    #[must_use]
    pub const fn valid_until(&self) -> Instant {
        self.valid_until
    }

    /// How often it can be used, and how often it was.
    #[must_use]
    pub const fn uses(&self) -> (u32, u32) {
        (self.uses, self.used)
    }

    /// What it is a quote of.
    pub const fn price(&self) -> &ForeignPrice {
        &self.price
    }

    /// Does an action at an instant and gives the state that follows.
    ///
    /// # Errors
    ///
    /// [`QuoteError::Transition`] if its state does not allow it; [`QuoteError::Early`] before its last change;
    /// [`QuoteError::Late`] after its end, [`QuoteError::Lasting`] for an expiry before it. The quote is then as it was.
    ///
    /// ```
    /// # use quanfu_pricing::{Item, PriceQuote, PriceRules, QuoteAction, QuoteState};
    /// # fn try_it(price: quanfu_pricing::ForeignPrice, rules: &PriceRules) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut quote = PriceQuote::new("Q1", price, rules.quote, "2026-03-02T09:00:00+08:00".parse()?)?;
    /// quote.apply(QuoteAction::Firm, "2026-03-02T09:00:00+08:00".parse()?)?;
    /// quote.apply(QuoteAction::Lock, "2026-03-02T09:10:00+08:00".parse()?)?;
    /// let state = quote.apply(QuoteAction::Use, "2026-03-02T15:00:00+08:00".parse()?)?;
    /// assert_eq!(state, QuoteState::Used);
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply(&mut self, action: QuoteAction, at: Instant) -> Result<QuoteState, QuoteError> {
        use QuoteAction as Do;
        use QuoteState as Is;
        let next = match (self.state, action) {
            (Is::Indicative, Do::Firm) => Is::Firm,
            (Is::Firm, Do::Lock) => Is::Locked,
            (Is::Locked, Do::Use) if self.used + 1 < self.uses => Is::Locked,
            (Is::Locked, Do::Use) => Is::Used,
            (Is::Indicative | Is::Firm | Is::Locked, Do::Expire) => Is::Expired,
            (Is::Indicative | Is::Firm | Is::Locked, Do::Cancel) => Is::Cancelled,
            (state, action) => {
                let id = self.id.clone();
                return Err(QuoteError::Transition { id, state, action });
            }
        };
        let (id, until, last) = (|| self.id.clone(), self.valid_until, self.last_change);
        if at < last {
            let id = id();
            return Err(QuoteError::Early {
                id,
                action,
                at,
                last,
            });
        }
        match action {
            Do::Expire if at < until => {
                return Err(QuoteError::Lasting {
                    id: id(),
                    at,
                    until,
                });
            }
            Do::Firm | Do::Lock | Do::Use if at >= until => {
                let id = id();
                return Err(QuoteError::Late {
                    id,
                    action,
                    at,
                    until,
                });
            }
            _ => {}
        }
        if action == Do::Lock {
            self.valid_until = at.plus(self.lock_seconds)?;
            self.valid_from = at;
        }
        self.used += u32::from(action == Do::Use);
        self.state = next;
        self.last_change = at;
        Ok(next)
    }

    /// Ties what one use brought to the price, with every part of the difference.
    ///
    /// # Errors
    ///
    /// [`QuoteError::NeverUsed`]; those of [`ForeignPrice::tie`].
    pub fn tie(&self, receipt: &Receipt) -> Result<Tie, QuoteError> {
        if self.used == 0 {
            let (id, state) = (self.id.clone(), self.state);
            return Err(QuoteError::NeverUsed { id, state });
        }
        Ok(self.price.tie(receipt)?)
    }
}
