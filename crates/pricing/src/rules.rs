//! [`PriceRules`]: how prices in renminbi (人民币计价) are made, as read from `quanfu.pricing/1`.

use crate::{PricePoints, PricingRulesError};
use quanfu_fx::RmbMarket;
use quanfu_money::lexer::{AmountStyle, parse_decimal};
use quanfu_money::{Currency, Decimal, Money, Rounding};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::collections::BTreeMap;
use toml::Spanned;

/// Schema name of rules.
pub const SCHEMA: &str = "quanfu.pricing/1";

/// How prices in renminbi (人民币计价) are made: a TOML document parsed into inert values.
///
/// ```
/// let rules = quanfu_pricing::PriceRules::parse(r#"
/// schema = "quanfu.pricing/1"
/// name = "shop abroad"
/// rates = "CFETS central parity"   # whose mid rate prices start from; any, if it is not said
/// market = "onshore"               # or "offshore": whether that rate prices CNY or CNH
/// fixed = "source"                 # the buyer's amount stays, the seller receives what it brings; or "target"
///
/// [quote]                          # how long a quote can be accepted, how long it is kept, how often it is used
/// valid_seconds = 1800
/// lock_seconds = 86400
/// uses = 1
///
/// [[fee]]                          # of the list price, rounded half up to the fen
/// name = "channel"
/// bearer = "seller"                # or "buyer", who then pays it on top
/// bps = 60
/// amount = "0.30 CNY"
///
/// [guard]                          # what must be left of the list price after fees, cost and a move by the buffer
/// min_margin_bps = 500
/// breach = "raise"                 # or "refuse"
///
/// [list]
/// hysteresis_bps = 100             # a listed price stays unless it would change by so much
///
/// [buyer.USD]
/// markup_bps = 150                 # on what the buyer would pay at mid
/// buffer_bps = 200                 # how far the rate may move against the seller
/// step = "1.00"
/// ending = "0.99"
/// rounding = "up"
///
/// [buyer.EUR]
/// pays = "CNY"                     # priced, invoiced and settled in renminbi; euros are shown only
/// "#).unwrap();
/// assert_eq!(rules.fees[0].name, "channel");
/// ```
///
/// Only `schema`, `name` and one `[buyer.…]` are needed. What is left out is nothing, but for the points (every
/// minor unit, rounded up), the seconds of a quote (1800, 86400) and its uses (one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRules {
    /// Their name.
    pub name: String,
    /// Whose mid rate prices start from; none: any.
    pub rates: Option<String>,
    /// Which renminbi that rate prices.
    pub market: RmbMarket,
    /// Whose mid rate is disclosed beside the price; none: nothing is disclosed.
    pub reference: Option<String>,
    /// Which side of the exchange stays.
    pub fixed: FixedSide,
    /// The window and uses of a quote.
    pub quote: QuoteTerms,
    /// Fees, in the order of the document.
    pub fees: Vec<Fee>,
    /// The margin that is guarded.
    pub guard: Option<Guard>,
    /// A listed price stays unless it would change by so much of itself, in hundredths of a percent.
    pub hysteresis_bps: u32,
    /// What buyers of each currency pay.
    pub buyers: BTreeMap<Currency, Buyer>,
}

/// Which side of the exchange stays as quoted; the other side takes what rounding and the rate leave over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedSide {
    /// What the buyer pays: the seller receives whatever it brings.
    #[default]
    Source,
    /// What the seller receives in renminbi: whoever converts keeps or bears the rest.
    Target,
}

/// How long a quote lasts and how often it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuoteTerms {
    /// Seconds from making the quote in which it can be accepted, 1 to a year.
    pub valid_seconds: u32,
    /// Seconds from accepting it in which it can be used, 1 to a year.
    pub lock_seconds: u32,
    /// How often it can be used, 1 for a single use.
    pub uses: u32,
}

impl Default for QuoteTerms {
    /// Half an hour to accept, a day to use it once.
    fn default() -> Self {
        Self {
            valid_seconds: 1_800,
            lock_seconds: 86_400,
            uses: 1,
        }
    }
}

/// A fee on the list price, rounded half up to the fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Its name.
    pub name: String,
    /// Who bears it.
    pub bearer: Bearer,
    /// The part in proportion to the list price, in hundredths of a percent.
    pub bps: u32,
    /// The part that is the same for every price, in renminbi, zero or more.
    pub amount: Money,
}

/// Who bears a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// The buyer pays it on top of the list price.
    Buyer,
    /// The seller receives so much less.
    Seller,
}

/// A margin that must be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// What must be left of the list price after fees and cost if the rate moves by the buffer, in hundredths of a
    /// percent of the list price.
    #[serde(deserialize_with = "bps")]
    pub min_margin_bps: u32,
    /// What happens to a price that leaves less.
    pub breach: Breach,
}

/// What happens to a price that leaves less than the margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// It goes up to the first point that leaves enough.
    Raise,
    /// There is no price.
    Refuse,
}

/// What buyers of a currency pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buyer {
    /// Renminbi (人民币计价结算); an amount of their own currency is shown for orientation, rounded so.
    Renminbi(Rounding),
    /// A fixed amount of their own currency.
    Own(Terms),
}

/// How a renminbi price becomes a fixed amount of the buyer's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// What is added to the amount at mid, in hundredths of a percent of it; the same whichever way the rate is quoted.
    pub markup_bps: u32,
    /// How far the rate may move against the seller until the exchange, in hundredths of a percent, below 10000.
    pub buffer_bps: u32,
    /// The amounts that a price may be.
    pub points: PricePoints,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: Spanned<String>,
    name: Spanned<String>,
    rates: Option<String>,
    #[serde(default)]
    market: RmbMarket,
    reference: Option<String>,
    #[serde(default)]
    fixed: FixedSide,
    #[serde(default)]
    quote: Option<Spanned<QuoteTerms>>,
    #[serde(default)]
    fee: Vec<Spanned<FeeText>>,
    guard: Option<Spanned<Guard>>,
    #[serde(default)]
    list: ListText,
    buyer: Spanned<BTreeMap<Currency, Spanned<BuyerText>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeText {
    name: String,
    bearer: Bearer,
    #[serde(default, deserialize_with = "bps")]
    bps: u32,
    amount: Option<Yuan>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ListText {
    #[serde(default, deserialize_with = "bps")]
    hysteresis_bps: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuyerText {
    pays: Option<Spanned<Currency>>,
    #[serde(default, deserialize_with = "some_bps")]
    markup_bps: Option<u32>,
    #[serde(default, deserialize_with = "some_bps")]
    buffer_bps: Option<u32>,
    step: Option<Spanned<Number>>,
    ending: Option<Spanned<Number>>,
    rounding: Option<Rounding>,
}

/// A decimal as text, so that no float touches it.
struct Number(Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_decimal(text.as_bytes(), AmountStyle::PLAIN)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// An amount in renminbi of zero or more, as text.
struct Yuan(Money);

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let money: Money = text.parse().map_err(de::Error::custom)?;
        crate::error::renminbi("fee", money, 0).map_err(de::Error::custom)?;
        Ok(Self(money))
    }
}

fn bps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let found = i64::deserialize(deserializer)?;
    u32::try_from(found)
        .ok()
        .filter(|&bps| bps <= 10_000)
        .ok_or_else(|| {
            let message = format!(
                "{found} hundredths of a percent; whole ones from 0 to 10000 would be right"
            );
            de::Error::custom(message)
        })
}

fn some_bps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    bps(deserializer).map(Some)
}

impl PriceRules {
    /// Reads rules and checks all that can be checked without a price.
    ///
    /// # Errors
    ///
    /// [`PricingRulesError`] with the line and what would be right.
    pub fn parse(text: &str) -> Result<Self, PricingRulesError> {
        let document: Document = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            PricingRulesError::at(text, offset, error.message())
        })?;
        let wrong = |place: std::ops::Range<usize>, message: String| {
            Err(PricingRulesError::at(text, place.start, message))
        };
        if document.schema.get_ref() != SCHEMA {
            let message = format!(
                "schema {:?}; {SCHEMA:?} would be right",
                document.schema.get_ref()
            );
            return wrong(document.schema.span(), message);
        }
        if document.name.get_ref().trim().is_empty() {
            return wrong(document.name.span(), "a name would be right".into());
        }
        if document.buyer.get_ref().is_empty() {
            let message = "no buyers; a table such as [buyer.USD] would be right".into();
            return wrong(document.buyer.span(), message);
        }
        let quote = match document.quote {
            Some(quote) => {
                let terms = *quote.get_ref();
                let year = 1..=31_622_400;
                if !year.contains(&terms.valid_seconds) || !year.contains(&terms.lock_seconds) {
                    let message =
                        "valid_seconds and lock_seconds from 1 to 31622400 would be right";
                    return wrong(quote.span(), message.into());
                }
                if terms.uses == 0 {
                    return wrong(quote.span(), "uses of 1 or more would be right".into());
                }
                terms
            }
            None => QuoteTerms::default(),
        };
        let mut fees: Vec<Fee> = Vec::new();
        for fee in document.fee {
            let place = fee.span();
            let fee = fee.into_inner();
            let known = fees.iter().any(|before| before.name == fee.name);
            if fee.name.trim().is_empty() || known {
                let message = format!("fee {:?}; a name of its own would be right", fee.name);
                return wrong(place, message);
            }
            fees.push(Fee {
                name: fee.name,
                bearer: fee.bearer,
                bps: fee.bps,
                amount: fee.amount.map_or(Money::zero(Currency::CNY), |yuan| yuan.0),
            });
        }
        if let Some(guard) = &document.guard
            && document.fixed == FixedSide::Target
            && guard.get_ref().breach == Breach::Raise
        {
            let message = "fixed = \"target\" leaves the seller nothing of a higher price; breach = \"refuse\" would be right";
            return wrong(guard.span(), message.into());
        }
        let mut buyers = BTreeMap::new();
        for (currency, buyer) in document.buyer.into_inner() {
            let place = buyer.span().start;
            let buyer = buyer_of(text, place, currency, buyer.into_inner())?;
            buyers.insert(currency, buyer);
        }
        Ok(Self {
            name: document.name.into_inner(),
            rates: document.rates,
            market: document.market,
            reference: document.reference,
            fixed: document.fixed,
            quote,
            fees,
            guard: document.guard.map(Spanned::into_inner),
            hysteresis_bps: document.list.hysteresis_bps,
            buyers,
        })
    }
}

fn buyer_of(
    text: &str,
    place: usize,
    currency: Currency,
    buyer: BuyerText,
) -> Result<Buyer, PricingRulesError> {
    let pays = buyer.pays.as_ref().map_or(currency, |pays| *pays.get_ref());
    if pays != currency && pays != Currency::CNY {
        let place = buyer.pays.as_ref().map_or(place, |pays| pays.span().start);
        let message =
            format!("a buyer in {currency} who pays {pays}; CNY or {currency} would be right");
        return Err(PricingRulesError::at(text, place, message));
    }
    if pays == Currency::CNY {
        let of_own = [
            ("markup_bps", buyer.markup_bps.is_some()),
            ("buffer_bps", buyer.buffer_bps.is_some()),
            ("step", buyer.step.is_some()),
            ("ending", buyer.ending.is_some()),
        ];
        if let Some((name, _)) = of_own.iter().find(|(_, there)| *there) {
            let message = format!(
                "{name} where the buyer pays CNY: nothing is converted; none would be right"
            );
            return Err(PricingRulesError::at(text, place, message));
        }
        return Ok(Buyer::Renminbi(buyer.rounding.unwrap_or(Rounding::HalfUp)));
    }
    let every = PricePoints::every_unit(currency);
    let amount = |number: Option<Spanned<Number>>, otherwise: Money| match number {
        None => Ok(otherwise),
        Some(number) => Money::exact(number.get_ref().0, currency)
            .map_err(|error| PricingRulesError::at(text, number.span().start, error.to_string())),
    };
    let step = amount(buyer.step, every.step())?;
    let ending = amount(buyer.ending, every.ending())?;
    let points = PricePoints::new(step, ending, buyer.rounding.unwrap_or(every.rounding()))
        .map_err(|error| PricingRulesError::at(text, place, error.to_string()))?;
    let buffer_bps = buyer.buffer_bps.unwrap_or(0);
    if buffer_bps == 10_000 {
        let message = "a buffer_bps of 10000 leaves nothing; less would be right";
        return Err(PricingRulesError::at(text, place, message));
    }
    Ok(Buyer::Own(Terms {
        markup_bps: buyer.markup_bps.unwrap_or(0),
        buffer_bps,
        points,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "schema = \"quanfu.pricing/1\"\nname = \"n\"\n[buyer.USD]\n";

    #[test]
    fn what_is_left_out_is_nothing_or_as_the_docs_say() {
        let rules = PriceRules::parse(LEAST).expect("the least rules");
        let every = PricePoints::every_unit(Currency::USD);
        let terms = Terms {
            markup_bps: 0,
            buffer_bps: 0,
            points: every,
        };
        let want = PriceRules {
            name: "n".into(),
            rates: None,
            market: RmbMarket::Onshore,
            reference: None,
            fixed: FixedSide::Source,
            quote: QuoteTerms {
                valid_seconds: 1_800,
                lock_seconds: 86_400,
                uses: 1,
            },
            fees: vec![],
            guard: None,
            hysteresis_bps: 0,
            buyers: BTreeMap::from([(Currency::USD, Buyer::Own(terms))]),
        };
        assert_eq!(rules, want);
    }

    #[test]
    fn wrong_rules_say_the_line_and_what_would_be_right() {
        for (from, to, want) in [
            (
                "pricing/1",
                "pricing/2",
                "line 1, column 10: schema \"quanfu.pricing/2\"; \"quanfu.pricing/1\" would be right",
            ),
            ("\"n\"", "\" \"", "line 2, column 8: a name would be right"),
            (
                "USD",
                "CNH",
                "line 3, column 8: CNH is an offshore market, not a currency",
            ),
            (
                "USD",
                "usd",
                "line 3, column 8: \"usd\" is no currency code",
            ),
            ("[buyer.USD]", "[buyer]", "line 3, column 1: no buyers"),
            (
                "[buyer.USD]",
                "nam = 1\n[buyer.USD]",
                "line 3, column 1: unknown field `nam`",
            ),
            (
                "USD]",
                "USD]\nmarkup = 1",
                "line 4, column 1: unknown field `markup`",
            ),
            (
                "USD]",
                "USD]\nmarkup_bps = -1",
                "line 4, column 14: -1 hundredths of a percent; whole ones from 0 to 10000",
            ),
            (
                "USD]",
                "USD]\nmarkup_bps = 10001",
                "line 4, column 14: 10001 hundredths",
            ),
            (
                "USD]",
                "USD]\nmarkup_bps = 1.5",
                "line 4, column 14: invalid type: floating point",
            ),
            (
                "USD]",
                "USD]\nbuffer_bps = 10000",
                "line 3, column 1: a buffer_bps of 10000 leaves nothing",
            ),
            (
                "USD]",
                "USD]\nstep = 1.00",
                "line 4, column 8: invalid type: floating point",
            ),
            ("USD]", "USD]\nstep = \"1,00\"", "line 4, column 8: "),
            (
                "USD]",
                "USD]\nstep = \"0.001\"",
                "line 4, column 8: 0.001 USD is finer than the minor unit of USD",
            ),
            (
                "USD]",
                "USD]\nstep = \"1.00\"\nending = \"1.00\"",
                "line 3, column 1: price points 1.00 USD above every 1.00 USD",
            ),
            (
                "USD]",
                "USD]\nrounding = \"nearest\"",
                "line 4, column 12: \"nearest\" is no rounding",
            ),
            (
                "USD]",
                "USD]\npays = \"EUR\"",
                "line 4, column 8: a buyer in USD who pays EUR; CNY or USD would be right",
            ),
            (
                "USD]",
                "USD]\npays = \"CNY\"\nmarkup_bps = 5",
                "line 3, column 1: markup_bps where the buyer pays CNY",
            ),
            (
                "USD]",
                "CNY]\nstep = \"1.00\"",
                "line 3, column 1: step where the buyer pays CNY",
            ),
            (
                "[buyer",
                "[quote]\nuses = 0\n[buyer",
                "line 3, column 1: uses of 1 or more",
            ),
            (
                "[buyer",
                "[quote]\nvalid_seconds = 0\n[buyer",
                "line 3, column 1: valid_seconds and lock_seconds from 1 to",
            ),
            (
                "[buyer",
                "[[fee]]\nname = \"\"\nbearer = \"seller\"\n[buyer",
                "line 3, column 1: fee \"\"; a name of its own",
            ),
            (
                "[buyer",
                "[[fee]]\nname = \"a\"\nbearer = \"shop\"\n[buyer",
                "line 5, column 10: unknown variant `shop`",
            ),
            (
                "[buyer",
                "[[fee]]\nname = \"a\"\nbearer = \"seller\"\namount = \"1.00 USD\"\n[buyer",
                "line 6, column 10: fee of 1.00 USD: amounts of a seller are in CNY",
            ),
            (
                "[buyer",
                "[[fee]]\nname = \"a\"\nbearer = \"seller\"\namount = \"-1.00 CNY\"\n[buyer",
                "line 6, column 10: fee of -1.00 CNY: zero or more",
            ),
            (
                "[buyer",
                "fixed = \"target\"\n[guard]\nmin_margin_bps = 5\nbreach = \"raise\"\n[buyer",
                "line 4, column 1: fixed = \"target\" leaves the seller nothing",
            ),
        ] {
            let text = LEAST.replacen(from, to, 1);
            let error = PriceRules::parse(&text).expect_err(want);
            assert!(
                error.to_string().starts_with(want),
                "{text}\n{error}\n{want}"
            );
            assert!(PricingRulesError::CODES.contains(&error.code()));
        }
    }
}
