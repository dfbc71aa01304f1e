//! [`Programme`]: what an authority asks of a filing, as data.

use quanfu_calendar::{Certainty, Date};
use serde::{Deserialize, Serialize};

use crate::content::without_text;
use crate::deadline::Term;
use crate::list::closed_list;

/// Schema name of a programme.
pub const SCHEMA: &str = "quanfu.filing-programme/1";

closed_list! {
    /// What is filed.
    Matter {
        /// The cooperation, for the first time.
        First = "first",
        /// A change.
        Change = "change",
        /// A renewal.
        Renewal = "renewal",
        /// The end.
        Termination = "termination",
    }
}

closed_list! {
    /// The event from which a deadline counts.
    Trigger {
        /// The agreement was signed.
        Signed = "signed",
        /// Business began.
        Started = "started",
        /// The cooperation changed.
        Changed = "changed",
        /// The agreement was renewed.
        Renewed = "renewed",
        /// The cooperation ended.
        Terminated = "terminated",
    }
}

closed_list! {
    /// Who files.
    Filer {
        /// The bank.
        Bank = "bank",
        /// The payment institution.
        Institution = "institution",
        /// Both.
        Both = "both",
        /// The rule does not say.
        Unknown = "not_sourced",
    }
}

/// A duty to file something, and by when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// What.
    pub matter: Matter,
    /// From which event it counts.
    pub counted_from: Trigger,
    /// In which time; `None`: the rule gives none that is sourced.
    #[serde(default)]
    pub deadline: Option<Term>,
}

/// A programme of post-hoc filing (事后备案).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Always `quanfu.filing-programme/1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// What it is, in Chinese.
    pub title_zh: String,
    /// What it is, in English.
    pub title_en: String,
    /// First day.
    #[serde(with = "toml_day")]
    pub from: Date,
    /// Last day; `None`: until further notice.
    #[serde(
        default,
        with = "toml_day_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Date>,
    /// Who takes the filing, where the rule says so.
    #[serde(default)]
    pub authority: Option<String>,
    /// Who files.
    #[serde(default = "unknown_filer")]
    pub filer: Filer,
    /// The document, and what it leaves open.
    pub legal_basis: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Kinds of papers without which nothing is filed.
    #[serde(default)]
    pub required_attachments: Vec<String>,
    /// Parameters that say how many years the record is kept; all that apply count, the longest wins.
    #[serde(default = "retention_rules")]
    pub retention: Vec<String>,
    /// What is to be filed.
    #[serde(default, rename = "duty")]
    pub duties: Vec<Duty>,
}

fn unknown_filer() -> Filer {
    Filer::Unknown
}

fn retention_rules() -> Vec<String> {
    vec![
        "retention_years_fx".into(),
        "retention_years_identity".into(),
    ]
}

/// A text that is no programme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("programme: {message}")]
pub struct ProgrammeError {
    /// What was found and what would be right.
    pub message: String,
}

impl ProgrammeError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["filing-programme"];

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "filing-programme"
    }
}

impl Programme {
    /// Ours. Those without a sourced deadline say so, and nothing filed under them is ever called in time.
    ///
    /// # Panics
    ///
    /// Never: the data is read by a test.
    #[must_use]
    pub fn shipped() -> Vec<Self> {
        let texts = [
            include_str!("../data/programmes/example-5wd.toml"),
            include_str!("../data/programmes/jinan-2017.toml"),
            include_str!("../data/programmes/pboc-139-2022.toml"),
            include_str!("../data/programmes/shanghai-ftz-2014.toml"),
        ];
        let read = |text| Self::parse(text).expect("the data is read by a test");
        texts.into_iter().map(read).collect()
    }

    /// A programme in TOML.
    ///
    /// # Errors
    ///
    /// [`ProgrammeError`].
    pub fn parse(text: &str) -> Result<Self, ProgrammeError> {
        let refuse = |message: String| ProgrammeError { message };
        let programme: Self =
            toml::from_str(text).map_err(|error| refuse(without_text(text, &error)))?;
        if programme.schema != SCHEMA {
            return Err(refuse(format!("schema {SCHEMA:?} would be right")));
        }
        for (index, duty) in programme.duties.iter().enumerate() {
            let fits = match duty.matter {
                Matter::First => matches!(duty.counted_from, Trigger::Signed | Trigger::Started),
                Matter::Change => duty.counted_from == Trigger::Changed,
                Matter::Renewal => duty.counted_from == Trigger::Renewed,
                Matter::Termination => duty.counted_from == Trigger::Terminated,
            };
            let again = programme.duties[..index]
                .iter()
                .any(|other| other.matter == duty.matter);
            if !fits || again {
                let (matter, from) = (duty.matter, duty.counted_from);
                let why = if again {
                    "stands twice"
                } else {
                    "cannot count from that"
                };
                return Err(refuse(format!("duty {matter} from {from}: it {why}")));
            }
        }
        Ok(programme)
    }

    /// The duty for a matter. Under a programme that lists none, a matter may be filed, and no deadline is determinable.
    #[must_use]
    pub fn duty(&self, matter: Matter) -> Option<&Duty> {
        self.duties.iter().find(|duty| duty.matter == matter)
    }
}

pub(crate) mod toml_day {
    use quanfu_calendar::Date;
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a day such as 2026-12-31 would be right")]
    enum Written {
        Text(String),
        Day(toml::value::Datetime),
    }

    pub fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Day(day) => day.to_string(),
        };
        let day = text.parse::<Date>().ok();
        let day = day.filter(|day| day.to_string() == text);
        day.ok_or_else(|| serde::de::Error::custom("a day such as 2026-12-31 would be right"))
    }
}

pub(crate) mod toml_day_option {
    use quanfu_calendar::Date;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
        match day {
            Some(day) => super::toml_day::serialize(day, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Date>, D::Error> {
        super::toml_day::deserialize(deserializer).map(Some)
    }
}
