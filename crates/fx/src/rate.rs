//! [`FxRate`]: a quote with its kind, its source, its market and its days.

use crate::{Conversion, Date, FxError, Quote, Route, Spread};
use quanfu_calendar::Certainty;
use quanfu_money::{AmountStyle, Currency, Decimal, Money, RoundingRule, lexer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What a rate is the price of. Bank boards (牌价) show the four sides of a bank's own trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateKind {
    /// The middle: a central parity (中间价), a reference rate.
    Mid,
    /// What a market maker pays.
    Bid,
    /// What a market maker asks.
    Ask,
    /// What a bank pays for currency in an account (现汇买入价).
    SpotBuy,
    /// What a bank asks for currency in an account (现汇卖出价).
    SpotSell,
    /// What a bank pays for banknotes (现钞买入价).
    CashBuy,
    /// What a bank asks for banknotes (现钞卖出价).
    CashSell,
    /// The bank's own conversion rate for its books, such as the 中行折算价.
    BankConversion,
    /// The rate that a row of a settlement file says was used.
    Applied,
}

impl RateKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Mid,
        Self::Bid,
        Self::Ask,
        Self::SpotBuy,
        Self::SpotSell,
        Self::CashBuy,
        Self::CashSell,
        Self::BankConversion,
        Self::Applied,
    ];

    /// The kind of a name, such as `spot_buy`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The text form, such as `spot_buy`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mid => "mid",
            Self::Bid => "bid",
            Self::Ask => "ask",
            Self::SpotBuy => "spot_buy",
            Self::SpotSell => "spot_sell",
            Self::CashBuy => "cash_buy",
            Self::CashSell => "cash_sell",
            Self::BankConversion => "bank_conversion",
            Self::Applied => "applied",
        }
    }
}

/// Which renminbi a rate prices. Both are the same money, `CNY`; their prices differ.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RmbMarket {
    /// Delivered in mainland China (在岸), written `CNY`; also what a rate without renminbi has.
    #[default]
    Onshore,
    /// Delivered elsewhere (离岸), written `CNH`, which is no code of ISO 4217.
    Offshore,
}

impl RmbMarket {
    /// What the market calls the renminbi: `CNY` or `CNH`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Onshore => "CNY",
            Self::Offshore => "CNH",
        }
    }
}

impl fmt::Display for RmbMarket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The days on which a rate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first day; never before the rate's own day.
    pub from: Date,
    /// The last day; `None`: until further notice.
    pub until: Option<Date>,
}

/// A rate of one day from one source.
///
/// In serde it is flat, and the value is text so that its digits stay:
/// `{"base":"USD","unit":1,"quote":"CNY","value":"7.1526","kind":"mid","source":"...","as_of":"2025-07-16",
/// "certainty":"certain"}`; `"market":"offshore"`, `"valid_from"` and `"valid_until"` only where they say something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FxRate {
    quote: Quote,
    kind: RateKind,
    source: String,
    as_of: Date,
    certainty: Certainty,
    market: RmbMarket,
    validity: Option<Validity>,
}

impl FxRate {
    /// A quote that says what it is, where it was published, for which day, and how sure that is.
    ///
    /// # Errors
    ///
    /// [`FxError::NoSource`] if the source is empty or blank, or has a line break, which a file of rates cannot hold.
    pub fn new(
        quote: Quote,
        kind: RateKind,
        source: impl Into<String>,
        as_of: Date,
        certainty: Certainty,
    ) -> Result<Self, FxError> {
        let source = source.into();
        if source.trim().is_empty() || source.contains(['\n', '\r']) {
            return Err(FxError::NoSource {
                base: quote.base(),
                quote: quote.quote(),
            });
        }
        Ok(Self {
            quote,
            kind,
            source,
            as_of,
            certainty,
            market: RmbMarket::Onshore,
            validity: None,
        })
    }

    /// The same rate, of this market of the renminbi.
    ///
    /// # Errors
    ///
    /// [`FxError::Market`] for a rate without `CNY` that is to be offshore.
    pub fn in_market(self, market: RmbMarket) -> Result<Self, FxError> {
        let (base, quote) = (self.base(), self.quote());
        if market == RmbMarket::Offshore && base != Currency::CNY && quote != Currency::CNY {
            return Err(FxError::Market { base, quote });
        }
        Ok(Self { market, ..self })
    }

    /// The same rate, which holds on these days.
    ///
    /// # Errors
    ///
    /// [`FxError::Validity`] if they begin before the rate's own day or end before they begin.
    pub fn valid(self, from: Date, until: Option<Date>) -> Result<Self, FxError> {
        if from < self.as_of || until.is_some_and(|until| until < from) {
            return Err(FxError::Validity {
                as_of: self.as_of,
                from,
                until: until.map_or_else(|| "further notice".into(), |until| until.to_string()),
            });
        }
        let validity = Some(Validity { from, until });
        Ok(Self { validity, ..self })
    }

    /// The price itself.
    #[must_use]
    pub const fn quoted(&self) -> Quote {
        self.quote
    }

    /// The currency that is priced.
    #[must_use]
    pub const fn base(&self) -> Currency {
        self.quote.base()
    }

    /// How many of the base currency the price is for.
    #[must_use]
    pub const fn unit(&self) -> u32 {
        self.quote.unit()
    }

    /// The currency of the price.
    #[must_use]
    pub const fn quote(&self) -> Currency {
        self.quote.quote()
    }

    /// The price, with the digits that were published.
    #[must_use]
    pub const fn value(&self) -> Decimal {
        self.quote.value()
    }

    /// What the rate is the price of.
    #[must_use]
    pub const fn kind(&self) -> RateKind {
        self.kind
    }

    /// Where the rate was published.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The day the rate is for.
    #[must_use]
    pub const fn as_of(&self) -> Date {
        self.as_of
    }

    /// How sure it is that the source says so.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Which renminbi the rate prices.
    #[must_use]
    pub const fn market(&self) -> RmbMarket {
        self.market
    }

    /// The days on which the rate says it holds, if it says so.
    #[must_use]
    pub const fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// The first day on which the rate may be used: that of its validity, or its own.
    #[must_use]
    pub fn starts(&self) -> Date {
        self.validity.map_or(self.as_of, |days| days.from)
    }

    /// A currency as this rate writes it: `CNH` for the renminbi of an offshore rate.
    pub(crate) fn written(&self, currency: Currency) -> String {
        if currency == Currency::CNY {
            self.market.code().into()
        } else {
            currency.code().into()
        }
    }

    /// An amount of one side in the other side's currency, rounded once as named, with its trail.
    ///
    /// # Errors
    ///
    /// Those of [`Route::convert`].
    pub fn convert(
        &self,
        money: Money,
        rounding: impl Into<RoundingRule>,
    ) -> Result<Conversion, FxError> {
        Route::direct(money.currency(), self.clone())?.convert(money, Spread::NONE, rounding)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateText {
    base: Currency,
    unit: u32,
    quote: Currency,
    value: String,
    kind: RateKind,
    source: String,
    as_of: String,
    certainty: Certainty,
    #[serde(default, skip_serializing_if = "is_onshore")]
    market: RmbMarket,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
}

fn is_onshore(market: &RmbMarket) -> bool {
    *market == RmbMarket::Onshore
}

impl Serialize for FxRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RateText {
            base: self.base(),
            unit: self.unit(),
            quote: self.quote(),
            value: self.value().to_string(),
            kind: self.kind,
            source: self.source.clone(),
            as_of: self.as_of.to_string(),
            certainty: self.certainty,
            market: self.market,
            valid_from: self.validity.map(|days| days.from.to_string()),
            valid_until: self
                .validity
                .and_then(|days| days.until)
                .map(|day| day.to_string()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FxRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let read = RateText::deserialize(deserializer)?;
        let value = lexer::parse_decimal(read.value.as_bytes(), AmountStyle::PLAIN)
            .map_err(Error::custom)?;
        let quote = Quote::new(read.base, read.unit, read.quote, value).map_err(Error::custom)?;
        let as_of = read_day(&read.as_of).map_err(Error::custom)?;
        let mut rate = Self::new(quote, read.kind, read.source, as_of, read.certainty)
            .and_then(|rate| rate.in_market(read.market))
            .map_err(Error::custom)?;
        let day = |text: Option<String>| text.map(|text| read_day(&text)).transpose();
        let from = day(read.valid_from).map_err(Error::custom)?;
        let until = day(read.valid_until).map_err(Error::custom)?;
        if from.is_some() || until.is_some() {
            rate = rate
                .valid(from.unwrap_or(as_of), until)
                .map_err(Error::custom)?;
        }
        Ok(rate)
    }
}

/// Reads `2025-07-16` in this one spelling; a calendar's own parser would take `2025-7-16` too.
pub(crate) fn read_day(text: &str) -> Result<Date, FxError> {
    text.parse::<Date>()
        .ok()
        .filter(|day| day.to_string() == text)
        .ok_or_else(|| FxError::Day { found: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quanfu_money::Rounding;
    use quanfu_trail::{Rational, Step};

    fn parity(base: Currency, unit: u32, quote: Currency, value: Decimal) -> FxRate {
        let quote = Quote::new(base, unit, quote, value).expect("a quote");
        let day = Date::from_ymd_opt(2025, 7, 16).expect("a day");
        FxRate::new(
            quote,
            RateKind::Mid,
            "CFETS central parity",
            day,
            Certainty::Certain,
        )
        .expect("a rate")
    }

    #[test]
    fn a_conversion_says_how_it_was_computed() {
        let rate = parity(Currency::CNY, 1, Currency::MYR, Decimal::new(59_275, 5));
        let ringgit = Money::from_minor(100_000_000, Currency::MYR);
        let conversion = rate
            .convert(ringgit, Rounding::HalfUp)
            .expect("a small amount");
        let want = Step {
            rule: "fx-conversion".into(),
            source: "CFETS central parity, mid, 2025-07-16".into(),
            certainty: Certainty::Certain,
            inputs: [
                ("amount", "1000000.00 MYR"),
                ("rate", "0.59275 MYR"),
                ("unit", "1 CNY"),
            ]
            .map(|(name, text)| (name.into(), text.into()))
            .into(),
            formula: "amount * unit / rate".into(),
            exact: "4000000000/2371 CNY".into(),
            rounded: Some("1687051.88 CNY".into()),
            rounding: Some("half_up".into()),
        };
        assert_eq!(conversion.trail.0, [want]);
        assert_eq!(conversion.from, ringgit);
        assert_eq!(conversion.to, Money::from_minor(168_705_188, Currency::CNY));
    }

    #[test]
    fn a_rate_without_source_is_none() {
        let quote = parity(Currency::USD, 1, Currency::CNY, Decimal::new(71_526, 4)).quoted();
        let day = Date::from_ymd_opt(2025, 7, 16).expect("a day");
        for source in ["", "  "] {
            let error = FxRate::new(quote, RateKind::Mid, source, day, Certainty::Unsure)
                .expect_err("no source");
            assert_eq!(error.code(), "rate-without-source");
        }
    }

    #[test]
    fn json_keeps_the_published_digits_and_is_checked_when_read() {
        let rate = parity(Currency::JPY, 100, Currency::CNY, Decimal::new(481_340, 5));
        let json = serde_json::to_string(&rate).expect("serialises");
        let want = concat!(
            r#"{"base":"JPY","unit":100,"quote":"CNY","value":"4.81340","kind":"mid","#,
            r#""source":"CFETS central parity","as_of":"2025-07-16","certainty":"certain"}"#
        );
        assert_eq!(json, want);
        let read: FxRate = serde_json::from_str(&json).expect("our own text");
        assert_eq!(read, rate);
        assert_eq!(read.value().to_string(), "4.81340");
        for (from, to) in [
            (r#""4.81340""#, "4.81340"), // a number may be a float on its way
            (r#""4.81340""#, r#""0""#),
            (r#""4.81340""#, r#""-1""#),
            (r#""4.81340""#, r#""4.8e1""#),
            ("100", "7"),
            ("JPY", "CNY"),
            ("JPY", "CNH"),
            ("2025-07-16", "2025-7-16"),
            ("2025-07-16", "2025-02-30"),
            (r#""mid""#, r#""middle""#),
            ("CFETS central parity", ""),
            (r#""unit""#, r#""units""#),
            (r#""kind""#, r#""market":"offshor","kind""#),
            (
                r#""kind""#,
                r#""market":"onshore","market":"offshore","kind""#,
            ),
            (r#""kind""#, r#""valid_from":"2025-07-15","kind""#), // before its own day
            (r#""kind""#, r#""valid_until":"2025-07-15","kind""#),
            (r#""kind""#, r#""valid_until":"2025-7-17","kind""#),
        ] {
            let changed = json.replacen(from, to, 1);
            assert_ne!(changed, json);
            assert!(
                serde_json::from_str::<FxRate>(&changed).is_err(),
                "{changed}"
            );
        }
    }

    #[test]
    fn market_and_validity_are_in_the_json_where_they_say_something() {
        let day = |text: &str| read_day(text).expect("a day");
        let rate = parity(Currency::USD, 1, Currency::CNY, Decimal::new(71_526, 4))
            .in_market(RmbMarket::Offshore)
            .and_then(|rate| rate.valid(day("2025-08-01"), Some(day("2025-08-31"))))
            .expect("a rate of August");
        let json = serde_json::to_string(&rate).expect("serialises");
        assert!(
            json.ends_with(
                r#""market":"offshore","valid_from":"2025-08-01","valid_until":"2025-08-31"}"#
            ),
            "{json}"
        );
        let read: FxRate = serde_json::from_str(&json).expect("our own text");
        assert_eq!(read, rate);
        assert_eq!(rate.starts(), day("2025-08-01"));
        let open = json.replace(r#","valid_until":"2025-08-31""#, "");
        let read: FxRate = serde_json::from_str(&open).expect("without an end");
        assert_eq!(read.validity().map(|days| days.until), Some(None));
        let euro = Quote::new(Currency::EUR, 1, Currency::USD, Decimal::new(11, 1)).expect("one");
        let euro = FxRate::new(
            euro,
            RateKind::Mid,
            "a test",
            day("2025-07-16"),
            Certainty::Certain,
        )
        .and_then(|rate| rate.in_market(RmbMarket::Offshore));
        assert_eq!(euro.map_err(|error| error.code()), Err("rate-market"));
    }

    #[test]
    fn kinds_are_written_by_their_name() {
        for kind in RateKind::ALL {
            assert_eq!(RateKind::from_name(kind.name()), Some(kind));
            let json = serde_json::to_string(&kind).expect("serialises");
            assert_eq!(json, format!("\"{}\"", kind.name()));
        }
    }

    proptest! {
        #[test]
        fn replaying_the_step_gives_the_converted_amount(
            mantissa in 1_i64..1_000_000_000_000, scale in 0_u32..=10, hundred in any::<bool>(),
            minor in any::<i64>(), forward in any::<bool>(),
        ) {
            let unit = if hundred { 100 } else { 1 };
            let rate = parity(Currency::JPY, unit, Currency::CNY, Decimal::new(mantissa, scale));
            let money = Money::from_minor(minor, if forward { Currency::JPY } else { Currency::CNY });
            for rounding in Rounding::ALL {
                if let Ok(conversion) = rate.convert(money, rounding) {
                    let exact = conversion.trail.replay().expect("our own steps").expect("one step");
                    let units = 10_i128.pow(u32::from(conversion.to.currency().minor_digits()));
                    let exact = exact.checked_mul(Rational::whole(units)).expect("a small unit");
                    let minor = rounding.divide(exact.numerator(), exact.denominator());
                    prop_assert_eq!(minor, Ok(i128::from(conversion.to.minor())));
                }
            }
        }
    }
}
