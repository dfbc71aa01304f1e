//! One record of a settlement file, whatever its format.

use std::borrow::Cow;
use std::fmt;

use quanfu_calendar::Date;
use quanfu_money::{Amount, Currency, Decimal, Money};

/// Text that a reader lends from its buffer, or owns where it had to be decoded.
pub type Text<'a> = Cow<'a, str>;

/// Where a record stands in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// Line of the record's first byte, counted from 1.
    pub line: u32,
    /// Offset of the record's first byte in the file as delivered (in its member, if in an archive).
    pub byte: u64,
    /// Length of the record in bytes, without its line end.
    pub len: u32,
}

macro_rules! closed_list {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All values, in the order of their discriminants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name used in every text form.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value with this name.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_code(&text).ok_or_else(|| serde::de::Error::unknown_variant(
                    &text, const { &[$($text),+] }))
            }
        }
    };
}
pub(crate) use closed_list;

closed_list! {
    /// What kind of movement a record is.
    EntryKind {
        /// Money that a buyer paid (capture, credit transfer received or sent for goods).
        Payment = "payment",
        /// Money given back to a buyer.
        Refund = "refund",
        /// A record that undoes an earlier one of the same source (冲正).
        Reversal = "reversal",
        /// Money taken back by the payer's side against the merchant's will (拒付).
        Chargeback = "chargeback",
        /// A charge of the institution or bank.
        Fee = "fee",
        /// A settlement sum that an institution pays out, one for many payments.
        Payout = "payout",
        /// A transfer between own accounts.
        Transfer = "transfer",
        /// A leg of a currency exchange.
        Fx = "fx",
        /// A correction.
        Adjustment = "adjustment",
        /// Money held back or released as a reserve.
        Reserve = "reserve",
        /// Anything else; the code as written stands in `kind_written`.
        Other = "other",
    }
}

closed_list! {
    /// How far a record has come.
    EntryStatus {
        /// Final: the money moved, or the order is paid.
        Booked = "booked",
        /// Announced, not final.
        Pending = "pending",
        /// For information only, no effect on the account.
        Information = "information",
        /// Expected by the bank (MT942 `EC`/`ED`).
        Expected = "expected",
        /// Failed, closed or cancelled: no money moved.
        Failed = "failed",
    }
}

closed_list! {
    /// The role of a reference: what it identifies, not how a format calls it.
    RefRole {
        /// The merchant's order number (商户订单号).
        Order = "order",
        /// The payment institution's number of the transaction (渠道流水号).
        Institution = "institution",
        /// The bank's number of the line (银行流水号).
        Bank = "bank",
        /// The account owner's reference (MT940 field 61 subfield 7; often `NONREF`).
        Owner = "owner",
        /// End-to-end reference.
        EndToEnd = "end_to_end",
        /// Instruction or payment information reference.
        Instruction = "instruction",
        /// UETR or the clearing's transaction number.
        Transaction = "transaction",
        /// Direct debit mandate.
        Mandate = "mandate",
        /// Number of a refund.
        Refund = "refund",
        /// The transaction that this one refunds, reverses or follows.
        Original = "original",
        /// Settlement batch or payout (结算批次号).
        Batch = "batch",
        /// Merchant, sub-merchant or shop.
        Merchant = "merchant",
        /// A further token that a profile or rule took from text.
        Token = "token",
    }
}

/// References by role; setting a role twice keeps the later text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References<'a> {
    slots: [Option<Text<'a>>; RefRole::ALL.len()],
}

impl<'a> References<'a> {
    /// The text of a role, if the record has one.
    #[must_use]
    pub fn get(&self, role: RefRole) -> Option<&str> {
        self.slots[role as usize].as_deref()
    }

    /// Sets a role; an empty text leaves it absent.
    pub fn set(&mut self, role: RefRole, text: impl Into<Text<'a>>) {
        let text = text.into();
        self.slots[role as usize] = (!text.is_empty()).then_some(text);
    }

    /// All references that are there, in the order of [`RefRole::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (RefRole, &str)> {
        RefRole::ALL
            .iter()
            .filter_map(|&role| Some((role, self.get(role)?)))
    }

    fn into_owned(self) -> References<'static> {
        References {
            slots: self
                .slots
                .map(|slot| slot.map(|text| Text::Owned(text.into_owned()))),
        }
    }
}

/// The other side of a movement. Names and account numbers are personal data: `Debug` masks them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Counterparty<'a> {
    /// Name as written.
    pub name: Option<Text<'a>>,
    /// Account number, IBAN or wallet as written.
    pub account: Option<Text<'a>>,
    /// BIC or clearing number of the other side's bank.
    pub agent: Option<Text<'a>>,
}

impl fmt::Debug for Counterparty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counterparty")
            .field("name", &self.name.as_deref().map(quanfu_codes::mask_name))
            .field(
                "account",
                &self.account.as_deref().map(quanfu_codes::mask_account),
            )
            .field("agent", &self.agent)
            .finish()
    }
}

impl Counterparty<'_> {
    /// Whether nothing is known of the other side.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.account.is_none() && self.agent.is_none()
    }
}

/// A local date and time with the offset that the file gave, if it gave one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment {
    /// Day as written.
    pub date: Date,
    /// Seconds after midnight as written, 0..=86399 (a leap second is read as 59).
    pub second: u32,
    /// Minutes east of UTC, if the file says so.
    pub offset_minutes: Option<i16>,
}

/// The amount of a record: money, or the text of a fragment whose currency nobody told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryAmount<'a> {
    /// Signed by effect: + raises the account (bank) or what is owed to the merchant (institution, order).
    Money(Money),
    /// A fragment without a currency: the digits as written with a point as decimal mark, signed by effect.
    Written(Text<'a>),
}

/// A rate written in a record: `unit base = value quote`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRate {
    /// Base currency.
    pub base: Currency,
    /// How many of the base the value is for (1 or 100).
    pub unit: u32,
    /// Quote currency.
    pub quote: Currency,
    /// The digits as written.
    pub value: Decimal,
}

/// A part of a batch entry (camt `TxDtls`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail<'a> {
    /// The part's own amount, signed by effect, if the file gives one.
    pub amount: Option<Money>,
    /// References of the part.
    pub references: References<'a>,
    /// The other side.
    pub counterparty: Counterparty<'a>,
    /// Remittance lines.
    pub remittance: Vec<Text<'a>>,
}

/// One record that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it stands.
    pub at: At,
    /// What kind of movement it is.
    pub kind: EntryKind,
    /// The kind's code as written (MT type code, camt bank transaction code, a bill's word).
    pub kind_written: Option<Text<'a>>,
    /// How far it has come.
    pub status: EntryStatus,
    /// The day that the money counts from.
    pub value_date: Option<Date>,
    /// The day that it was booked.
    pub booking_date: Option<Date>,
    /// Date and time of the transaction, where the file has one.
    pub time: Option<Moment>,
    /// The amount.
    pub amount: EntryAmount<'a>,
    /// Fee as written, positive where it lowers what the merchant gets, unrounded.
    pub fee: Option<Amount>,
    /// The amount before exchange, signed as `amount`.
    pub original: Option<Money>,
    /// The record's own rate.
    pub rate: Option<RowRate>,
    /// Whether the record undoes an earlier one (MT `RC`/`RD`, camt `RvslInd`).
    pub is_reversal: bool,
    /// References by role.
    pub references: References<'a>,
    /// The other side.
    pub counterparty: Counterparty<'a>,
    /// Remittance text, line by line.
    pub remittance: Vec<Text<'a>>,
    /// Parts of a batch entry.
    pub details: Vec<Detail<'a>>,
}

impl<'a> Entry<'a> {
    /// A booked entry of kind `other` with nothing but an amount, signed by effect.
    #[must_use]
    pub fn new(amount: Money) -> Self {
        Self::with_amount(EntryAmount::Money(amount))
    }

    /// As [`Entry::new`], for an amount that may lack its currency.
    #[must_use]
    pub fn with_amount(amount: EntryAmount<'a>) -> Self {
        Self {
            at: At::default(),
            kind: EntryKind::Other,
            kind_written: None,
            status: EntryStatus::Booked,
            value_date: None,
            booking_date: None,
            time: None,
            amount,
            fee: None,
            original: None,
            rate: None,
            is_reversal: false,
            references: References::default(),
            counterparty: Counterparty::default(),
            remittance: Vec::new(),
            details: Vec::new(),
        }
    }

    /// With this kind.
    #[must_use]
    pub fn with_kind(mut self, kind: EntryKind) -> Self {
        self.kind = kind;
        self
    }

    /// With this status.
    #[must_use]
    pub fn with_status(mut self, status: EntryStatus) -> Self {
        self.status = status;
        self
    }

    /// With this value date.
    #[must_use]
    pub fn on(mut self, value_date: Date) -> Self {
        self.value_date = Some(value_date);
        self
    }

    /// With this time.
    #[must_use]
    pub fn with_time(mut self, time: Moment) -> Self {
        self.time = Some(time);
        self
    }

    /// With this fee.
    #[must_use]
    pub fn with_fee(mut self, fee: Amount) -> Self {
        self.fee = Some(fee);
        self
    }

    /// With a reference in this role.
    #[must_use]
    pub fn with_reference(mut self, role: RefRole, text: impl Into<Text<'a>>) -> Self {
        self.references.set(role, text);
        self
    }

    /// The amount as money, if its currency is known.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        match self.amount {
            EntryAmount::Money(money) => Some(money),
            EntryAmount::Written(_) => None,
        }
    }

    /// The same entry with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Entry<'static> {
        fn own(text: Option<Text<'_>>) -> Option<Text<'static>> {
            text.map(|text| Text::Owned(text.into_owned()))
        }
        fn own_all(lines: Vec<Text<'_>>) -> Vec<Text<'static>> {
            lines
                .into_iter()
                .map(|text| Text::Owned(text.into_owned()))
                .collect()
        }
        fn own_party(party: Counterparty<'_>) -> Counterparty<'static> {
            Counterparty {
                name: own(party.name),
                account: own(party.account),
                agent: own(party.agent),
            }
        }
        Entry {
            at: self.at,
            kind: self.kind,
            kind_written: own(self.kind_written),
            status: self.status,
            value_date: self.value_date,
            booking_date: self.booking_date,
            time: self.time,
            amount: match self.amount {
                EntryAmount::Money(money) => EntryAmount::Money(money),
                EntryAmount::Written(text) => EntryAmount::Written(Text::Owned(text.into_owned())),
            },
            fee: self.fee,
            original: self.original,
            rate: self.rate,
            is_reversal: self.is_reversal,
            references: self.references.into_owned(),
            counterparty: own_party(self.counterparty),
            remittance: own_all(self.remittance),
            details: self
                .details
                .into_iter()
                .map(|detail| Detail {
                    amount: detail.amount,
                    references: detail.references.into_owned(),
                    counterparty: own_party(detail.counterparty),
                    remittance: own_all(detail.remittance),
                })
                .collect(),
        }
    }
}
