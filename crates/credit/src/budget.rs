//! Sharing out a budget that may be too little: exactly, and the same for every order of the claims.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{Certainty, Date};
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_trail::{Rational, Step};

use crate::application::Records;
use crate::error::{DocumentError, day, yuan};
use crate::programme::BudgetMethod;

/// What somebody is to get out of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Stable id; breaks ties.
    pub id: String,
    /// What is eligible, in renminbi, zero or more and in whole units.
    pub eligible: Money,
    /// The weight, for water-filling.
    pub weight: u64,
    /// The class, for priority.
    pub class: String,
    /// The day of filing, for first come.
    pub filed_on: Date,
}

/// What a claim gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The claim's id.
    pub id: String,
    /// What is paid, from zero to what is eligible.
    pub paid: Money,
    /// How it came about.
    pub step: Step,
}

/// A budget that was shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Shared {
    /// The shares, by id.
    pub shares: Vec<Share>,
    /// All that is paid.
    pub paid: Money,
    /// What is left of the budget.
    pub unspent: Money,
}

/// Why a budget cannot be shared out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// Two claims have one id, so that ties could not be broken.
    #[error("two claims have the id {id:?}")]
    Twice {
        /// The id.
        id: String,
    },
    /// A claim or the budget is below zero, not in renminbi, or finer than the unit.
    #[error("{what}: {amount} is no amount of renminbi in whole units of zero or more")]
    Amount {
        /// The claim's id, or `budget`.
        what: String,
        /// The amount.
        amount: Money,
    },
    /// All claims together leave the range of an amount, or all weights that of a count.
    #[error("all claims or weights together are more than can be held")]
    Range,
    /// A claim is of a class that has no budget, where each class has its own.
    #[error("claim {id:?} is of class {class:?}, which has no budget")]
    NoBudget {
        /// The claim's id.
        id: String,
        /// Its class.
        class: String,
    },
}

impl BudgetError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "budget-twice",
        "budget-amount",
        "budget-range",
        "budget-no-budget",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Twice { .. } => "budget-twice",
            Self::Amount { .. } => "budget-amount",
            Self::Range => "budget-range",
            Self::NoBudget { .. } => "budget-no-budget",
        }
    }
}

/// How the figures of a step are sourced.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the rule is written.
    pub source: String,
    /// How sure that is.
    pub certainty: Certainty,
}

/// Shares out a budget in units of `10^-decimals` yuan.
///
/// The claims paid together are at most the budget, and exactly the smaller of budget and eligible sum (for
/// water-filling, as far as weights reach). Units left over go to the largest remainders, between equal ones to the
/// lower id.
///
/// # Errors
///
/// [`BudgetError`].
///
/// ```
/// use quanfu_calendar::Certainty;
/// use quanfu_credit::budget::{Claim, Source, share_out};
/// use quanfu_credit::programme::BudgetMethod;
///
/// let claim = |id: &str, eligible: &str| Claim {
///     id: id.into(), eligible: eligible.parse().unwrap(), weight: 0, class: "*".into(),
///     filed_on: "2024-01-31".parse().unwrap(),
/// };
/// let claims = [claim("A", "300000.00 CNY"), claim("B", "123456.78 CNY"), claim("C", "50000.01 CNY"), claim("D", "0.99 CNY")];
/// let source = Source { source: "made up".into(), certainty: Certainty::Illustrative };
/// let shared = share_out("200000.00 CNY".parse()?, &claims, &BudgetMethod::ProRata, 2, &source)?;
/// let paid: Vec<i64> = shared.shares.iter().map(|share| share.paid.minor()).collect();
/// assert_eq!(paid, [12_672_724, 5_215_113, 2_112_121, 42]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn share_out(
    total: Money,
    claims: &[Claim],
    method: &BudgetMethod,
    decimals: u8,
    source: &Source,
) -> Result<Shared, BudgetError> {
    let unit: i64 = if decimals == 0 { 100 } else { 1 };
    let units = |money: Money, what: &str| {
        let fits =
            money.currency() == Currency::CNY && !money.is_negative() && money.minor() % unit == 0;
        let amount = || BudgetError::Amount {
            what: what.to_owned(),
            amount: money,
        };
        fits.then_some(i128::from(money.minor() / unit))
            .ok_or_else(amount)
    };
    let mut left = units(total, "budget")?;
    let mut order: Vec<&Claim> = claims.iter().collect();
    order.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = order.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(BudgetError::Twice {
            id: pair[0].id.clone(),
        });
    }
    let mut sum = MoneySum::zero(Currency::CNY);
    let mut eligible = Vec::with_capacity(order.len());
    for claim in &order {
        eligible.push(units(claim.eligible, &claim.id)?);
        sum = sum
            .checked_add(claim.eligible)
            .map_err(|_| BudgetError::Range)?;
    }
    sum.to_money().map_err(|_| BudgetError::Range)?;
    // So that amount times weight fits.
    let weights = order.iter().map(|claim| i128::from(claim.weight));
    if weights.sum::<i128>() > i128::from(i64::MAX) {
        return Err(BudgetError::Range);
    }

    let text = |units: i128| {
        let figure = Rational::new(units * i128::from(unit), 100);
        let figure = figure.expect("units of an amount are far within the range of a fraction");
        amount_text(figure, decimals)
    };
    // Those who are paid together, in turn.
    let mut pools: Vec<Vec<usize>> = Vec::new();
    match method {
        BudgetMethod::ProRata | BudgetMethod::WaterFill { .. } => {
            pools.push((0..order.len()).collect());
        }
        BudgetMethod::Priority { classes } => {
            for class in classes {
                let of_class = (0..order.len()).filter(|&index| order[index].class == *class);
                pools.push(of_class.collect());
            }
            // Who is of no class named comes last.
            let rest = (0..order.len()).filter(|&index| !classes.contains(&order[index].class));
            pools.push(rest.collect());
        }
        BudgetMethod::FirstCome => {
            let mut by_day: Vec<usize> = (0..order.len()).collect();
            by_day.sort_by_key(|&index| (order[index].filed_on, index));
            for index in by_day {
                match pools.last_mut() {
                    Some(pool) if order[pool[0]].filed_on == order[index].filed_on => {
                        pool.push(index)
                    }
                    _ => pools.push(vec![index]),
                }
            }
        }
    }
    let is_water = matches!(method, BudgetMethod::WaterFill { .. });
    let mut shares: Vec<Option<Share>> = vec![None; order.len()];
    let mut give = |index: usize,
                    paid: i128,
                    formula: &str,
                    inputs: Vec<(String, String)>,
                    exact: Rational| {
        let exact_text = format!("{exact} CNY");
        let whole = Rational::new(paid * i128::from(unit), 100);
        let is_exact = whole.is_ok_and(|whole| whole == exact);
        let minor =
            i64::try_from(paid * i128::from(unit)).expect("a share is at most what is eligible");
        shares[index] = Some(Share {
            id: order[index].id.clone(),
            paid: Money::from_minor(minor, Currency::CNY),
            step: Step {
                rule: format!("budget-{}", method.name().replace('_', "-")),
                source: source.source.clone(),
                certainty: source.certainty,
                inputs,
                formula: formula.to_owned(),
                exact: exact_text,
                rounded: (!is_exact).then(|| text(paid)),
                rounding: (!is_exact).then(|| "largest_remainder".to_owned()),
            },
        });
    };
    let named = |pairs: &[(&str, String)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let share_of = |part: i128, budget: i128, whole: i128| {
        // part <= 2^64, budget < 2^63, so the product fits.
        Rational::new(part * budget, whole)
            .and_then(|units| units.checked_mul(Rational::new(i128::from(unit), 100)?))
            .expect("a product of two amounts is within the range of a fraction")
    };
    for pool in pools {
        let mut pool = pool;
        let budget = left;
        if is_water {
            let formula = "min(eligible, budget * weight / weights)";
            let mut weights: i128 = pool
                .iter()
                .map(|&index| i128::from(order[index].weight))
                .sum();
            let inputs = |index: usize, budget: i128, weights: i128| {
                named(&[
                    ("eligible", text(eligible[index])),
                    ("budget", text(budget)),
                    ("weight", order[index].weight.to_string()),
                    ("weights", weights.max(1).to_string()),
                ])
            };
            for &index in pool.iter().filter(|&&index| order[index].weight == 0) {
                give(
                    index,
                    0,
                    formula,
                    inputs(index, left, weights),
                    Rational::whole(0),
                );
            }
            pool.retain(|&index| order[index].weight > 0);
            // Who reaches the cap first, by eligible over weight.
            pool.sort_by(|&a, &b| {
                let (left, right) = (
                    eligible[a] * i128::from(order[b].weight),
                    eligible[b] * i128::from(order[a].weight),
                );
                left.cmp(&right).then(a.cmp(&b))
            });
            let mut rest: Vec<usize> = Vec::new();
            for &index in &pool {
                let weight = i128::from(order[index].weight);
                if rest.is_empty() && eligible[index] * weights <= left * weight {
                    let exact = share_of(eligible[index], 1, 1);
                    give(
                        index,
                        eligible[index],
                        formula,
                        inputs(index, left, weights),
                        exact,
                    );
                    left -= eligible[index];
                    weights -= weight;
                } else {
                    rest.push(index);
                }
            }
            rest.sort_unstable();
            let parts: Vec<i128> = rest
                .iter()
                .map(|&index| i128::from(order[index].weight))
                .collect();
            for (&index, (paid, rank)) in rest.iter().zip(largest_remainder(left, &parts)) {
                let exact = share_of(i128::from(order[index].weight), left, weights.max(1));
                let mut inputs = inputs(index, left, weights);
                inputs.extend(rank.map(|rank| ("remainder_rank".to_owned(), rank.to_string())));
                give(index, paid, formula, inputs, exact);
            }
            left = if rest.is_empty() { left } else { 0 };
            continue;
        }
        let whole: i128 = pool.iter().map(|&index| eligible[index]).sum();
        if whole <= budget {
            for &index in &pool {
                let inputs = named(&[
                    ("eligible", text(eligible[index])),
                    ("budget", text(budget)),
                ]);
                give(
                    index,
                    eligible[index],
                    "min(eligible, budget)",
                    inputs,
                    share_of(eligible[index], 1, 1),
                );
            }
            left -= whole;
            continue;
        }
        pool.sort_unstable();
        let parts: Vec<i128> = pool.iter().map(|&index| eligible[index]).collect();
        for (&index, (paid, rank)) in pool.iter().zip(largest_remainder(budget, &parts)) {
            let mut inputs = named(&[
                ("eligible", text(eligible[index])),
                ("budget", text(budget)),
                ("total_eligible", text(whole)),
            ]);
            inputs.extend(rank.map(|rank| ("remainder_rank".to_owned(), rank.to_string())));
            let exact = share_of(eligible[index], budget, whole);
            give(
                index,
                paid,
                "eligible * budget / total_eligible",
                inputs,
                exact,
            );
        }
        left = 0;
    }
    let shares: Vec<Share> = shares.into_iter().flatten().collect();
    let minor = |units: i128| i64::try_from(units * i128::from(unit)).expect("at most the budget");
    let unspent = Money::from_minor(minor(left), Currency::CNY);
    let paid = Money::from_minor(total.minor() - unspent.minor(), Currency::CNY);
    assert_eq!(
        shares
            .iter()
            .map(|share| i128::from(share.paid.minor()))
            .sum::<i128>(),
        i128::from(paid.minor()),
        "what is paid and what is left are the budget"
    );
    Ok(Shared {
        shares,
        paid,
        unspent,
    })
}

/// Shares out budgets of classes, each over the claims of its class; what is left of one goes to no other.
///
/// The answers stand in the order of the budgets.
///
/// # Errors
///
/// [`BudgetError`]; two budgets of one class are [`BudgetError::Twice`].
pub fn share_out_by_class(
    budgets: &[(String, Money, Source)],
    claims: &[Claim],
    method: &BudgetMethod,
    decimals: u8,
) -> Result<Vec<Shared>, BudgetError> {
    let mut by_class: BTreeMap<&str, Vec<Claim>> = BTreeMap::new();
    for (class, ..) in budgets {
        if by_class.insert(class, Vec::new()).is_some() {
            return Err(BudgetError::Twice { id: class.clone() });
        }
    }
    let mut ids = BTreeSet::new();
    for claim in claims {
        if !ids.insert(&claim.id) {
            let id = claim.id.clone();
            return Err(BudgetError::Twice { id });
        }
        let of_class = by_class.get_mut(claim.class.as_str());
        let of_class = of_class.ok_or_else(|| BudgetError::NoBudget {
            id: claim.id.clone(),
            class: claim.class.clone(),
        })?;
        of_class.push(claim.clone());
    }
    let shared = budgets.iter().map(|(class, total, source)| {
        let of_class = by_class.get(class.as_str());
        let of_class = of_class.map_or(&[][..], Vec::as_slice);
        share_out(*total, of_class, method, decimals, source)
    });
    shared.collect()
}

/// Parts of a whole in proportion to weights, with the rank of the remainder where an odd unit was given.
///
/// Nothing is given where all weights are zero.
pub(crate) fn largest_remainder(whole: i128, weights: &[i128]) -> Vec<(i128, Option<usize>)> {
    let sum: i128 = weights.iter().sum();
    if sum == 0 {
        return vec![(0, None); weights.len()];
    }
    let mut parts: Vec<(i128, Option<usize>)> = weights
        .iter()
        .map(|weight| (whole * weight / sum, None))
        .collect();
    let odd = whole - parts.iter().map(|(part, _)| part).sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(whole * weights[index] % sum), index));
    let odd = usize::try_from(odd).expect("fewer units are left over than there are parts");
    for (rank, &index) in order.iter().take(odd).enumerate() {
        parts[index].0 += 1;
        parts[index].1 = Some(rank + 1);
    }
    parts
}

/// An amount of renminbi with so many decimals; the figure must have no more.
pub(crate) fn amount_text(figure: Rational, decimals: u8) -> String {
    let yuan = figure.numerator() / figure.denominator();
    if decimals == 0 {
        return format!("{yuan} CNY");
    }
    // At most two decimals: the rest is below a denominator of at most 100.
    let fen = figure.numerator() % figure.denominator() * 100 / figure.denominator();
    format!("{yuan}.{fen:02} CNY")
}

/// Reads claims from a table with the columns id and eligible (yuan), and, if wanted, weight, class and filed_on.
///
/// # Errors
///
/// [`DocumentError::Row`].
pub fn read_claims(text: &str) -> Result<Vec<Claim>, DocumentError> {
    let wrong = |line: u32, column: &str, message: String| DocumentError::Row {
        line,
        column: column.to_owned(),
        message,
    };
    let mut records = Records {
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        at: 0,
        line: 1,
    };
    let (_, header) = records.next().unwrap_or((1, Ok(Vec::new())));
    let header = header.map_err(|message| wrong(1, "", message))?;
    for name in &header {
        if !["id", "eligible", "weight", "class", "filed_on"].contains(&name.as_str()) {
            let message = "id, eligible, weight, class and filed_on are the columns".to_owned();
            return Err(wrong(1, name, message));
        }
    }
    let mut claims = Vec::new();
    for (line, cells) in records {
        let cells = cells.map_err(|message| wrong(line, "", message))?;
        if cells.len() != header.len() {
            let message = format!("{} cells; {} would be right", cells.len(), header.len());
            return Err(wrong(line, "", message));
        }
        let cell = |name: &str| {
            let place = header.iter().position(|known| known == name);
            place
                .and_then(|place| cells.get(place))
                .filter(|cell| !cell.is_empty())
        };
        let must = |name: &str| cell(name).ok_or_else(|| wrong(line, name, "it is missing".into()));
        let weight = match cell("weight") {
            None => 0,
            Some(text) => text.parse().map_err(|_| {
                wrong(
                    line,
                    "weight",
                    format!("{text:?}: a whole number of zero or more would be right"),
                )
            })?,
        };
        let filed_on = match cell("filed_on") {
            None => Date::MIN,
            Some(text) => day(text).map_err(|message| wrong(line, "filed_on", message))?,
        };
        claims.push(Claim {
            id: must("id")?.clone(),
            eligible: yuan(must("eligible")?)
                .map_err(|message| wrong(line, "eligible", message))?,
            weight,
            class: cell("class").cloned().unwrap_or_default(),
            filed_on,
        });
    }
    Ok(claims)
}
