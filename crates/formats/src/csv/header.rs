//! The header line, and which column of the file each column of the profile is.

use quanfu_settlement::Profile;
use quanfu_settlement::profile::{AmountColumns, Column, Sign};
use quanfu_settlement::{EntryKind, RefRole};

use super::cells::Cells;

/// The header's words, in the file's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    pub words: Vec<String>,
}

impl Header {
    /// Takes a line as a header; words at the end that are empty are none.
    pub(super) fn of_line(line: &str, profile: &Profile, cells: &mut Cells) -> Self {
        if cells.split_words(line, profile).is_err() {
            return Self::default();
        }
        cells.shorten(0);
        let words = (0..cells.len()).map(|index| cells.get(line, index).into_owned());
        Self {
            words: words.collect(),
        }
    }

    /// Where a column stands: under the first of its words that the header has.
    pub(super) fn find(&self, column: &Column) -> Option<usize> {
        let mut names = column.names.iter();
        names.find_map(|name| self.words.iter().position(|word| word == name))
    }

    /// How many of the columns that must be there are, and the first that is not.
    pub(super) fn fit<'p>(&self, profile: &'p Profile) -> (usize, Option<&'p Column>) {
        let (mut found, mut missing) = (0, None);
        for column in profile.columns().filter(|column| !column.optional) {
            if self.find(column).is_some() {
                found += 1;
            } else if missing.is_none() {
                missing = Some(column);
            }
        }
        (found, missing)
    }

    /// A word that stands twice and that the profile looks for.
    pub(super) fn doubled(&self, profile: &Profile) -> Option<&str> {
        let is_twice = |word: &str| self.words.iter().filter(|other| *other == word).count() > 1;
        let mut columns = profile.columns().filter_map(|column| self.find(column));
        columns.find_map(|at| {
            let word = self.words.get(at)?;
            is_twice(word).then_some(word.as_str())
        })
    }
}

/// A column of the profile with its place in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub index: usize,
    pub column: &'p Column,
}

/// Where the amount stands.
#[derive(Debug)]
pub(super) enum AmountPlaces<'p> {
    Signed(Place<'p>, Sign),
    Directed {
        amount: Place<'p>,
        direction: Place<'p>,
        plus: &'p [String],
        minus: &'p [String],
    },
    Split {
        plus: Place<'p>,
        minus: Place<'p>,
    },
    ByKind(Vec<(EntryKind, Place<'p>, Sign)>),
}

/// The profile, laid over the header of one file.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub profile: &'p Profile,
    pub header: Header,
    pub time: Option<Place<'p>>,
    pub value_date: Option<Place<'p>>,
    pub booking_date: Option<Place<'p>>,
    pub references: Vec<(RefRole, Place<'p>)>,
    pub counterparty_name: Option<Place<'p>>,
    pub counterparty_account: Option<Place<'p>>,
    pub remittance: Vec<Place<'p>>,
    pub kind: Option<Place<'p>>,
    pub status: Option<Place<'p>>,
    pub currency: Option<Place<'p>>,
    pub amount: AmountPlaces<'p>,
    pub fee: Option<(Place<'p>, Sign)>,
    pub original: Option<[Option<Place<'p>>; 3]>,
    pub balance: Option<Place<'p>>,
    pub tokens: Vec<Option<Place<'p>>>,
    /// For each total of the summary, the column that it sums.
    pub totals: Vec<Option<Place<'p>>>,
}

impl<'p> Plan<'p> {
    /// Lays a profile over a header; the first column that must be there and is not is the error.
    pub(super) fn new(profile: &'p Profile, header: Header) -> Result<Self, (&'p Column, Header)> {
        if let (_, Some(missing)) = header.fit(profile) {
            return Err((missing, header));
        }
        let of = |column: &'p Column| header.find(column).map(|index| Place { index, column });
        let opt = |column: &'p Option<Column>| column.as_ref().and_then(of);
        let must = |column: &'p Column| of(column).ok_or(column);
        let amount = match &profile.amount {
            AmountColumns::Signed { column, sign } => {
                must(column).map(|place| AmountPlaces::Signed(place, *sign))
            }
            AmountColumns::Directed {
                column,
                direction,
                plus,
                minus,
            } => must(column).and_then(|amount| {
                Ok(AmountPlaces::Directed {
                    amount,
                    direction: must(direction)?,
                    plus,
                    minus,
                })
            }),
            AmountColumns::Split { plus, minus } => must(plus).and_then(|plus| {
                Ok(AmountPlaces::Split {
                    plus,
                    minus: must(minus)?,
                })
            }),
            AmountColumns::ByKind(kinds) => {
                let places = kinds.iter();
                let places =
                    places.filter_map(|(kind, column, sign)| Some((*kind, of(column)?, *sign)));
                Ok(AmountPlaces::ByKind(places.collect()))
            }
        };
        let amount = match amount {
            Ok(amount) => amount,
            Err(missing) => return Err((missing, header)),
        };
        let references = profile.references.iter();
        let references = references.filter_map(|(role, column)| Some((*role, of(column)?)));
        let original = profile.original.as_ref().map(|original| {
            [
                of(&original.amount),
                of(&original.currency),
                opt(&original.rate),
            ]
        });
        Ok(Self {
            profile,
            time: opt(&profile.time),
            value_date: opt(&profile.value_date),
            booking_date: opt(&profile.booking_date),
            references: references.collect(),
            counterparty_name: opt(&profile.counterparty_name),
            counterparty_account: opt(&profile.counterparty_account),
            remittance: profile.remittance.iter().filter_map(of).collect(),
            kind: opt(&profile.kind.column),
            status: opt(&profile.status.column),
            currency: opt(&profile.currency_column),
            amount,
            fee: profile
                .fee
                .as_ref()
                .and_then(|(column, sign)| Some((of(column)?, *sign))),
            original,
            balance: opt(&profile.balance),
            tokens: profile
                .tokens
                .iter()
                .map(|token| of(&token.column))
                .collect(),
            totals: profile.totals.iter().map(|total| opt(&total.of)).collect(),
            header,
        })
    }
}
