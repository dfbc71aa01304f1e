//! [`Reason`]: why an item gets nothing.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $code:literal,)+) => {
        /// Why an item gets nothing, or nothing from one line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])+ #[serde(rename = $code)] $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

reasons! {
    /// Its day is not in the programme's window.
    OutsideWindow = "OUTSIDE_WINDOW",
    /// It has not the day that the window asks about.
    DayMissing = "DAY_MISSING",
    /// Its interest is for days of which some are outside the window.
    PartlyOutside = "PARTLY_OUTSIDE",
    /// The application was filed outside the time for it.
    FiledOutside = "FILED_OUTSIDE",
    /// A condition for all firms does not hold.
    GateNotMet = "GATE_NOT_MET",
    /// A fact that a rule asks for is not stated, or as another kind of thing.
    FactMissing = "FACT_MISSING",
    /// Applications of one firm say different things of it.
    FactsDiffer = "FACTS_DIFFER",
    /// A document is missing.
    DocumentMissing = "DOCUMENT_MISSING",
    /// The programme takes applications of insurers for firms, or of firms alone.
    WrongApplicant = "WRONG_APPLICANT",
    /// The firm's class gets nothing.
    ClassNotEligible = "CLASS_NOT_ELIGIBLE",
    /// No line pays for such an item.
    NoLine = "NO_LINE",
    /// No rate is for the item's market, product or day.
    NoRate = "NO_RATE",
    /// The rate is not known, so nothing is computed.
    RateNotDetermined = "RATE_NOT_DETERMINED",
    /// A cap is not known, so nothing is computed.
    CapNotDetermined = "CAP_NOT_DETERMINED",
    /// Nothing shows that it was paid.
    NotPaid = "NOT_PAID",
    /// No rate of exchange for its currency on the day.
    NoExchangeRate = "NO_EXCHANGE_RATE",
    /// No reference rate for the day.
    NoReferenceRate = "NO_REFERENCE_RATE",
    /// Interest of a kind that is never supported.
    InterestExcluded = "INTEREST_EXCLUDED",
    /// The loan of the interest is missing, or is in another currency than the interest.
    LoanMissing = "LOAN_MISSING",
    /// No export credit policy is behind the loan.
    PolicyMissing = "POLICY_MISSING",
    /// No reconciled receipt is named.
    ReceiptMissing = "RECEIPT_MISSING",
    /// The receipt that is named does not stand as confirmed in any result.
    ReceiptNotConfirmed = "RECEIPT_NOT_CONFIRMED",
    /// It has no other support, which it must have first.
    PriorSupportMissing = "PRIOR_SUPPORT_MISSING",
    /// It has other support of a kind that excludes this.
    SupportedAlready = "SUPPORTED_ALREADY",
    /// The same invoice, payment, interest or receipt was claimed before or elsewhere.
    ClaimedTwice = "CLAIMED_TWICE",
    /// The figures leave the range that is computed exactly.
    NotComputable = "NOT_COMPUTABLE",
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
