//! Trails as text for people, in Chinese or English.

use crate::{Step, Trail};
use quanfu_calendar::Certainty;
use std::fmt::Write;
use std::str::FromStr;

/// A language that texts for people come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Chinese (中文), simplified characters.
    Zh,
    /// English.
    En,
}

/// A text that names no language we write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is no language here: zh or en")]
pub struct UnknownLang {
    /// The text found.
    pub found: String,
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            _ => Err(UnknownLang { found: s.into() }),
        }
    }
}

impl std::fmt::Display for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Zh => "zh",
            Self::En => "en",
        })
    }
}

impl Trail {
    /// The steps as lines of text, each line ended; the same text for the same trail everywhere.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let mut out = String::new();
        for (index, step) in self.0.iter().enumerate() {
            render_step(index + 1, step, lang, &mut out)
                .expect("writing to a String does not fail");
        }
        out
    }
}

fn render_step(number: usize, step: &Step, lang: Lang, out: &mut String) -> std::fmt::Result {
    // Padded to one width on a terminal, where a Chinese character takes two columns.
    let [source, inputs, none, formula, exact, rounded] = match lang {
        Lang::Zh => ["来源  ", "输入  ", "      ", "公式  ", "精确值", "舍入  "],
        Lang::En => [
            "source ", "inputs ", "       ", "formula", "exact  ", "rounded",
        ],
    };
    let certainty = certainty_label(step.certainty, lang);
    writeln!(out, "{number}. {}", step.rule)?;
    writeln!(out, "   {source}  {} ({certainty})", step.source)?;
    for (index, (name, value)) in step.inputs.iter().enumerate() {
        let label = if index == 0 { inputs } else { none };
        writeln!(out, "   {label}  {name} = {value}")?;
    }
    writeln!(out, "   {formula}  {}", step.formula)?;
    writeln!(out, "   {exact}  {}", step.exact)?;
    if let Some(figure) = &step.rounded {
        write!(out, "   {rounded}  {figure}")?;
        match &step.rounding {
            Some(rounding) => writeln!(out, " ({})", rounding_label(rounding, lang))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// What a certainty is called.
#[must_use]
pub fn certainty_label(certainty: Certainty, lang: Lang) -> &'static str {
    match (lang, certainty) {
        (Lang::En, certainty) => certainty.name(),
        (Lang::Zh, Certainty::Certain) => "确定",
        (Lang::Zh, Certainty::Probable) => "很可能",
        (Lang::Zh, Certainty::Unsure) => "待核实",
        (Lang::Zh, Certainty::Illustrative) => "示例",
    }
}

/// What a rounding is called; a name that is not known stays as it is.
fn rounding_label(name: &str, lang: Lang) -> &str {
    match (lang, name) {
        (Lang::Zh, "half_up") => "四舍五入",
        (Lang::Zh, "half_even") => "四舍六入五成双",
        (Lang::Zh, "half_down") => "五舍六入",
        (Lang::Zh, "up") => "进位",
        (Lang::Zh, "down") => "截断",
        (Lang::Zh, "ceiling") => "向上取整",
        (Lang::Zh, "floor") => "向下取整",
        (Lang::En, "half_up") => "half up",
        (Lang::En, "half_even") => "half to even",
        (Lang::En, "half_down") => "half down",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        let inputs = [
            ("amount", "1000000.00 MYR"),
            ("rate", "0.59275 MYR"),
            ("unit", "1 CNY"),
        ];
        Trail(vec![
            Step {
                rule: "fx-conversion".into(),
                source: "central parity, 2025-07-16".into(),
                certainty: Certainty::Certain,
                inputs: inputs.map(|(name, text)| (name.into(), text.into())).into(),
                formula: "amount * unit / rate".into(),
                exact: "4000000000/2371 CNY".into(),
                rounded: Some("1687051.88 CNY".into()),
                rounding: Some("half_up".into()),
            },
            Step {
                rule: "share".into(),
                source: "an example".into(),
                certainty: Certainty::Illustrative,
                inputs: vec![("amount".into(), "1687051.88 CNY".into())],
                formula: "amount / 4".into(),
                exact: "421762.97 CNY".into(),
                rounded: None,
                rounding: None,
            },
        ])
    }

    #[test]
    fn steps_read_the_same_in_both_languages() {
        let english = "\
1. fx-conversion
   source   central parity, 2025-07-16 (certain)
   inputs   amount = 1000000.00 MYR
            rate = 0.59275 MYR
            unit = 1 CNY
   formula  amount * unit / rate
   exact    4000000000/2371 CNY
   rounded  1687051.88 CNY (half up)
2. share
   source   an example (illustrative)
   inputs   amount = 1687051.88 CNY
   formula  amount / 4
   exact    421762.97 CNY
";
        let chinese = "\
1. fx-conversion
   来源    central parity, 2025-07-16 (确定)
   输入    amount = 1000000.00 MYR
           rate = 0.59275 MYR
           unit = 1 CNY
   公式    amount * unit / rate
   精确值  4000000000/2371 CNY
   舍入    1687051.88 CNY (四舍五入)
2. share
   来源    an example (示例)
   输入    amount = 1687051.88 CNY
   公式    amount / 4
   精确值  421762.97 CNY
";
        assert_eq!(trail().render(Lang::En), english);
        assert_eq!(trail().render(Lang::Zh), chinese);
        assert_eq!(Trail::default().render(Lang::Zh), "");
        assert_eq!(
            trail()
                .replay()
                .map(|last| last.map(|figure| figure.to_string())),
            Ok(Some("421762.97".into()))
        );
    }

    #[test]
    fn languages_are_named_zh_and_en() {
        for lang in [Lang::Zh, Lang::En] {
            assert_eq!(lang.to_string().parse(), Ok(lang));
        }
        assert!("de".parse::<Lang>().is_err());
    }

    #[test]
    fn every_rounding_of_money_has_a_chinese_label() {
        for name in [
            "half_up",
            "half_even",
            "half_down",
            "up",
            "down",
            "ceiling",
            "floor",
        ] {
            assert_ne!(rounding_label(name, Lang::Zh), name);
        }
        assert_eq!(
            rounding_label("to_a_price_point", Lang::Zh),
            "to_a_price_point"
        );
    }
}
