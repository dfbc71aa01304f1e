//! Texts that a pattern of rules or of a profile finds.

use crate::random::Random;

/// How deep groups may stand in each other.
const DEEPEST: usize = 16;
/// Longest text made, in characters.
const LONGEST: usize = 200;

/// A pattern of simple pieces: characters, classes, groups, alternatives, repetitions.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    root: Node,
    has_group: bool,
}

#[derive(Clone, Debug)]
enum Node {
    /// One character of these ranges.
    One(Vec<(char, char)>),
    All(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u32, u32),
    /// The first group, which is what a pattern finds.
    Held(Box<Node>),
}

impl Shape {
    /// Takes a pattern apart; `None` if it has a piece that is not simple.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser {
            chars: text.chars().collect(),
            at: 0,
            groups: 0,
        };
        let root = parser.either(0)?;
        (parser.at == parser.chars.len()).then_some(Self {
            root,
            has_group: parser.groups > 0,
        })
    }

    /// A text of this shape. With `held`, the first group (or all, if there is no group) is that text.
    pub(crate) fn text(&self, random: &mut Random, held: Option<&str>) -> Option<String> {
        if let (Some(held), false) = (held, self.has_group) {
            return Some(held.to_owned());
        }
        let mut out = String::new();
        write(&self.root, random, held, &mut out)?;
        Some(out)
    }
}

fn write(node: &Node, random: &mut Random, held: Option<&str>, out: &mut String) -> Option<()> {
    if out.len() > LONGEST {
        return None;
    }
    match node {
        Node::One(ranges) => {
            let (from, to) = *random.pick(ranges)?;
            let code = random.between(i64::from(u32::from(from)), i64::from(u32::from(to)));
            out.push(u32::try_from(code).ok().and_then(char::from_u32)?);
        }
        Node::All(nodes) => {
            for node in nodes {
                write(node, random, held, out)?;
            }
        }
        Node::Either(nodes) => write(random.pick(nodes)?, random, held, out)?,
        Node::Repeat(node, least, most) => {
            // what holds the group must be there
            let least = (*least).max(u32::from(held.is_some() && holds(node)));
            let times = random.between(i64::from(least), i64::from((*most).max(least)));
            for _ in 0..times {
                write(node, random, held, out)?;
            }
        }
        Node::Held(node) => match held {
            Some(text) => out.push_str(text),
            None => write(node, random, held, out)?,
        },
    }
    Some(())
}

fn holds(node: &Node) -> bool {
    match node {
        Node::One(_) => false,
        Node::All(nodes) | Node::Either(nodes) => nodes.iter().any(holds),
        Node::Repeat(node, ..) => holds(node),
        Node::Held(_) => true,
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    groups: u32,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let is_there = self.peek() == Some(c);
        self.at += usize::from(is_there);
        is_there
    }

    fn either(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let mut ways = vec![self.all(depth)?];
        while self.eat('|') {
            ways.push(self.all(depth)?);
        }
        match ways.len() {
            1 => ways.pop(),
            _ => Some(Node::Either(ways)),
        }
    }

    fn all(&mut self, depth: usize) -> Option<Node> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek()
            && c != '|'
            && c != ')'
        {
            if let Some(node) = self.piece(depth)? {
                nodes.push(self.repeated(node)?);
            }
        }
        Some(Node::All(nodes))
    }

    /// The outer `None`: not simple; the inner one: a place, which takes no character.
    fn piece(&mut self, depth: usize) -> Option<Option<Node>> {
        let one = |c: char| Some(Some(Node::One(vec![(c, c)])));
        match self.next()? {
            '^' | '$' => Some(None),
            '.' => Some(Some(Node::One(vec![('a', 'z'), ('0', '9')]))),
            '[' => self.class().map(|ranges| Some(Node::One(ranges))),
            '(' => self.group(depth).map(Some),
            '\\' => match self.next()? {
                'b' | 'A' | 'z' => Some(None),
                c => self.escaped(c).map(|ranges| Some(Node::One(ranges))),
            },
            '*' | '+' | '?' | '{' => None,
            c => one(c),
        }
    }

    fn escaped(&self, c: char) -> Option<Vec<(char, char)>> {
        Some(match c {
            'd' => vec![('0', '9')],
            'w' => vec![('A', 'Z'), ('0', '9')],
            's' => vec![(' ', ' ')],
            'D' | 'S' => vec![('A', 'Z')],
            'W' => vec![('-', '-')],
            c if !c.is_alphanumeric() => vec![(c, c)],
            _ => return None,
        })
    }

    fn group(&mut self, depth: usize) -> Option<Node> {
        let mut is_counted = true;
        if self.eat('?') {
            if self.eat(':') {
                is_counted = false;
            } else {
                self.eat('P');
                if !self.eat('<') {
                    return None;
                }
                while self.next()? != '>' {}
            }
        }
        self.groups += u32::from(is_counted);
        let is_first = is_counted && self.groups == 1;
        let node = self.either(depth + 1)?;
        if !self.eat(')') {
            return None;
        }
        Some(if is_first {
            Node::Held(Box::new(node))
        } else {
            node
        })
    }

    fn class(&mut self) -> Option<Vec<(char, char)>> {
        let is_negated = self.eat('^');
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            let from = match self.next()? {
                ']' if !is_first => break,
                '[' | '&' | '~' => return None,
                '\\' => {
                    let c = self.next()?;
                    let several = self.escaped(c)?;
                    match several[..] {
                        [(from, to)] if from == to => from,
                        _ => {
                            ranges.extend(several);
                            is_first = false;
                            continue;
                        }
                    }
                }
                c => c,
            };
            is_first = false;
            let is_range =
                self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|&c| c != ']');
            if !is_range {
                ranges.push((from, from));
                continue;
            }
            self.at += 1;
            let to = match self.next()? {
                '\\' => return None,
                to => to,
            };
            if to < from {
                return None;
            }
            ranges.push((from, to));
        }
        if is_negated {
            let is_free = |c: &char| !ranges.iter().any(|(from, to)| (from..=to).contains(&c));
            ranges = ('0'..='9')
                .chain('A'..='Z')
                .filter(is_free)
                .map(|c| (c, c))
                .collect();
        }
        (!ranges.is_empty()).then_some(ranges)
    }

    fn repeated(&mut self, node: Node) -> Option<Node> {
        let (least, most) = match self.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, 2),
            Some('+') => (1, 3),
            Some('{') => {
                self.at += 1;
                let least = self.number()?;
                let most = if !self.eat(',') {
                    least
                } else if self.peek() == Some('}') {
                    least + 2
                } else {
                    self.number()?
                };
                if self.peek() != Some('}') || most < least {
                    return None;
                }
                (least, most)
            }
            _ => return Some(node),
        };
        self.at += 1;
        self.eat('?'); // as few as may be: the text is the same
        Some(Node::Repeat(Box::new(node), least, most))
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            let so_far: u32 = value.unwrap_or(0) * 10 + digit;
            if so_far > LONGEST as u32 {
                return None;
            }
            value = Some(so_far);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use quanfu_settlement::rules::Pattern;

    use super::*;

    #[test]
    fn every_text_is_found_by_its_pattern_and_holds_what_it_should() {
        for (pattern, held) in [
            (r"M\d{7}", Some("M0123456")),
            ("MCH([0-9]{10})", Some("1900000101")),
            (
                r"^(?:order|ref)[:# ]?\s*([A-Z]{2}\d{4,6})\b",
                Some("AB12345"),
            ),
            (r"(?P<no>[^a-z]{3})-x+", Some("1A2")),
            (r"a(b|cd)?e{2,}", None),
            (r"\(\d+\)[\d\-/]{3}", None),
            (r"净额结算 (M[0-9]{7})", Some("M7654321")),
            ("ref(?: no ([0-9]{3}))?", Some("123")),
        ] {
            let shape = Shape::parse(pattern).expect(pattern);
            let found = Pattern::new(pattern).expect(pattern);
            for seed in 0..200 {
                let mut random = Random::new(seed);
                let text = shape.text(&mut random, None).expect(pattern);
                assert!(found.find(&text).is_some(), "{pattern}: {text}");
                if let Some(held) = held {
                    let text = shape.text(&mut random, Some(held)).expect(pattern);
                    assert_eq!(found.find(&text), Some(held), "{pattern}: {text}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_simple_is_refused() {
        for pattern in ["(?i)a", "[[:digit:]]", r"\p{Han}", r"\x41", "[a-z&&[^b]]"] {
            assert!(Shape::parse(pattern).is_none(), "{pattern}");
        }
    }
}
