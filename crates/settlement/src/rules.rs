//! How sources are compared: `quanfu.rules/1`, a TOML document parsed into inert values.
//!
//! Whoever matches and whoever verifies interpret these values each with code of their own.
//!
//! ```
//! let rules = quanfu_settlement::Rules::parse(r#"
//! schema = "quanfu.rules/1"
//! name = "shop and institution"
//! calendar = "CN"
//! carry = { business_days = 3 }
//!
//! [source.order]
//! role = "order"
//! zone = "+08:00"
//!
//! [source.psp]
//! role = "institution"
//! profile = "my-institution"
//! zone = "+08:00"
//! cutoff = "22:30:00"
//!
//! [[edge]]
//! left = "order"
//! right = "psp"
//!
//! [[edge.rule]]
//! id = "K1"
//! pass = "unique_key"
//! on = ["order", "kind"]
//! explain = ["fee"]
//! "#).unwrap();
//! assert_eq!(rules.edges[0].name, "order-psp");
//! ```

use std::collections::BTreeMap;

use quanfu_money::{Currency, Money, Rounding};
use serde::Deserialize;

use crate::entry::{EntryKind, EntryStatus, RefRole, closed_list};
use crate::fees::{self, FeeRate, FeeText};
use crate::limits::Limits;
use crate::outcome::{Cause, PassKind, Side, Viewpoint};

/// Schema name of rules.
pub const SCHEMA: &str = "quanfu.rules/1";

closed_list! {
    /// What a source is in the chain of a payment.
    SourceRole {
        /// The shop's or platform's orders (订单).
        Order = "order",
        /// The payment institution's records or bill (渠道账单).
        Institution = "institution",
        /// The bank's statement (银行流水).
        Bank = "bank",
    }
}

closed_list! {
    /// Which figure of a record is compared.
    AmountOf {
        /// The signed amount.
        Amount = "amount",
        /// The amount less the record's fee, which must be whole in minor units.
        Net = "net",
        /// The amount before exchange.
        Original = "original",
    }
}

closed_list! {
    /// A cause that may explain a difference exactly.
    Explain {
        /// The record's own fee, or the sum of a batch's fees.
        Fee = "fee",
        /// The rate of the record, or of the table that the rules name, and one rounding.
        Fx = "fx",
    }
}

closed_list! {
    /// What a rule may do with what it finds.
    Decide {
        /// Confirm it.
        Confirm = "confirm",
        /// Suggest it to a person.
        Suggest = "suggest",
    }
}

closed_list! {
    /// Where the rounding of fees takes place.
    RoundingPer {
        /// Each row's fee is rounded, then summed.
        Row = "row",
        /// Fees are summed as written, then rounded once.
        Batch = "batch",
    }
}

/// What one side of a key is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A reference.
    Reference(RefRole),
    /// The currency code.
    Currency,
    /// The kind of movement.
    Kind,
    /// The accounting day, as YYYY-MM-DD.
    AccountingDay,
    /// The value date, as YYYY-MM-DD.
    ValueDate,
}

impl Field {
    /// The name used in rules.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reference(role) => role.code(),
            Self::Currency => "currency",
            Self::Kind => "kind",
            Self::AccountingDay => "accounting_day",
            Self::ValueDate => "value_date",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "currency" => Self::Currency,
            "kind" => Self::Kind,
            "accounting_day" => Self::AccountingDay,
            "value_date" => Self::ValueDate,
            _ => Self::Reference(RefRole::from_code(name)?),
        })
    }
}

/// A bounded regular expression. It matches in time linear in the text; its own length and size are limited.
#[derive(Clone)]
pub struct Pattern(regex_lite::Regex);

impl Pattern {
    /// Compiles an expression of at most [`Limits::pattern_bytes`].
    ///
    /// # Errors
    ///
    /// A sentence with the expression and what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let limit = Limits::default().pattern_bytes;
        if text.len() > limit {
            return Err(format!(
                "a pattern of {} bytes; the limit is {limit}",
                text.len()
            ));
        }
        let built = regex_lite::RegexBuilder::new(text)
            .size_limit(1 << 20)
            .build();
        built
            .map(Self)
            .map_err(|error| format!("pattern {text:?}: {error}"))
    }

    /// The first group of the first match, or all of the match if the expression has no group.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.captures(text)?;
        found
            .get(1)
            .or_else(|| found.get(0))
            .map(|hit| hit.as_str())
    }

    /// The groups of the first match, in order, without those that took no part.
    #[must_use]
    pub fn groups<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let found = self.0.captures(text)?;
        Some(
            found
                .iter()
                .skip(1)
                .flatten()
                .map(|hit| hit.as_str())
                .collect(),
        )
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

/// One step that brings a key text into its compared form; steps run in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Normaliser {
    /// Blanks (any Unicode white space) off both ends.
    Trim,
    /// ASCII letters to upper case.
    Upper,
    /// Leading zeros off; a text of zeros only becomes `0`.
    StripLeadingZeros,
    /// All blanks, `-`, `_`, `.` and `/` out.
    StripMarks,
    /// Compatibility forms of Unicode composed (NFKC): full-width letters and digits become plain ones.
    Nfkc,
    /// Letters of any script to upper case.
    UpperUnicode,
    /// Everything but letters and digits out.
    LettersAndDigits,
    /// Zeros before the text until it has so many characters.
    PadZeros(u8),
    /// These words out, wherever they stand (the forms of a company in a name, say).
    DropWords(Vec<String>),
    /// This suffix off, if the text ends with it.
    StripSuffix(String),
    /// This prefix off, if the text begins with it.
    StripPrefix(String),
    /// The first match of a bounded regular expression: its first group, or all of it; no match leaves no key.
    Pattern(Pattern),
}

/// One field of a key, on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// What the left side gives.
    pub left: Field,
    /// What the right side gives.
    pub right: Field,
    /// Steps for the left text.
    pub left_normalise: Vec<Normaliser>,
    /// Steps for the right text.
    pub right_normalise: Vec<Normaliser>,
}

/// Which rows a rule or edge looks at; an empty list lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Kinds that pass.
    pub kind: Vec<EntryKind>,
    /// Statuses that pass.
    pub status: Vec<EntryStatus>,
}

impl Filter {
    /// Whether a row of this kind and status passes.
    #[must_use]
    pub fn passes(&self, kind: EntryKind, status: EntryStatus) -> bool {
        (self.kind.is_empty() || self.kind.contains(&kind))
            && (self.status.is_empty() || self.status.contains(&status))
    }
}

/// A difference that is accepted, with the cause that it is booked under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// The cause, such as `rounding` or `bank_charge`.
    pub cause: String,
    /// Greatest absolute difference in minor units, for a pair; in a batch for the batch as a whole.
    pub max_minor: u64,
    /// Only for this currency, if given.
    pub currency: Option<Currency>,
}

/// By how many days the right side's accounting day may be later than the left's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Least difference, may be negative.
    pub from: i32,
    /// Greatest difference.
    pub until: i32,
    /// Whether days are business days of the rules' calendar.
    pub business_days: bool,
}

/// How far a search may go, and what is evidence enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sets of at most so many rows, 1 to 12.
    pub members: u8,
    /// And sets that leave out at most so many rows of the pool, 0 to 6.
    pub left_out: u8,
    /// At most so many lines of the single side together, 1 to 3.
    pub lines: u8,
    /// At most so many steps for a line, 1,000 to 100,000,000; the bounds above shrink until they fit.
    pub nodes: u64,
    /// What is found is evidence enough if at most so many would be found by chance, in millionths; a pair without a
    /// search at 1,000,000 always.
    pub chance_millionths: u64,
}

impl Bounds {
    /// Steps that all lines of a rule may take together, so that any number of open rows comes to an end.
    pub const NODES_OF_A_RULE: u64 = 2_000_000_000;
    /// Most pairs of one key that are compared (`near_key`, `assignment`); beyond it nothing is decided.
    pub const PAIRS: u64 = 4_000_000;
    /// Most rows of a side that hang together and are paired (`assignment`); beyond it nothing is decided.
    pub const ROWS_TOGETHER: usize = 64;
    /// Most combinations of lines of one key (`subset` with `max_lines`); beyond it nothing is decided.
    pub const LINES_TOGETHER: u64 = 1_000_000;
    /// Most lines and most rows of a key that are tried for batches of their own (`net_batch` with several lines);
    /// beyond it they are suggested.
    pub const ROWS_APART: usize = 12;
    /// Of a million pairs of a batch's row and a row of the day beside it, how many may bring the same before a line of that
    /// day that does not tie throws doubt on the batch.
    pub const EQUAL_MILLIONTHS: u64 = 10_000;
    /// Most runs of a line whose claims are told apart; of more, all from the first to the last claim their rows.
    pub const RUNS: usize = 1_000;
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            members: 6,
            left_out: 2,
            lines: 1,
            nodes: 2_000_000,
            chance_millionths: 1_000,
        }
    }
}

/// A reference that may have a slip: inside a longer text, cut at one end, or one character wrong, lacking, too much or
/// changed places with the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The two references and how they are normalised.
    pub on: On,
    /// The shorter of the two texts must have so many characters, 6 to 64.
    pub min_chars: u8,
}

/// One rule of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRule {
    /// Its name, unique in the edge.
    pub id: String,
    /// How it matches.
    pub pass: PassKind,
    /// The key.
    pub on: Vec<On>,
    /// Rows of the left side that it looks at.
    pub left_where: Filter,
    /// Rows of the right side that it looks at.
    pub right_where: Filter,
    /// Figure of the left side.
    pub left_amount: AmountOf,
    /// Figure of the right side.
    pub right_amount: AmountOf,
    /// Causes that may explain a difference exactly.
    pub explain: Vec<Explain>,
    /// Accepted differences.
    pub tolerances: Vec<Tolerance>,
    /// Accepted distance of days. `unique_key`: a match outside is suggested only; other passes: no match outside.
    pub window: Option<Window>,
    /// Whether both sides must have the same status.
    pub same_status: bool,
    /// What it may do.
    pub decide: Decide,
    /// How fees and conversions round to the minor unit.
    pub rounding: Rounding,
    /// Where fees of a batch round.
    pub rounding_per: RoundingPer,
    /// Which side has the one line for several rows; none: the bank's, or else the right one.
    pub single: Option<Side>,
    /// The reference of that line which tells how many rows it stands for.
    pub count: Option<RefRole>,
    /// `run_batch`, `subset`: how far the search may go.
    pub bounds: Bounds,
    /// `near_key`: the reference that may have a slip.
    pub near: Option<Near>,
    /// `net_batch`: a batch that does not tie stays open for later rules.
    pub leave_difference: bool,
    /// `key_group`: the side whose rows may come in parts, some of them on later days.
    pub partial: Option<Side>,
    /// Two currencies meet by the table's rate of the accounting day of this side's row, and not by a row's own rate.
    pub rates: Option<Side>,
}

/// Which rates of a table (a file beside the rules) are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesRules {
    /// Where they are published, as the table says it.
    pub source: String,
    /// What they are the price of, such as `mid`.
    pub kind: String,
    /// How many business days of the rules' calendar may lie after a rate's day, that of its use included; none: it must
    /// be the rate of that very day.
    pub max_business_days: Option<u32>,
}

/// A balance reconciliation (余额调节表) that an edge is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceRules {
    /// Which side is the bank's; the other one is the company's.
    pub bank: Side,
    /// For this currency; none: for every currency that occurs and has no table of its own.
    pub currency: Option<Currency>,
    /// The company's balance before the first day of the chain.
    pub company_opening: Option<Money>,
    /// The company's balance at the end of the day.
    pub company_closing: Option<Money>,
    /// The bank's balance before the first day of the chain.
    pub bank_opening: Option<Money>,
    /// The bank's balance at the end of the day.
    pub bank_closing: Option<Money>,
}

/// Two sources that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRules {
    /// Its name, `left-right` unless given.
    pub name: String,
    /// Index of the left source in [`Rules::sources`].
    pub left: usize,
    /// Index of the right source.
    pub right: usize,
    /// Left rows that belong on this edge; others are excluded on it.
    pub left_where: Filter,
    /// Right rows that belong on this edge.
    pub right_where: Filter,
    /// Its rules, in order.
    pub rules: Vec<MatchRule>,
    /// The balance reconciliations that it is asked for, one at most for each currency.
    pub balances: Vec<BalanceRules>,
}

closed_list! {
    /// Which text of a record a token is taken from.
    TokenFrom {
        /// All remittance lines, joined by one blank.
        Remittance = "remittance",
        /// The counterparty's name.
        CounterpartyName = "counterparty_name",
        /// The kind's code as written.
        KindWritten = "kind_written",
        /// The account owner's reference.
        Owner = "owner",
        /// The bank's reference.
        Bank = "bank",
        /// The end-to-end reference.
        EndToEnd = "end_to_end",
    }
}

/// A token that a source's rules take from a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The role that it gets.
    pub role: RefRole,
    /// Where it is taken from.
    pub from: TokenFrom,
    /// A bounded regular expression: its first group, or all of the first match.
    pub pattern: Pattern,
}

/// A source of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRules {
    /// Its name.
    pub name: String,
    /// What it is in the chain.
    pub role: SourceRole,
    /// The profile that reads it; none: found out from the content.
    pub profile: Option<String>,
    /// Minutes east of UTC of its local time.
    pub zone_minutes: i16,
    /// From this second of the local day on, a record counts for the next day (日切).
    pub cutoff_second: Option<u32>,
    /// Currency of records that name none.
    pub currency: Option<Currency>,
    /// What makes two records one and the same; none: the key of the first `unique_key` rule.
    pub identity: Vec<Field>,
    /// Tokens taken from text.
    pub tokens: Vec<Token>,
    /// Its fee schedule (手续费标准): the fee of records that name none, and what the others are held against.
    pub fees: Vec<FeeRate>,
}

impl SourceRules {
    /// A source with nothing but a name and a role, in Beijing time without a cut-off.
    #[must_use]
    pub fn new(name: impl Into<String>, role: SourceRole) -> Self {
        Self {
            name: name.into(),
            role,
            profile: None,
            zone_minutes: 480,
            cutoff_second: None,
            currency: None,
            identity: Vec::new(),
            tokens: Vec::new(),
            fees: Vec::new(),
        }
    }
}

/// Rules of a reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Their name.
    pub name: String,
    /// Whose side the words for too much and too little (长款, 短款) take.
    pub viewpoint: Viewpoint,
    /// Name of the calendar for carrying and for windows: `CN`, `every-day`, or a user's.
    pub calendar: String,
    /// How many business days an item without counterpart is carried before it is a break; none: not at all.
    pub carry_business_days: Option<u32>,
    /// The sources, in the order in which edges name them.
    pub sources: Vec<SourceRules>,
    /// The edges.
    pub edges: Vec<EdgeRules>,
    /// The table of rates that rules with [`MatchRule::rates`] take theirs from.
    pub rates: Option<RatesRules>,
    /// The document as it was parsed, verbatim.
    pub text: String,
}

/// Why rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// Not TOML, an unknown key, a missing key, a value of the wrong type.
    #[error("line {line}, column {column}: {message}")]
    Document {
        /// Line, counted from 1.
        line: u32,
        /// Column in characters, counted from 1.
        column: u32,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The document is well formed and says something that cannot be.
    #[error("{place}: {message}")]
    Meaning {
        /// Where, such as `edge order-psp, rule K1`.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl RulesError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["rules-document", "rules-meaning"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document { .. } => "rules-document",
            Self::Meaning { .. } => "rules-meaning",
        }
    }

    /// From a TOML error and the text that it speaks of.
    #[must_use]
    pub fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let offset = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..offset).unwrap_or("");
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
        Self::Document {
            line,
            column,
            message: error.message().to_owned(),
        }
    }
}

pub(crate) fn meaning(place: impl Into<String>, message: impl Into<String>) -> RulesError {
    RulesError::Meaning {
        place: place.into(),
        message: message.into(),
    }
}

// The document's own shape; everything below turns it into the values above.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    name: String,
    #[serde(default)]
    viewpoint: Option<Viewpoint>,
    calendar: String,
    #[serde(default)]
    carry: Option<CarryText>,
    source: BTreeMap<String, SourceText>,
    edge: Vec<EdgeText>,
    rates: Option<RatesText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatesText {
    source: String,
    kind: Option<String>,
    max_business_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CarryText {
    business_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceText {
    role: SourceRole,
    profile: Option<String>,
    zone: Option<String>,
    cutoff: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    identity: Vec<String>,
    #[serde(default)]
    token: Vec<TokenText>,
    #[serde(default)]
    fee: Vec<FeeText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenText {
    role: RefRole,
    from: TokenFrom,
    pattern: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FilterText {
    #[serde(default)]
    kind: Vec<EntryKind>,
    #[serde(default)]
    status: Vec<EntryStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeText {
    name: Option<String>,
    left: String,
    right: String,
    #[serde(default)]
    left_where: FilterText,
    #[serde(default)]
    right_where: FilterText,
    rule: Vec<RuleText>,
    #[serde(default)]
    balance: Vec<BalanceText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BalanceText {
    bank: Option<String>,
    currency: Option<String>,
    company_opening: Option<String>,
    company_closing: Option<String>,
    bank_opening: Option<String>,
    bank_closing: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: String,
    pass: PassKind,
    #[serde(default)]
    on: Vec<OnText>,
    #[serde(default)]
    left_where: FilterText,
    #[serde(default)]
    right_where: FilterText,
    left_amount: Option<AmountOf>,
    right_amount: Option<AmountOf>,
    #[serde(default)]
    explain: Vec<Explain>,
    #[serde(default)]
    tolerance: Vec<ToleranceText>,
    window: Option<WindowText>,
    #[serde(default)]
    same_status: bool,
    decide: Option<Decide>,
    rounding: Option<String>,
    rounding_per: Option<RoundingPer>,
    single: Option<Side>,
    count: Option<RefRole>,
    max_members: Option<u8>,
    max_left_out: Option<u8>,
    max_lines: Option<u8>,
    max_nodes: Option<u64>,
    max_chance: Option<String>,
    near: Option<NearText>,
    on_difference: Option<OnDifference>,
    partial: Option<Side>,
    rates: Option<Side>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NearText {
    left: String,
    right: String,
    #[serde(default)]
    left_normalise: Vec<NormaliserText>,
    #[serde(default)]
    right_normalise: Vec<NormaliserText>,
    min_chars: Option<u8>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum OnDifference {
    Break,
    Leave,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OnText {
    Same(String),
    Each(OnEach),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnEach {
    left: String,
    right: String,
    #[serde(default)]
    left_normalise: Vec<NormaliserText>,
    #[serde(default)]
    right_normalise: Vec<NormaliserText>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NormaliserText {
    Word(String),
    Prefix(PrefixText),
    Suffix(SuffixText),
    Pad(PadText),
    Drop(DropText),
    Pattern(PatternText),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuffixText {
    strip_suffix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PadText {
    pad_zeros: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DropText {
    drop_words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixText {
    strip_prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternText {
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToleranceText {
    cause: Option<String>,
    max_minor: u64,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowText {
    days: Option<[i32; 2]>,
    business_days: Option<[i32; 2]>,
}

impl Rules {
    /// Parses rules and checks all that can be checked without files.
    ///
    /// # Errors
    ///
    /// [`RulesError`] with the place and what would be right.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let document: Document =
            toml::from_str(text).map_err(|error| RulesError::from_toml(&error, text))?;
        if document.schema != SCHEMA {
            return Err(meaning(
                "schema",
                format!("found {:?}; {SCHEMA:?} would be right", document.schema),
            ));
        }
        let mut names: Vec<String> = Vec::new();
        for edge in &document.edge {
            for name in [&edge.left, &edge.right] {
                if !document.source.contains_key(name) {
                    let known = document
                        .source
                        .keys()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join(", ");
                    return Err(meaning(
                        "edge",
                        format!("source {name:?} is not declared; declared are: {known}"),
                    ));
                }
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        if let Some(unused) = document.source.keys().find(|&name| !names.contains(name)) {
            return Err(meaning(
                format!("source {unused}"),
                "no edge names it; an [[edge]] with it as left or right would",
            ));
        }
        if !(2..=8).contains(&names.len()) {
            return Err(meaning(
                "edge",
                format!(
                    "{} sources are compared; two to eight would be right",
                    names.len()
                ),
            ));
        }
        if let Some(apart) = apart(&document.edge, &names) {
            return Err(meaning(
                "edge",
                format!(
                    "no edges lead from source {:?} to source {apart:?}; the edges must join all sources into one graph",
                    names[0]
                ),
            ));
        }
        let sources = names
            .iter()
            .map(|name| source(name, &document.source[name]))
            .collect::<Result<Vec<_>, _>>()?;
        let index = |name: &str| {
            names
                .iter()
                .position(|n| n == name)
                .expect("names holds every edge's sources")
        };
        let mut edges = Vec::new();
        for edge_text in document.edge {
            let (left, right) = (index(&edge_text.left), index(&edge_text.right));
            let name = edge_text
                .name
                .unwrap_or_else(|| format!("{}-{}", edge_text.left, edge_text.right));
            let place = format!("edge {name}");
            if left == right {
                return Err(meaning(place, "a source cannot be compared with itself"));
            }
            let twice = |e: &EdgeRules| {
                e.name == name || [(e.left, e.right), (e.right, e.left)].contains(&(left, right))
            };
            if edges.iter().any(twice) {
                return Err(meaning(
                    place,
                    "two edges have this name or join these sources",
                ));
            }
            let mut rules = Vec::<MatchRule>::new();
            for rule_text in edge_text.rule {
                let rule = match_rule(rule_text, &place)?;
                if rules.iter().any(|other| other.id == rule.id) {
                    return Err(meaning(
                        format!("{place}, rule {}", rule.id),
                        "two rules of the edge have this id",
                    ));
                }
                let takes_parts = |other: &&MatchRule| {
                    other.pass == PassKind::UniqueKey
                        && other.on == rule.on
                        && other.left_where == rule.left_where
                        && other.right_where == rule.right_where
                };
                if let Some(other) = rules
                    .iter()
                    .find(takes_parts)
                    .filter(|_| rule.partial.is_some())
                {
                    return Err(meaning(
                        format!("{place}, rule {}", rule.id),
                        format!(
                            "rule {} of the same key stands before it and would call a first part a wrong amount; without it, this rule finds pairs too",
                            other.id
                        ),
                    ));
                }
                rules.push(rule);
            }
            if rules.is_empty() || rules.len() > 200 {
                return Err(meaning(place, "an edge has one to 200 rules"));
            }
            let roles = [sources[left].role, sources[right].role];
            let ends = [edge_text.left.as_str(), edge_text.right.as_str()];
            let balances = balance_rules(edge_text.balance, roles, ends, &place)?;
            edges.push(EdgeRules {
                name,
                left,
                right,
                left_where: edge_text.left_where.into(),
                right_where: edge_text.right_where.into(),
                rules,
                balances,
            });
        }
        let rates = document.rates.map(|rates| RatesRules {
            source: rates.source,
            kind: rates.kind.unwrap_or_else(|| "mid".to_owned()),
            max_business_days: rates.max_business_days,
        });
        let mut all = edges.iter().flat_map(|edge| &edge.rules);
        if all.any(|rule| rule.rates.is_some()) != rates.is_some() {
            return Err(meaning(
                "rates",
                "a rule with `rates = \"left\"` or `rates = \"right\"` needs a table [rates] with its `source`, and the table such a rule",
            ));
        }
        Ok(Self {
            name: document.name,
            viewpoint: document.viewpoint.unwrap_or(Viewpoint::Platform),
            calendar: document.calendar,
            carry_business_days: document.carry.map(|carry| carry.business_days),
            sources,
            edges,
            rates,
            text: text.to_owned(),
        })
    }

    /// The reference roles that matter for a source: those that its rules name, and those by which people look for
    /// records and reversals are linked. Books and results keep no others.
    #[must_use]
    pub fn roles_of(&self, source: usize) -> Vec<RefRole> {
        let mut roles = vec![
            RefRole::Order,
            RefRole::Institution,
            RefRole::Bank,
            RefRole::Owner,
            RefRole::EndToEnd,
            RefRole::Refund,
            RefRole::Original,
            RefRole::Batch,
        ];
        let mut add = |field: &Field| {
            if let Field::Reference(role) = field {
                roles.push(*role);
            }
        };
        self.sources[source].identity.iter().for_each(&mut add);
        for edge in &self.edges {
            for rule in &edge.rules {
                let near = rule.near.as_ref().map(|near| &near.on);
                for on in rule.on.iter().chain(near) {
                    if edge.left == source {
                        add(&on.left);
                    }
                    if edge.right == source {
                        add(&on.right);
                    }
                }
                if let Some(role) = rule.count {
                    add(&Field::Reference(role));
                }
            }
        }
        roles.extend(self.sources[source].tokens.iter().map(|token| token.role));
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Index of a source by name.
    #[must_use]
    pub fn source_index(&self, name: &str) -> Option<usize> {
        self.sources.iter().position(|source| source.name == name)
    }
}

impl From<FilterText> for Filter {
    fn from(text: FilterText) -> Self {
        Self {
            kind: text.kind,
            status: text.status,
        }
    }
}

fn source(name: &str, text: &SourceText) -> Result<SourceRules, RulesError> {
    let place = format!("source {name}");
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    {
        return Err(meaning(
            place,
            "a source's name has letters, digits, `_` and `-` only",
        ));
    }
    let zone_minutes = match &text.zone {
        Some(zone) => parse_zone(zone).ok_or_else(|| {
            meaning(
                &place,
                format!("zone {zone:?} is no offset; \"+08:00\" would be right"),
            )
        })?,
        None => 480,
    };
    let cutoff_second = match &text.cutoff {
        Some(time) => Some(parse_time(time).ok_or_else(|| {
            meaning(
                &place,
                format!("cutoff {time:?} is no time of day; \"22:30:00\" would be right"),
            )
        })?),
        None => None,
    };
    let currency = currency(text.currency.as_deref(), &place)?;
    let identity = text
        .identity
        .iter()
        .map(|field| self::field(field, &place))
        .collect::<Result<_, _>>()?;
    let mut tokens = Vec::new();
    for token in &text.token {
        tokens.push(Token {
            role: token.role,
            from: token.from,
            pattern: pattern(&token.pattern, &place)?,
        });
    }
    Ok(SourceRules {
        name: name.to_owned(),
        role: text.role,
        profile: text.profile.clone(),
        zone_minutes,
        cutoff_second,
        currency,
        identity,
        tokens,
        fees: fees::schedule(&text.fee, &place)?,
    })
}

/// A source that no edges lead to from the first one.
fn apart<'n>(edges: &[EdgeText], names: &'n [String]) -> Option<&'n str> {
    let mut reached: Vec<&str> = names.iter().take(1).map(String::as_str).collect();
    let mut at = 0;
    while let Some(&name) = reached.get(at) {
        at += 1;
        for edge in edges {
            for (from, to) in [(&edge.left, &edge.right), (&edge.right, &edge.left)] {
                if from == name && !reached.contains(&to.as_str()) {
                    reached.push(to);
                }
            }
        }
    }
    let mut names = names.iter().map(String::as_str);
    names.find(|name| !reached.contains(name))
}

fn balance_rules(
    texts: Vec<BalanceText>,
    roles: [SourceRole; 2],
    ends: [&str; 2],
    place: &str,
) -> Result<Vec<BalanceRules>, RulesError> {
    let mut all: Vec<BalanceRules> = Vec::new();
    for text in texts {
        let place = format!("{place}, balance");
        let bank = match (&text.bank, roles.map(|role| role == SourceRole::Bank)) {
            (Some(name), _) if name == ends[0] => Side::Left,
            (Some(name), _) if name == ends[1] => Side::Right,
            (None, [true, false]) => Side::Left,
            (None, [false, true]) => Side::Right,
            (Some(_), _) | (None, _) => {
                return Err(meaning(
                    &place,
                    format!(
                        "which side is the bank's? `bank = \"{}\"` or `bank = \"{}\"` would tell it",
                        ends[0], ends[1]
                    ),
                ));
            }
        };
        let currency = currency(text.currency.as_deref(), &place)?;
        let money = |name: &str, text: Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let Some(currency) = currency else {
                return Err(meaning(
                    &place,
                    format!(
                        "{name} is of no currency; `currency = \"CNY\"` beside it would tell it"
                    ),
                ));
            };
            let money = format!("{text} {currency}").parse::<Money>();
            money.map(Some).map_err(|error| {
                meaning(
                    &place,
                    format!("{name} {text:?} is no amount of {currency}: {error}"),
                )
            })
        };
        let rules = BalanceRules {
            bank,
            currency,
            company_opening: money("company_opening", text.company_opening)?,
            company_closing: money("company_closing", text.company_closing)?,
            bank_opening: money("bank_opening", text.bank_opening)?,
            bank_closing: money("bank_closing", text.bank_closing)?,
        };
        if all.iter().any(|other| other.currency == currency) {
            return Err(meaning(&place, "two tables are for the same currency"));
        }
        if all.iter().any(|other| other.bank != bank) {
            return Err(meaning(
                &place,
                "two tables name another side as the bank's",
            ));
        }
        all.push(rules);
    }
    Ok(all)
}

fn currency(code: Option<&str>, place: &str) -> Result<Option<Currency>, RulesError> {
    code.map(|code| Currency::from_code(code).map_err(|error| meaning(place, error.to_string())))
        .transpose()
}

fn field(name: &str, place: &str) -> Result<Field, RulesError> {
    Field::from_name(name).ok_or_else(|| {
        let roles = RefRole::ALL.iter().map(|role| role.code()).collect::<Vec<_>>().join(", ");
        meaning(place, format!("{name:?} is no field; right would be: {roles}, currency, kind, accounting_day, value_date"))
    })
}

/// Whether a cause is one that only the engine finds: of two currencies, or none at all.
pub(crate) fn is_reserved(cause: &str) -> bool {
    let of_exchange = [
        Cause::FX,
        Cause::FX_RATE,
        Cause::FX_ROUNDING,
        Cause::FX_DIRECTION,
        Cause::FX_PRICE,
    ];
    ["unexplained", "to_come"].contains(&cause) || of_exchange.contains(&cause)
}

fn match_rule(text: RuleText, place: &str) -> Result<MatchRule, RulesError> {
    let place = format!("{place}, rule {}", text.id);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if text.id.is_empty() || !text.id.chars().all(is_name) {
        return Err(meaning(
            &place,
            "a rule's id has ASCII letters, digits, `_` and `-` only",
        ));
    }
    let mut on = Vec::new();
    for item in text.on {
        on.push(match item {
            OnText::Same(name) => {
                let field = field(&name, &place)?;
                On {
                    left: field.clone(),
                    right: field,
                    left_normalise: Vec::new(),
                    right_normalise: Vec::new(),
                }
            }
            OnText::Each(each) => On {
                left: field(&each.left, &place)?,
                right: field(&each.right, &place)?,
                left_normalise: normalisers(each.left_normalise, &place)?,
                right_normalise: normalisers(each.right_normalise, &place)?,
            },
        });
    }
    let near = match text.near {
        Some(near) => Some(self::near(near, &place)?),
        None => None,
    };
    if (text.pass == PassKind::NearKey) != near.is_some() {
        return Err(meaning(
            &place,
            "`near` names the reference that may have a slip; near_key needs it, and no other pass has it",
        ));
    }
    let decide = text.decide.unwrap_or(match text.pass {
        PassKind::Assignment | PassKind::Subset => Decide::Suggest,
        _ => Decide::Confirm,
    });
    let is_reference = |on: &On| {
        matches!(
            (&on.left, &on.right),
            (Field::Reference(_), Field::Reference(_))
        )
    };
    let has_identity = near.is_some() || on.iter().any(is_reference);
    let may_lack_identity = decide == Decide::Suggest
        && matches!(
            text.pass,
            PassKind::RunBatch | PassKind::Subset | PassKind::Assignment
        );
    if !has_identity && !may_lack_identity {
        return Err(meaning(
            &place,
            "`on` names no reference; amount and date alone never confirm, so a reference such as \"order\", \"batch\" or \"merchant\" must be in it",
        ));
    }
    let mut tolerances = Vec::new();
    for tolerance in text.tolerance {
        let Some(cause) = tolerance.cause.filter(|cause| !cause.is_empty()) else {
            return Err(meaning(
                &place,
                "a tolerance must name its cause: { cause = \"rounding\", max_minor = 1 } would be right",
            ));
        };
        if !cause.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err(meaning(
                &place,
                format!("cause {cause:?} has other characters than a-z and `_`"),
            ));
        }
        if cause == "fee" || is_reserved(&cause) {
            return Err(meaning(
                &place,
                format!("cause {cause:?} has a meaning of its own; another name would be right"),
            ));
        }
        tolerances.push(Tolerance {
            cause,
            max_minor: tolerance.max_minor,
            currency: currency(tolerance.currency.as_deref(), &place)?,
        });
    }
    let window = match text.window {
        None => None,
        Some(WindowText {
            days: Some([from, until]),
            business_days: None,
        }) => Some(Window {
            from,
            until,
            business_days: false,
        }),
        Some(WindowText {
            days: None,
            business_days: Some([from, until]),
        }) => Some(Window {
            from,
            until,
            business_days: true,
        }),
        Some(_) => {
            return Err(meaning(
                &place,
                "a window has either `days` or `business_days`",
            ));
        }
    };
    if let Some(window) = window
        && (window.from > window.until || window.from < -366 || window.until > 366)
    {
        return Err(meaning(
            &place,
            "a window goes from the smaller to the greater number, within -366 and 366",
        ));
    }
    let rounding = match text.rounding {
        Some(name) => name.parse().map_err(|_| {
            meaning(
                &place,
                format!(
                    "rounding {name:?} is not known; \"half_up\" or \"half_even\" would be right"
                ),
            )
        })?,
        None => Rounding::HalfUp,
    };
    if text.pass == PassKind::ExactToken
        && !(tolerances.is_empty() && text.explain.iter().all(|cause| *cause == Explain::Fee))
    {
        return Err(meaning(
            &place,
            "a keyless pass compares exactly, but for the record's own fee: explain = [\"fee\"] may stand there, \"fx\" and `tolerance` have no place in it; pass = \"assignment\" takes a tolerance",
        ));
    }
    if text.pass == PassKind::Assignment && tolerances.is_empty() {
        return Err(meaning(
            &place,
            "assignment looks for pairs within a tolerance: { cause = \"bank_charge\", max_minor = 500 } would be right",
        ));
    }
    if text.rates.is_some() && !text.explain.contains(&Explain::Fx) {
        return Err(meaning(
            &place,
            "`rates` says which day's rate explains an exchange: explain = [\"fx\"] belongs to it",
        ));
    }
    let rounding_per = text.rounding_per.unwrap_or(RoundingPer::Row);
    if text.pass.is_search() && rounding_per == RoundingPer::Batch {
        return Err(meaning(
            &place,
            "a search adds up rows, so their fees round row by row: rounding_per = \"row\" would be right",
        ));
    }
    let has_token = matches!(text.pass, PassKind::ExactToken | PassKind::Assignment);
    let default = Bounds::default();
    let bounds = Bounds {
        members: text.max_members.unwrap_or(default.members),
        left_out: text.max_left_out.unwrap_or(default.left_out),
        lines: text.max_lines.unwrap_or(default.lines),
        nodes: text.max_nodes.unwrap_or(default.nodes),
        chance_millionths: match &text.max_chance {
            // a token is evidence of its own
            None if has_token => 10_000,
            None => default.chance_millionths,
            Some(text) => parse_millionths(text).ok_or_else(|| {
                meaning(
                    &place,
                    format!("max_chance {text:?} is no number from 0 to 1 with at most six decimals; \"0.001\" would be right"),
                )
            })?,
        },
    };
    let has_bounds = text.max_members.is_some()
        || text.max_left_out.is_some()
        || text.max_lines.is_some()
        || text.max_nodes.is_some();
    if (has_bounds && text.pass != PassKind::Subset)
        || (text.max_chance.is_some() && !text.pass.is_search() && !has_token)
    {
        return Err(meaning(
            &place,
            "max_members, max_left_out, max_lines and max_nodes bound a subset, max_chance a subset, run_batch, exact_token or assignment; no other pass has them",
        ));
    }
    let in_bounds = (1..=12).contains(&bounds.members)
        && bounds.left_out <= 6
        && (1..=3).contains(&bounds.lines)
        && (1_000..=100_000_000).contains(&bounds.nodes);
    if !in_bounds {
        return Err(meaning(
            &place,
            "max_members is 1 to 12, max_left_out 0 to 6, max_lines 1 to 3, max_nodes 1000 to 100000000",
        ));
    }
    let has_batch = text.pass == PassKind::NetBatch || text.pass.is_search();
    if !has_batch && (text.single.is_some() || text.count.is_some()) {
        return Err(meaning(
            &place,
            "`single` and `count` speak of one line for several rows: net_batch, run_batch and subset have them",
        ));
    }
    let leave_difference = text.on_difference == Some(OnDifference::Leave);
    if text.on_difference.is_some() && text.pass != PassKind::NetBatch {
        return Err(meaning(
            &place,
            "`on_difference` is for net_batch; rows whose own key agrees are never left to later rules",
        ));
    }
    if text.partial.is_some() && text.pass != PassKind::KeyGroup {
        return Err(meaning(
            &place,
            "`partial` names the side whose rows may come in parts: key_group has it",
        ));
    }
    Ok(MatchRule {
        id: text.id,
        pass: text.pass,
        on,
        left_where: text.left_where.into(),
        right_where: text.right_where.into(),
        left_amount: text.left_amount.unwrap_or(AmountOf::Amount),
        right_amount: text.right_amount.unwrap_or(AmountOf::Amount),
        explain: text.explain,
        tolerances,
        window,
        same_status: text.same_status,
        decide,
        rounding,
        rounding_per,
        single: text.single,
        count: text.count,
        bounds,
        near,
        leave_difference,
        partial: text.partial,
        rates: text.rates,
    })
}

fn near(text: NearText, place: &str) -> Result<Near, RulesError> {
    let on = On {
        left: field(&text.left, place)?,
        right: field(&text.right, place)?,
        left_normalise: normalisers(text.left_normalise, place)?,
        right_normalise: normalisers(text.right_normalise, place)?,
    };
    let references = matches!(
        (&on.left, &on.right),
        (Field::Reference(_), Field::Reference(_))
    );
    let min_chars = text.min_chars.unwrap_or(8);
    if !references || !(6..=64).contains(&min_chars) {
        return Err(meaning(
            place,
            "`near` compares two references, and its min_chars is 6 to 64",
        ));
    }
    Ok(Near { on, min_chars })
}

/// `0.001` as 1,000 millionths.
fn parse_millionths(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|c| c.is_ascii_digit());
    if !matches!(whole, "0" | "1") || rest.len() > 6 || !digits(rest) {
        return None;
    }
    let millionths = format!("{whole}{rest:0<6}").parse().ok()?;
    (millionths <= 1_000_000).then_some(millionths)
}

fn normalisers(texts: Vec<NormaliserText>, place: &str) -> Result<Vec<Normaliser>, RulesError> {
    let mut steps = Vec::new();
    for text in texts {
        steps.push(match text {
            NormaliserText::Word(word) => match word.as_str() {
                "trim" => Normaliser::Trim,
                "upper" => Normaliser::Upper,
                "strip_leading_zeros" => Normaliser::StripLeadingZeros,
                "strip_marks" => Normaliser::StripMarks,
                "nfkc" => Normaliser::Nfkc,
                "upper_unicode" => Normaliser::UpperUnicode,
                "letters_and_digits" => Normaliser::LettersAndDigits,
                _ => {
                    return Err(meaning(place, format!(
                        "{word:?} is no normaliser; right would be: trim, upper, upper_unicode, nfkc, strip_leading_zeros, strip_marks, letters_and_digits, {{ strip_prefix = \"..\" }}, {{ strip_suffix = \"..\" }}, {{ pad_zeros = 20 }}, {{ drop_words = [\"..\"] }}, {{ pattern = \"..\" }}"
                    )));
                }
            },
            NormaliserText::Suffix(SuffixText { strip_suffix }) => Normaliser::StripSuffix(strip_suffix),
            NormaliserText::Pad(PadText { pad_zeros }) => Normaliser::PadZeros(pad_zeros),
            NormaliserText::Drop(DropText { drop_words }) => {
                if drop_words.iter().any(String::is_empty) {
                    return Err(meaning(place, "drop_words has an empty word"));
                }
                Normaliser::DropWords(drop_words)
            }
            NormaliserText::Prefix(PrefixText { strip_prefix }) => Normaliser::StripPrefix(strip_prefix),
            NormaliserText::Pattern(PatternText { pattern }) => {
                Normaliser::Pattern(self::pattern(&pattern, place)?)
            }
        });
    }
    Ok(steps)
}

fn pattern(text: &str, place: &str) -> Result<Pattern, RulesError> {
    Pattern::new(text).map_err(|message| meaning(place, message))
}

/// `+08:00` as minutes east of UTC.
#[must_use]
pub fn parse_zone(text: &str) -> Option<i16> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return (text == "Z").then_some(0),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |s: &str| {
        (s.len() == 2 && s.bytes().all(|c| c.is_ascii_digit())).then(|| s.parse::<i16>().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// `22:30:00` or `22:30` as seconds after midnight.
#[must_use]
pub fn parse_time(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut number = || {
        parts
            .next()
            .filter(|s| s.len() == 2 && s.bytes().all(|c| c.is_ascii_digit()))
    };
    let hours: u32 = number()?.parse().ok()?;
    let minutes: u32 = number()?.parse().ok()?;
    let seconds: u32 = match number() {
        Some(text) => text.parse().ok()?,
        None if text.len() == 5 => 0,
        None => return None,
    };
    (parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60)
        .then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn parts_have_a_pass_that_takes_them_and_no_rule_that_takes_the_first_away() {
        let rules = |of_edge: &str| {
            Rules::parse(&format!(
                "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\n[source.a]\nrole = \"order\"\n\
                 [source.b]\nrole = \"institution\"\n[[edge]]\nleft = \"a\"\nright = \"b\"\n{of_edge}"
            ))
        };
        let rule = |id: &str, pass: &str, more: &str| {
            format!("[[edge.rule]]\nid = \"{id}\"\npass = \"{pass}\"\non = [\"order\"]\n{more}\n")
        };
        let parts = rule("P", "key_group", "partial = \"right\"");
        assert!(rules(&parts).is_ok());
        assert!(rules(&(parts.clone() + &rule("K", "unique_key", ""))).is_ok());
        let refused = |text: String| rules(&text).expect_err("it is wrong").to_string();
        let other_pass = refused(rule("P", "net_batch", "partial = \"right\""));
        assert!(other_pass.contains("key_group has it"), "{other_pass}");
        let taken = refused(rule("K", "unique_key", "") + &parts);
        assert!(
            taken.contains("rule K of the same key stands before it"),
            "{taken}"
        );
        let cause = "tolerance = [{ cause = \"to_come\", max_minor = 1 }]";
        let own = refused(rule("K", "unique_key", cause));
        assert!(own.contains("has a meaning of its own"), "{own}");
    }
}
