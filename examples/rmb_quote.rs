//! Prices in renminbi for two buyers: one pays renminbi, one a fixed amount of dollars that is quoted, locked, used and
//! tied to what came.
//!
//! Run with `cargo run --example rmb_quote`. The rates and the settlement are made up.

use quanfu::fx::{RateReading, RateTable};
use quanfu::pricing::{
    Item, Offer, PartKind, PriceQuote, PriceRules, QuoteAction, QuoteState, Receipt,
};
use quanfu::trail::Lang;
use quanfu::{Currency, Money};

const RULES: &str = r#"
schema = "quanfu.pricing/1"
name = "shop abroad"

[[fee]]
name = "channel"
bearer = "seller"
bps = 60

[guard]
min_margin_bps = 500
breach = "raise"

[buyer.USD]
markup_bps = 150
buffer_bps = 200
step = "1.00"
ending = "0.99"

[buyer.EUR]
pays = "CNY"
"#;

const RATES: &str = "date,base,unit,quote,value,kind,source,certainty\n\
    2026-03-02,USD,1,CNY,7.1526,mid,an example,illustrative\n\
    2026-03-02,EUR,1,CNY,8.3157,mid,an example,illustrative\n\
    2026-03-05,USD,1,CNY,7.0601,applied,the bank,illustrative\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = PriceRules::parse(RULES)?;
    let rates = RateReading::csv(RATES.as_bytes())?.rates;
    let bank = rates.last().cloned().ok_or("the bank's rate is the last")?;
    let rates = RateTable::new(rates)?;
    let item = Item::new("199.00 CNY".parse()?)?.with_cost("150.00 CNY".parse()?)?;
    let day = "2026-03-02".parse()?;

    // Priced, invoiced and settled in renminbi; the euros are for orientation.
    if let Offer::Renminbi { price, shown } = rules.offer(&item, Currency::EUR, &rates, day)? {
        println!("payable {}", price.payable());
        println!("{}", shown.ok_or("a buyer abroad")?);
        let short = price.difference("198.50 CNY".parse()?)?;
        println!("received 198.50 CNY, {short} to what was payable\n");
    }

    // A fixed amount of dollars.
    let Offer::Foreign { price, .. } = rules.offer(&item, Currency::USD, &rates, day)? else {
        return Err("buyers in dollars pay dollars".into());
    };
    print!("{}", price.trail.render(Lang::En));
    price.trail.replay()?;

    let mut quote = PriceQuote::new(
        "Q-1",
        *price,
        rules.quote,
        "2026-03-02T09:20:00+08:00".parse()?,
    )?;
    quote.apply(QuoteAction::Firm, "2026-03-02T09:20:00+08:00".parse()?)?;
    quote.apply(QuoteAction::Lock, "2026-03-02T09:31:00+08:00".parse()?)?;
    let state = quote.apply(QuoteAction::Use, "2026-03-02T20:05:00+08:00".parse()?)?;
    assert_eq!(state, QuoteState::Used);
    let again = quote.apply(QuoteAction::Use, "2026-03-02T20:06:00+08:00".parse()?);
    println!(
        "\n{}",
        again.err().ok_or("a quote for one use is used once")?
    );

    // Three days later the bank exchanged them at its own rate.
    let tie = quote.tie(&Receipt {
        rate: bank,
        fees: "1.19 CNY".parse()?,
        received: "203.48 CNY".parse()?,
    })?;
    println!("\n{} brought {}:", tie.price, tie.received);
    for (kind, part) in &tie.parts {
        println!("{:>14} {:>8}", kind.name(), part.amount_text());
    }
    assert_eq!(tie.part(PartKind::Unexplained), Money::zero(Currency::CNY));
    Ok(())
}
