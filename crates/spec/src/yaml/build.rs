//! From parser events to the tree, with aliases replayed and merge keys applied, within the budgets.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{BufferedInput, Event, Parser, ScalarStyle, Span, Tag};

use super::lines::Lines;
use super::meter::{Meter, Metered};
use super::node::{Entry, Mark, Node, Value};
use super::read::{Fault, Limits};
use super::{scalar, shown};

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Its documents up to the fault, empty ones left out.
    pub documents: Vec<Document>,
    /// Why the rest could not be read.
    pub fault: Option<Fault>,
}

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its value.
    pub root: Node,
    /// What YAML allows to be read but not to be used, in the order written.
    pub problems: Vec<Problem>,
}

/// A key written twice, a tag that means nothing here, or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub at: Mark,
    /// Keys from the root to it.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A list or mapping that has begun and not ended.
enum Open {
    Sequence {
        at: Mark,
        anchor: usize,
        tag: Option<String>,
        items: Vec<Node>,
    },
    Mapping {
        at: Mark,
        anchor: usize,
        tag: Option<String>,
        map: BTreeMap<String, Entry>,
        merges: Vec<(Mark, Node)>,
        key: Option<Key>,
    },
}

/// A key whose value is still to come.
struct Key {
    name: String,
    at: Mark,
    role: Role,
}

/// What becomes of a key's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It goes under the key.
    Field,
    /// The key is `<<`: what it holds goes beside it.
    Merge,
    /// The key is none; that was reported, and the value is dropped.
    None,
}

/// An anchored value, with what a replay of it costs.
struct Anchored {
    node: Node,
    nodes: usize,
    text: usize,
}

/// What becomes of tags that YAML does not know, such as `!Ref`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// They mean nothing: a problem, and the value is taken without.
    Refused,
    /// The value is wrapped in a mapping with the tag as its one key, `!Ref x` as `{"!Ref": x}`.
    Kept,
}

/// Builds the tree of one file.
pub struct Builder<'t> {
    limits: Limits,
    tags: Tags,
    text: &'t str,
    lines: Lines,
    parser: Parser<'t, BufferedInput<Metered<'t>>>,
    meter: Rc<Meter>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    bytes: usize,
    /// Where the event before ended.
    last: Mark,
    problems: Vec<Problem>,
    documents: Vec<Document>,
}

/// Problems kept per document: enough to mend a file, too few to fill a log.
const MOST_PROBLEMS: usize = 50;

impl<'t> Builder<'t> {
    /// A builder for a file's text.
    pub fn new(file: u32, text: &'t str, limits: Limits, tags: Tags) -> Self {
        let meter = Rc::new(Meter::default());
        let lines = Lines::new(file, text);
        Self {
            limits,
            tags,
            text,
            last: lines.mark(0),
            lines,
            parser: Parser::new_from_iter(Metered::new(text, Rc::clone(&meter))),
            meter,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            bytes: 0,
            problems: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// Runs to the end or to the first fault.
    pub fn run(mut self) -> Stream {
        while let Some(event) = self.parser.next_event() {
            let step = match event {
                // What the parser makes of a text that was cut short means nothing.
                _ if self.meter.exceeded() => Err(self.too_long()),
                Ok((event, span)) => self.event(event, span),
                Err(error) => Err(self.syntax(&error)),
            };
            if let Err(fault) = step {
                return Stream { documents: self.documents, fault: Some(fault) };
            }
        }
        Stream { documents: self.documents, fault: None }
    }

    fn too_long(&self) -> Fault {
        let at = self.last;
        let message = "what begins here is too long, or its brackets are nested too deep, for a manifest".to_owned();
        Fault { at, message, help: None }
    }

    fn event(&mut self, event: Event<'t>, span: Span) -> Result<(), Fault> {
        let at = self.lines.mark(span.start.index());
        self.meter.event();
        self.last = self.lines.mark(span.end.index());
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.problems.clear();
                if self.documents.len() >= self.limits.documents {
                    return Err(fault(at, format!("more than {} documents in one file", self.limits.documents)));
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(at, anchor),
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(at, 1, text.len())?;
                if style == ScalarStyle::Plain && text == "<<" && self.awaits_key() {
                    self.set_key(at, text.into_owned(), Role::Merge);
                    return Ok(());
                }
                let kept = self.kept(tag.as_deref());
                let value = match &kept {
                    Some(_) => Value::String(text.into_owned()),
                    None => self.scalar(at, text.into_owned(), style, tag.as_deref()),
                };
                let node = self.tagged(Node { at, value }, kept)?;
                self.finish(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                let tag = self.begin(at, tag.as_deref(), "seq")?;
                self.open.push(Open::Sequence { at, anchor, tag, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                let tag = self.begin(at, tag.as_deref(), "map")?;
                let map = BTreeMap::new();
                self.open.push(Open::Mapping { at, anchor, tag, map, merges: Vec::new(), key: None });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Sequence { at, anchor, tag, items }) => {
                    let node = self.tagged(Node { at, value: Value::Sequence(items) }, tag)?;
                    self.finish(node, anchor)
                }
                Some(Open::Mapping { at, anchor, tag, mut map, merges, key: _ }) => {
                    for (_, merge) in merges {
                        self.merge(&mut map, merge);
                    }
                    let node = self.tagged(Node { at, value: Value::Mapping(map) }, tag)?;
                    self.finish(node, anchor)
                }
                None => Ok(()),
            },
        }
    }

    /// Begins a list or mapping; gives the tag that it is to be wrapped in.
    fn begin(&mut self, at: Mark, tag: Option<&Tag>, core: &str) -> Result<Option<String>, Fault> {
        self.spend(at, 1, 0)?;
        let kept = self.kept(tag);
        let known = |tag: &&Tag| tag.is_yaml_core_schema() && tag.suffix == core;
        if let (Some(tag), None) = (tag.filter(|tag| !known(tag)), &kept) {
            self.unknown_tag(at, tag);
        }
        if self.open.len() >= self.limits.depth {
            return Err(fault(at, format!("nested more than {} levels deep", self.limits.depth)));
        }
        Ok(kept)
    }

    /// The tag as it is written, if such tags are kept.
    fn kept(&self, tag: Option<&Tag>) -> Option<String> {
        let local = |tag: &&Tag| tag.handle == "!" && !tag.suffix.is_empty();
        tag.filter(local).filter(|_| self.tags == Tags::Kept).map(|tag| format!("!{}", tag.suffix))
    }

    /// Wraps a value in the tag that was kept for it.
    fn tagged(&mut self, node: Node, tag: Option<String>) -> Result<Node, Fault> {
        let Some(tag) = tag else { return Ok(node) };
        let at = node.at;
        self.spend(at, 2, tag.len())?;
        let value = Value::Mapping(BTreeMap::from([(tag, Entry { key_at: at, node })]));
        Ok(Node { at, value })
    }

    fn alias(&mut self, at: Mark, anchor: usize) -> Result<(), Fault> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(fault(at, "the anchor of this alias is not complete in this document".to_owned()));
        };
        let (nodes, text) = (anchored.nodes, anchored.text);
        if self.nodes + nodes > self.limits.nodes || self.bytes + text > self.limits.text {
            return Err(fault(at, "aliases repeat more than a manifest may hold".to_owned()));
        }
        let node = anchored.node.clone();
        self.spend(at, nodes, text)?;
        self.finish(node, 0)
    }

    fn spend(&mut self, at: Mark, nodes: usize, text: usize) -> Result<(), Fault> {
        self.nodes += nodes;
        self.bytes += text;
        if self.nodes > self.limits.nodes {
            return Err(fault(at, format!("more than {} values in one file", self.limits.nodes)));
        }
        if self.bytes > self.limits.text {
            return Err(fault(at, format!("more than {} bytes of text in one file", self.limits.text)));
        }
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            let (nodes, text) = (node.count(), node.text_bytes());
            // The copy kept for replays is paid for like any other.
            self.spend(node.at, nodes, text)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, text });
        }
        match self.open.last_mut() {
            None => {
                let problems = std::mem::take(&mut self.problems);
                if !node.is_null() {
                    self.documents.push(Document { root: node, problems });
                }
            }
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { key, map, merges, .. }) => match key.take() {
                None => self.key(node),
                Some(key) => match key.role {
                    Role::Merge => merges.push((key.at, node)),
                    Role::None => {}
                    Role::Field => {
                        map.entry(key.name).or_insert(Entry { key_at: key.at, node });
                    }
                },
            },
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Mapping { key: None, .. }))
    }

    fn key(&mut self, node: Node) {
        let at = node.at;
        let kind = node.value.kind();
        let help = match node.value {
            Value::String(name) | Value::Open { shown: name, .. } => return self.set_key(at, name, Role::Field),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some("put it in quotes".to_owned()),
            Value::Sequence(_) | Value::Mapping(_) => None,
        };
        self.problem(at, String::new(), format!("a key must be a string, this is {kind}"), help);
        self.set_key(at, String::new(), Role::None);
    }

    fn set_key(&mut self, at: Mark, name: String, role: Role) {
        let Some(Open::Mapping { map, merges, key, .. }) = self.open.last_mut() else { return };
        let first = match role {
            Role::Field => map.get(&name).map(|first| first.key_at),
            Role::Merge => merges.first().map(|(at, _)| *at),
            Role::None => None,
        };
        *key = Some(Key { name: name.clone(), at, role });
        if let Some(first) = first {
            let message =
                format!("the key `{}` is here twice; the first is at {}:{}", shown(&name), first.line, first.column);
            self.problem(at, name, message, None);
        }
    }

    /// Adds what `<<` brings in and the mapping does not say itself; of several, the earlier wins.
    fn merge(&mut self, map: &mut BTreeMap<String, Entry>, merge: Node) {
        match merge.value {
            Value::Mapping(entries) => {
                for (name, entry) in entries {
                    map.entry(name).or_insert(entry);
                }
            }
            Value::Sequence(items) if items.iter().all(|item| item.mapping().is_some()) => {
                for item in items {
                    self.merge(map, item);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Open { .. }
            | Value::Sequence(_) => {
                let message = "`<<` takes a mapping or a list of mappings".to_owned();
                self.problem(merge.at, "<<".to_owned(), message, None);
            }
        }
    }

    fn scalar(&mut self, at: Mark, text: String, style: ScalarStyle, tag: Option<&Tag>) -> Value {
        let Some(tag) = tag else {
            return if style == ScalarStyle::Plain { scalar::resolve(&text) } else { Value::String(text) };
        };
        if !tag.is_yaml_core_schema() {
            // A lone `!` says: not resolved, so text.
            if !(tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty()) {
                self.unknown_tag(at, tag);
            }
            return Value::String(text);
        }
        let value = scalar::resolve(&text);
        match (tag.suffix.as_str(), value) {
            ("str", _) => Value::String(text),
            ("null", Value::Null) => Value::Null,
            ("bool", Value::Bool(value)) => Value::Bool(value),
            ("int", Value::Int(value)) => Value::Int(value),
            ("float", Value::Float(value)) => Value::Float(value),
            #[expect(clippy::cast_precision_loss, reason = "`!!float 1` asks for exactly this")]
            ("float", Value::Int(value)) => Value::Float(value as f64),
            (suffix, _) => {
                let message = format!("`!!{}` does not fit this value", shown(suffix));
                self.problem(at, String::new(), message, None);
                Value::String(text)
            }
        }
    }

    fn unknown_tag(&mut self, at: Mark, tag: &Tag) {
        let message = format!("the tag `{}{}` means nothing here", shown(&tag.handle), shown(&tag.suffix));
        self.problem(at, String::new(), message, Some("remove it".to_owned()));
    }

    fn problem(&mut self, at: Mark, key: String, message: String, help: Option<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            let path = self.path(&key);
            self.problems.push(Problem { at, path, message, help });
        }
    }

    /// The path to what is being read, `key` being the last part where there is none yet.
    fn path(&self, key: &str) -> String {
        let mut path = String::new();
        for (depth, open) in self.open.iter().enumerate() {
            match open {
                Open::Sequence { items, .. } => path.push_str(&format!("[{}]", items.len())),
                Open::Mapping { key: pending, .. } => {
                    let innermost = depth + 1 == self.open.len();
                    let name = match pending {
                        Some(pending) => pending.name.as_str(),
                        None if innermost => key,
                        None => "",
                    };
                    if !name.is_empty() {
                        crate::path::push_key(&mut path, name);
                    }
                }
            }
        }
        path
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> Fault {
        let at = self.lines.mark(error.marker().index());
        let line = self.text.split('\n').nth((at.line as usize).saturating_sub(1)).unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        let tab = line.get(..indent).is_some_and(|blank| blank.contains('\t'));
        Fault {
            at,
            message: format!("not YAML: {}", super::shown_up_to(error.info(), 200)),
            help: tab.then(|| "this line is indented with a tab; YAML wants spaces".to_owned()),
        }
    }
}

fn fault(at: Mark, message: String) -> Fault {
    Fault { at, message, help: None }
}
