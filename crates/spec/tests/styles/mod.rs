//! One value in as many ways of writing it as YAML has.

use serde_json::{Map, Value};

/// Chooses a way at every turn, the same for the same choices.
pub struct Style {
    choices: Vec<u16>,
    next: usize,
    /// Texts that were given an anchor, by its number.
    anchors: Vec<String>,
}

impl Style {
    /// A style of these choices, of which there must be one at least.
    pub fn new(choices: Vec<u16>) -> Self {
        Self { choices, next: 0, anchors: Vec::new() }
    }

    /// Writes a document.
    pub fn document(mut self, value: &Value) -> String {
        let start = ["", "---\n", "# a comment\n---\n", "\u{feff}", "%YAML 1.2\n---\n"][self.choose(5)];
        let body = self.block(value, 0);
        let end = ["", "...\n", "# the end\n", "\n\n"][self.choose(4)];
        let text = format!("{start}{}{end}", body.trim_start_matches('\n'));
        if self.choose(4) == 0 { text.replace('\n', "\r\n") } else { text }
    }

    fn choose(&mut self, count: usize) -> usize {
        let choice = usize::from(self.choices[self.next % self.choices.len()]);
        let turn = self.next / self.choices.len();
        self.next += 1;
        (choice + turn * 13) % count
    }

    /// Members in another order.
    fn turned<'v>(&mut self, members: &'v Map<String, Value>) -> Vec<(&'v String, &'v Value)> {
        let mut members: Vec<_> = members.iter().collect();
        for index in (1..members.len()).rev() {
            members.swap(index, self.choose(index + 1));
        }
        members
    }

    /// A value after its key or dash, from where that ends to the end of its last line.
    fn block(&mut self, value: &Value, indent: usize) -> String {
        match value {
            Value::Object(members) if !members.is_empty() && self.choose(3) > 0 => {
                let anchor = self.idle_anchor();
                let mut text = format!("{anchor}\n");
                for (name, value) in self.turned(members) {
                    text += &self.comment(indent);
                    let key = self.key(name);
                    text += &format!("{}{key}:{}", " ".repeat(indent), self.block(value, indent + 2));
                }
                text
            }
            Value::Array(items) if !items.is_empty() && self.choose(3) > 0 => {
                let mut text = "\n".to_owned();
                for item in items {
                    text += &self.comment(indent);
                    text += &format!("{}-{}", " ".repeat(indent), self.block(item, indent + 2));
                }
                text
            }
            Value::String(text) if self.is_for_a_block(text) && self.choose(2) == 0 => {
                let style = ["|-", ">-"][self.choose(2)];
                format!(" {style}\n{}{text}\n", " ".repeat(indent + 2))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                let comment = ["", " # so", "  "][self.choose(3)];
                format!(" {}{comment}\n", self.flow(value))
            }
        }
    }

    /// A value on one line.
    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let entries = self.turned(members).into_iter().map(|(name, value)| {
                    let key = self.key(name);
                    format!("{key}: {}", self.flow(value))
                });
                let entries: Vec<String> = entries.collect();
                let blank = ["", " "][self.choose(2)];
                format!("{{{blank}{}{blank}}}", entries.join(" , "))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                let end = if items.is_empty() { "" } else { ["", " ,"][self.choose(2)] };
                format!("[{}{end}]", items.join([" , ", " ,   "][self.choose(2)]))
            }
            Value::String(text) => self.anchored(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        }
    }

    /// A text, given an anchor or taken from one.
    fn anchored(&mut self, text: &str) -> String {
        if let Some(number) = self.anchors.iter().position(|known| known == text) {
            return format!("*a{number}");
        }
        if self.choose(6) == 0 {
            self.anchors.push(text.to_owned());
            return format!("&a{} {}", self.anchors.len() - 1, self.scalar(text));
        }
        self.scalar(text)
    }

    /// An anchor that nothing refers to.
    fn idle_anchor(&mut self) -> &'static str {
        ["", "", "", " &idle"][self.choose(4)]
    }

    fn key(&mut self, name: &str) -> String {
        self.scalar(name)
    }

    fn scalar(&mut self, text: &str) -> String {
        match self.choose(4) {
            0 | 1 if is_plain(text) => text.to_owned(),
            2 if !text.contains(|c: char| c.is_control() || c == '\u{2028}') => {
                format!("'{}'", text.replace('\'', "''"))
            }
            3 => ["!!str ", ""][self.choose(2)].to_owned() + &Value::from(text).to_string(),
            _ => Value::from(text).to_string(),
        }
    }

    fn comment(&mut self, indent: usize) -> String {
        let blank = " ".repeat(indent);
        [String::new(), String::new(), format!("{blank}# key: [value\n"), "\n".to_owned()][self.choose(4)].clone()
    }

    /// Whether a text block of one line is this text and no other.
    fn is_for_a_block(&self, text: &str) -> bool {
        !text.is_empty() && text.trim() == text && !text.contains(|c: char| c.is_control() || c == '\u{2028}')
    }
}

/// A text that needs no quotes anywhere: it begins with a letter, holds nothing that YAML reads, and is no word of its own.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}
