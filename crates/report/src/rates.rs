//! Rates and what was converted at them: for a terminal, as JSON (`quanfu.rates/1`, `quanfu.conversion/1`), or as CSV.

use quanfu_calendar::Date;
use quanfu_fx::{Conversion, CustomsDay, FxRate, RateFileError, RmbMarket, Route, Spread};
use quanfu_money::{Money, Rounding};
use quanfu_trail::{Lang, Trail};
use serde::Serialize;

use crate::Look;
use crate::text::{inert, inert_lines, left, paint, pretty, right};

/// Schema name of a list of rates.
pub const RATES: &str = "quanfu.rates/1";
/// Schema name of a conversion.
pub const CONVERSION: &str = "quanfu.conversion/1";
/// Schema name of the day of a customs rate.
pub const CUSTOMS: &str = "quanfu.customs-rate/1";

/// Rates as a list of JSON.
#[must_use]
pub fn json(rates: &[&FxRate]) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        rates: &'a [&'a FxRate],
    }
    pretty(&Doc {
        schema: RATES,
        rates,
    })
}

/// Rates for people, one a line.
#[must_use]
pub fn table(rates: &[&FxRate], look: &Look) -> String {
    let rows: Vec<[String; 3]> = rates
        .iter()
        .map(|rate| {
            let mut price = rate.quoted().to_string();
            if rate.market() == RmbMarket::Offshore {
                price = price.replace("CNY", RmbMarket::Offshore.code());
            }
            let mut more = format!(
                "{}, {} ({})",
                inert(rate.source()),
                rate.kind().name(),
                rate.certainty().name()
            );
            if let Some(days) = rate.validity() {
                let until = days.until.map_or_else(String::new, |day| day.to_string());
                more.push_str(&format!(", {}..{until}", days.from));
            }
            [rate.as_of().to_string(), price, more]
        })
        .collect();
    let width = rows.iter().map(|row| row[1].len()).max().unwrap_or(0);
    let mut out = String::new();
    for [day, price, more] in rows {
        out.push_str(&format!("{day}  {}  {more}\n", left(&price, width)));
    }
    let count = crate::text::grouped(rates.len());
    out.push_str(&match look.lang {
        Lang::Zh => format!("共 {count} 个汇率\n"),
        Lang::En if rates.len() == 1 => format!("{count} rate\n"),
        Lang::En => format!("{count} rates\n"),
    });
    out
}

/// The rows of a file of rates that are none, for people.
#[must_use]
pub fn rejected(file: &str, rejected: &[RateFileError], look: &Look) -> String {
    const MOST: usize = 10;
    let mut out = String::new();
    for error in rejected.iter().take(MOST) {
        let sign = paint(look, "31", "✗");
        out.push_str(&format!(
            "{sign} {} {}: {}\n",
            error.code(),
            inert(file),
            inert(&error.to_string())
        ));
    }
    if let Some(more) = rejected.len().checked_sub(MOST).filter(|more| *more > 0) {
        out.push_str(&match look.lang {
            Lang::Zh => format!("  另有 {more} 行\n"),
            Lang::En => format!("  and {more} more\n"),
        });
    }
    out
}

/// A conversion with what it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Converted<'a> {
    /// What was computed.
    pub conversion: &'a Conversion,
    /// The way it went.
    pub route: &'a Route,
    /// The day for which it was asked for.
    pub on: Date,
    /// The spread.
    pub spread: Spread,
    /// The rounding.
    pub rounding: Rounding,
}

impl Converted<'_> {
    /// The conversion with its rates and steps as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Doc<'a> {
            schema: &'static str,
            on: String,
            from: Money,
            to: Money,
            mid: Money,
            spread: Money,
            spread_rate: Spread,
            rounding: Rounding,
            rates: Vec<&'a FxRate>,
            trail: &'a Trail,
        }
        let Conversion {
            from,
            to,
            mid,
            spread,
            trail,
        } = self.conversion;
        pretty(&Doc {
            schema: CONVERSION,
            on: self.on.to_string(),
            from: *from,
            to: *to,
            mid: *mid,
            spread: *spread,
            spread_rate: self.spread,
            rounding: self.rounding,
            rates: self.route.rates().collect(),
            trail,
        })
    }

    /// The conversion for people; with its steps if they are wanted.
    #[must_use]
    pub fn table(&self, with_steps: bool, look: &Look) -> String {
        let conversion = self.conversion;
        let [mid, spread, rounding, rate] = match look.lang {
            Lang::Zh => ["无点差", "点差", "舍入", "汇率"],
            Lang::En => ["at the rate", "spread", "rounding", "rate"],
        };
        let mut out = format!(
            "{} = {}\n",
            paint(look, "1", &conversion.from.for_people()),
            paint(look, "1", &conversion.to.for_people())
        );
        let mut line = |name: &str, text: &str| {
            out.push_str(&format!("  {}  {text}\n", left(name, 11)));
        };
        if !self.spread.is_none() {
            let figures = [conversion.mid.for_people(), conversion.spread.for_people()];
            let width = figures.iter().map(String::len).max().unwrap_or(0);
            let [at_mid, charged] = figures.map(|figure| right(&figure, width));
            line(mid, &at_mid);
            line(spread, &format!("{charged} ({})", self.spread));
        }
        for step in &conversion.trail.0 {
            let input = |wanted| {
                let found = step.inputs.iter().find(|(name, _)| name == wanted);
                found.map(|(_, text)| text.as_str())
            };
            if let (Some(unit), Some(value)) = (input("unit"), input("rate")) {
                let certainty = step.certainty.name();
                line(
                    rate,
                    &format!("{unit} = {value}; {} ({certainty})", inert(&step.source)),
                );
            }
        }
        line(rounding, &self.rounding.to_string());
        if with_steps {
            out.push_str(&inert_lines(&conversion.trail.render(look.lang)));
        }
        out
    }
}

/// The day of a customs rate and the rate of that day, as JSON.
#[must_use]
pub fn customs_json(found: &CustomsDay, rate: &FxRate) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        day: String,
        third_wednesday: String,
        rule: &'static str,
        source: &'a str,
        certainty: &'static str,
        rate: &'a FxRate,
    }
    pretty(&Doc {
        schema: CUSTOMS,
        day: found.day.to_string(),
        third_wednesday: found.third_wednesday.to_string(),
        rule: found.rule.name(),
        source: &found.source,
        certainty: found.certainty.name(),
        rate,
    })
}

/// The day of a customs rate and the rate of that day, for people.
#[must_use]
pub fn customs_table(found: &CustomsDay, rate: &FxRate, look: &Look) -> String {
    let [day, wednesday, rule, source] = match look.lang {
        Lang::Zh => ["汇率日", "上月第三个星期三", "规则", "来源"],
        Lang::En => ["day of the rate", "third Wednesday", "rule", "source"],
    };
    let price = paint(look, "1", &rate.quoted().to_string());
    let mut out = format!("{price}\n");
    for (name, text) in [
        (day, found.day.to_string()),
        (wednesday, found.third_wednesday.to_string()),
        (rule, found.rule.to_string()),
        (
            source,
            format!("{} ({})", inert(&found.source), found.certainty.name()),
        ),
    ] {
        out.push_str(&format!("  {}  {text}\n", left(name, 16)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_fx::{Certainty, Quote, RateKind};
    use quanfu_money::Currency;

    fn dollar() -> FxRate {
        let day = Date::from_ymd_opt(2025, 7, 16).expect("a day");
        let quote = Quote::new(
            Currency::USD,
            1,
            Currency::CNY,
            "7.1810".parse().expect("one"),
        );
        FxRate::new(
            quote.expect("a quote"),
            RateKind::Mid,
            "made\u{1b}up",
            day,
            Certainty::Illustrative,
        )
        .and_then(|rate| rate.in_market(RmbMarket::Offshore))
        .and_then(|rate| rate.valid(day, None))
        .expect("a rate")
    }

    #[test]
    fn an_offshore_rate_is_shown_as_one_and_no_source_paints_the_terminal() {
        let look = Look::default();
        let rate = dollar();
        assert_eq!(
            table(&[&rate], &look),
            "2025-07-16  1 USD = 7.1810 CNH  made\u{fffd}up, mid (illustrative), 2025-07-16..\n1 rate\n"
        );
        let route = Route::direct(Currency::USD, rate).expect("a side");
        let money = Money::from_minor(100_000, Currency::USD);
        let spread = Spread::bps(30).expect("a spread");
        let conversion = route
            .convert(money, spread, Rounding::HalfUp)
            .expect("small");
        let converted = Converted {
            conversion: &conversion,
            route: &route,
            on: Date::from_ymd_opt(2025, 7, 16).expect("a day"),
            spread,
            rounding: Rounding::HalfUp,
        };
        let zh = Look {
            lang: Lang::Zh,
            ..look
        };
        assert_eq!(
            converted.table(false, &zh),
            "1,000.00 USD = 7,159.46 CNY\n  无点差       7,181.00 CNY\n  点差            21.54 CNY (30bps)\n  \
             汇率         1 USD = 7.1810 CNH; made\u{fffd}up, mid, 2025-07-16, offshore (illustrative)\n  舍入         half_up\n"
        );
        let steps = converted.table(true, &zh);
        assert!(steps.contains("公式    mid * (1 - spread / 10000)") && !steps.contains('\u{1b}'));
    }
}
