//! [`value_date`]: on which day a trade in two currencies settles.

use quanfu_calendar::{Calendars, Date, Tenor, ValueDate, ValueDateError, ValueRules};
use quanfu_money::Currency;

/// The value date of a trade, as [`ValueRules::value_date`] finds it by the codes of the two currencies.
///
/// # Errors
///
/// [`ValueDateError`], also for a currency without a calendar.
///
/// ```
/// use quanfu_calendar::{Calendars, Date, Tenor, ValueRules};
/// use quanfu_fx::value_date;
/// use quanfu_money::Currency;
///
/// let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
/// let traded: Date = "2025-09-30".parse()?;
/// let spot = value_date(&rules, &calendars, Currency::USD, Currency::CNY, traded, Tenor::Spot)?;
/// assert_eq!(spot.date.to_string(), "2025-10-10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn value_date(
    rules: &ValueRules,
    calendars: &Calendars,
    base: Currency,
    quote: Currency,
    traded: Date,
    tenor: Tenor,
) -> Result<ValueDate, ValueDateError> {
    rules.value_date(calendars, base.code(), quote.code(), traded, tenor)
}
