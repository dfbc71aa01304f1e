//! Walks the tags and text of one piece of a document with quick-xml, and refuses what is not well formed.

use std::borrow::Cow;

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;

/// One step of the walk; `at` is an offset in the piece.
pub(super) enum Step<'p> {
    /// An element begins; an empty element ends with the next step.
    Open {
        /// Its name with prefix.
        name: &'p str,
        /// Its attributes as written.
        attributes: &'p str,
    },
    /// An element ends.
    Close {
        /// Its name with prefix.
        name: &'p str,
    },
    /// Text, without references.
    Text(Cow<'p, str>),
}

/// Why a walk stops.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where, in the piece.
    pub at: usize,
    /// What is wrong.
    pub what: Wrong,
}

#[derive(Debug)]
pub(super) enum Wrong {
    /// Not well formed.
    Form(String),
    /// Nested beyond the limit.
    Depth,
    /// A field beyond the limit.
    Field,
}

impl Fault {
    pub(super) fn form(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            what: Wrong::Form(message.into()),
        }
    }
}

/// Walks through a piece. Whether tags match is for the visitor to check, since a piece begins and ends anywhere.
pub(super) fn walk<'p>(
    piece: &'p str,
    mut visit: impl FnMut(Step<'p>, usize) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut reader = Reader::from_str(piece);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    loop {
        let at = offset(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            Fault::form(
                offset(reader.error_position()),
                format!("the XML is not well formed: {error}"),
            )
        })?;
        let tag = || {
            let tag = piece.get(at + 1..offset(reader.buffer_position()).saturating_sub(1));
            let tag = tag.unwrap_or_default().trim_end_matches('/');
            let (name, attributes) = match tag.bytes().position(|byte| byte.is_ascii_whitespace()) {
                Some(end) => tag.split_at(end),
                None => (tag, ""),
            };
            (name, attributes)
        };
        match event {
            Event::Start(_) => {
                let (name, attributes) = tag();
                visit(Step::Open { name, attributes }, at)?;
            }
            Event::Empty(_) => {
                let (name, attributes) = tag();
                visit(Step::Open { name, attributes }, at)?;
                visit(Step::Close { name }, at)?;
            }
            Event::End(_) => {
                let name = tag().0.trim_start_matches('/');
                visit(Step::Close { name }, at)?;
            }
            Event::Text(text) => visit(Step::Text(text.into_inner()), at)?,
            Event::CData(text) => visit(Step::Text(text.into_inner()), at)?,
            Event::GeneralRef(reference) => {
                let character = resolve(&reference).ok_or_else(|| {
                    let name = reference.xml10_content();
                    Fault::form(
                        at,
                        format!("&{name}; is no reference that a statement may use"),
                    )
                })?;
                visit(Step::Text(Cow::Owned(character.into())), at)?;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(Fault::form(at, "the document has a DOCTYPE")),
            Event::Eof => return Ok(()),
        }
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The five names that XML knows by itself, and characters by number.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

/// The value of an attribute by its name without prefix.
pub(super) fn attribute<'p>(attributes: &'p str, name: &str) -> Option<Cow<'p, str>> {
    let found = Attributes::new(attributes, 0).filter_map(Result::ok);
    found
        .into_iter()
        .find(|attribute| local(attribute.key.into_inner()) == name)
        .map(|attribute| attribute.value)
}

/// The values of all namespace declarations among the attributes.
pub(super) fn namespaces(attributes: &str) -> impl Iterator<Item = Cow<'_, str>> {
    Attributes::new(attributes, 0)
        .filter_map(Result::ok)
        .filter(|attribute| {
            let key = attribute.key.into_inner();
            key == "xmlns" || key.starts_with("xmlns:")
        })
        .map(|attribute| attribute.value)
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    match name.bytes().rposition(|byte| byte == b':') {
        Some(colon) => name.get(colon + 1..).unwrap_or_default(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(piece: &str) -> Result<String, String> {
        let mut out = Vec::new();
        walk(piece, |step, at| {
            out.push(match step {
                Step::Open { name, attributes } => format!("{at}<{name}|{}", attributes.trim()),
                Step::Close { name } => format!("{at}>{name}"),
                Step::Text(text) => format!("{at}={text}"),
            });
            Ok(())
        })
        .map_err(|fault| format!("{}: {:?}", fault.at, fault.what))?;
        Ok(out.join(" "))
    }

    #[test]
    fn a_piece_is_walked_with_offsets_and_only_known_references() {
        for (piece, want) in [
            ("<a b='1'>x</a>", "0<a|b='1' 9=x 10>a"),
            ("<p:a/>", "0<p:a| 0>p:a"),
            ("<a  c=\"/\" />", "0<a|c=\"/\" 0>a"),
            ("</z></y >", "0>z 4>y"),
            ("1&amp;2&#x4E2D;", "0=1 1=& 6=2 7=中"),
            ("<![CDATA[<&]]><!-- no --><?no?>", "0=<&"),
        ] {
            assert_eq!(steps(piece).as_deref(), Ok(want), "{piece}");
        }
        for piece in ["&lol;", "a & b", "&#0;", "<a", "<!-- ", "&#x110000;"] {
            assert!(steps(piece).is_err(), "{piece}");
        }
    }

    #[test]
    fn attributes_are_found_by_local_name() {
        assert_eq!(attribute(" Ccy='EUR'", "Ccy").as_deref(), Some("EUR"));
        assert_eq!(
            attribute(" a=\"1\" x:Ccy=\"CNY\"", "Ccy").as_deref(),
            Some("CNY")
        );
        assert_eq!(attribute(" Ccy", "Ccy"), None);
        let all: Vec<_> = namespaces(" xmlns='u' xmlns:x=\"v\" y='w'").collect();
        assert_eq!(all, ["u", "v"]);
    }
}
