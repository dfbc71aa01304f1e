//! JSON Schemas of the two documents, made from the lists of the code.

use crate::text::pretty;
use quanfu_filing::OriginalKind;
use quanfu_filing::declaration::{Action, Direction, IdKind, Nature, PartyKind};
use quanfu_money::Rounding;
use quanfu_settlement::rules::RoundingPer;
use serde_json::{Map, Value, json};

fn object(needed: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = needed.iter().map(|(name, _)| *name).collect();
    let fields = needed.iter().chain(optional);
    let fields = fields.map(|(name, value)| ((*name).to_owned(), value.clone()));
    let properties: Map<String, Value> = fields.collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

fn one_of<T: Copy>(all: &[T], code: impl Fn(T) -> &'static str) -> Value {
    json!({ "enum": all.iter().map(|&value| code(value)).collect::<Vec<_>>() })
}

fn array(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn day() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn amount() -> Value {
    json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
}

fn currency() -> Value {
    json!({ "type": "string", "pattern": "^[A-Z]{3}$" })
}

fn digest() -> Value {
    json!({ "type": "string", "pattern": "^(sha256|blake3):[0-9a-f]{64}$" })
}

fn money() -> Value {
    object(&[("amount", amount()), ("currency", currency())], &[])
}

fn named(schema: Value, title: &str, description: &str) -> String {
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
    });
    if let (Value::Object(whole), Value::Object(schema)) = (&mut whole, schema) {
        whole.extend(schema);
    }
    pretty(&whole)
}

/// JSON Schema of `quanfu.restored/1`.
#[must_use]
pub fn restored_schema() -> String {
    let actual = object(
        &[("record", text()), ("amount", amount())],
        &[("file", text()), ("line", count()), ("value_date", day())],
    );
    let charge = object(&[("cause", text()), ("amount", amount())], &[]);
    let rounding = object(
        &[
            ("rounding", one_of(&Rounding::ALL, Rounding::name)),
            ("per", one_of(RoundingPer::ALL, RoundingPer::code)),
        ],
        &[],
    );
    let original = object(
        &[
            ("record", text()),
            ("kind", one_of(OriginalKind::ALL, OriginalKind::code)),
            ("amount", amount()),
        ],
        &[
            ("file", text()),
            ("line", count()),
            ("order", text()),
            ("refunds", text()),
            ("day", day()),
            ("fee", amount()),
        ],
    );
    let batch = object(
        &[
            ("group", text()),
            ("currency", currency()),
            ("settled", amount()),
            ("actual", array(&actual)),
            ("charges", array(&charge)),
            ("count", count()),
            ("originals", array(&original)),
        ],
        &[("value_date", day()), ("fees_round", rounding)],
    );
    let not_declared = object(
        &[("source", text()), ("reason", text()), ("count", count())],
        &[("currency", currency()), ("sum", amount())],
    );
    let document = object(
        &[
            ("schema", json!({ "const": "quanfu.restored/1" })),
            ("as_of", day()),
            ("edge", text()),
            ("batches", array(&batch)),
            ("not_declared", array(&not_declared)),
            ("body", digest()),
        ],
        &[("result", digest())],
    );
    let about = "Settled sums with every original transaction behind them. Amounts are texts at the currency's full \
                 scale. Originals and charges together are what was settled. No authority's format.";
    named(document, "quanfu.restored/1", about)
}

/// JSON Schema of `quanfu.declaration/1`.
#[must_use]
pub fn declaration_schema() -> String {
    let party = object(
        &[
            ("kind", one_of(PartyKind::ALL, PartyKind::code)),
            ("name", text()),
            ("id_number", text()),
            ("account_number", text()),
        ],
        &[
            ("id_kind", one_of(IdKind::ALL, IdKind::code)),
            ("country", text()),
        ],
    );
    let code = json!({ "type": "string", "pattern": "^[0-9]{6}$" });
    let line = object(
        &[("amount", money())],
        &[("code", code.clone()), ("remark", text())],
    );
    let link = object(
        &[
            ("batch", text()),
            ("count", count()),
            ("sum", money()),
            ("charges", money()),
        ],
        &[],
    );
    let part = object(&[("amount", money()), ("account_number", text())], &[]);
    let direction = one_of(Direction::ALL, Direction::code);
    let record = object(
        &[
            ("reference", text()),
            ("direction", direction.clone()),
            ("subject", party.clone()),
            ("counterparty", party.clone()),
            ("amount", money()),
            ("lines", array(&line)),
            ("link", link.clone()),
        ],
        &[
            ("reporting_bank", text()),
            ("value_date", day()),
            ("counterparty_bank", text()),
            ("priced", money()),
            ("prepayment_days", count()),
            ("customs_declarations", array(&text())),
            ("channel", text()),
            ("refund_of", text()),
            ("registration", text()),
            ("reported_on", day()),
        ],
    );
    let bop = object(
        &[
            ("action", one_of(Action::ALL, Action::code)),
            ("direction", direction),
            ("subject", party.clone()),
            ("counterparty", party.clone()),
            ("amount", money()),
            ("nature", one_of(Nature::ALL, Nature::code)),
            ("lines", array(&line)),
            ("reporter", text()),
            ("phone_number", text()),
            ("link", link),
        ],
        &[
            ("reason", text()),
            (
                "number",
                json!({ "type": "string", "pattern": "^[0-9]{18}[0-9A-Z]{4}$" }),
            ),
            ("value_date", day()),
            ("exchanged", part.clone()),
            ("kept", part.clone()),
            ("other", part),
            ("method", text()),
            ("bank_reference", text()),
            ("domestic_charges", money()),
            ("foreign_charges", money()),
            ("under_customs_supervision", json!({ "type": "boolean" })),
            ("reported_on", day()),
        ],
    );
    let detail = object(
        &[
            ("batch", text()),
            ("record", text()),
            ("kind", one_of(OriginalKind::ALL, OriginalKind::code)),
            ("amount", money()),
        ],
        &[
            ("order", text()),
            ("refunds", text()),
            ("day", day()),
            ("payer", party),
            ("orderer", object(&[("id_number", text())], &[])),
            ("authenticated", json!({ "type": "boolean" })),
            ("code", code),
            ("remark", text()),
        ],
    );
    let document = object(
        &[
            ("schema", json!({ "const": "quanfu.declaration/1" })),
            ("as_of", day()),
            ("restored", digest()),
            ("receipts_payments", array(&record)),
            ("bop", array(&bop)),
            ("details", array(&detail)),
        ],
        &[],
    );
    let about = "Drafts of records of receipts and payments (RCPMIS) and of the balance of payments, and the originals \
                 behind them in the name of their parties. A neutral model, no authority's format. Names and numbers \
                 are whole.";
    named(document, "quanfu.declaration/1", about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::fits;

    /// The first files of the fuzzers are such documents.
    #[test]
    fn documents_fit_their_schemas_and_changed_ones_do_not() {
        let restored = include_str!("../../../../fuzz/corpus/restored_json/small.json");
        let declaration = include_str!("../../../../fuzz/corpus/declaration_json/small.json");
        for (name, text, schema) in [
            ("restored", restored, restored_schema()),
            ("declaration", declaration, declaration_schema()),
        ] {
            let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
            let document: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(fits(&document, &schema, "document"), Ok(()), "{name}");
            for (from, to) in [
                ("\"as_of\"", "\"as_off\""),
                ("\"payment\"", "\"paid\""),
                ("\"amount\": \"", "\"amount\": \"CNY "),
            ] {
                let changed = text.replacen(from, to, 1);
                assert_ne!(changed, text, "{from}");
                let changed: Value = serde_json::from_str(&changed).expect("JSON");
                let fitted = fits(&changed, &schema, "document");
                // patterns are for other readers of the schema; the reader of ours refuses the amount
                assert_eq!(fitted.is_err(), !to.contains("CNY"), "{name} {to}");
            }
        }
    }
}
