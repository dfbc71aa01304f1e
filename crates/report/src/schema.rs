//! What the published JSON Schemas have in common.

use serde_json::{Value, json};

/// One of the codes of a list.
pub(crate) fn list<T: Copy>(all: &[T], code: impl Fn(T) -> &'static str) -> Value {
    json!({ "enum": all.iter().map(|&value| code(value)).collect::<Vec<_>>() })
}

/// An object that has exactly these fields.
pub(crate) fn object(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let properties: serde_json::Map<String, Value> = fields.collect();
    json!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false
    })
}

/// A list of such values.
pub(crate) fn array(value: Value) -> Value {
    json!({ "type": "array", "items": value })
}

/// Such a value, or null.
pub(crate) fn or_null(value: Value) -> Value {
    json!({ "anyOf": [value, { "type": "null" }] })
}

#[cfg(test)]
/// Whether a value fits a schema, of the part of JSON Schema that is used here.
pub(crate) fn fits(value: &Value, schema: &Value, place: &str) -> Result<(), String> {
    let bad = |what: &str| Err(format!("{place}: {value} is not {what}"));
    if let Some(choices) = schema["anyOf"].as_array() {
        return match choices
            .iter()
            .any(|choice| fits(value, choice, place).is_ok())
        {
            true => Ok(()),
            false => bad("any of the choices"),
        };
    }
    if schema
        .get("const")
        .is_some_and(|constant| constant != value)
    {
        return bad("the constant");
    }
    if let Some(list) = schema["enum"].as_array()
        && !list.contains(value)
    {
        return bad("in the list");
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![name],
    };
    if !types.contains(&name) {
        return bad(&types.join(" or "));
    }
    if let Value::Array(list) = value {
        for (index, item) in list.iter().enumerate() {
            fits(item, &schema["items"], &format!("{place}[{index}]"))?;
        }
    }
    if let Value::Object(map) = value {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !map.contains_key(required.as_str().unwrap_or_default()) {
                return bad(&format!("whole without {required}"));
            }
        }
        for (key, item) in map {
            match schema["properties"].get(key) {
                Some(schema) => fits(item, schema, &format!("{place}.{key}"))?,
                None if schema["additionalProperties"] == Value::Bool(false) => {
                    return bad(&format!("without {key}"));
                }
                None => {
                    let names = schema["propertyNames"]["enum"].as_array();
                    if names.is_some_and(|names| !names.contains(&json!(key))) {
                        return bad(&format!("allowed to have {key}"));
                    }
                }
            }
        }
    }
    Ok(())
}
