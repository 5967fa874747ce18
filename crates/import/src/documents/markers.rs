//! Markers of a document, each as a finding.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::fill_in;
use serde_json::Value as Json;

use super::Draft;
use crate::finding::Kind;
use crate::write::below;

/// Says of every marker in a draft what is wanted there, unless that was said already.
pub(super) fn find(draft: &mut Draft, templates: &BTreeMap<String, String>) {
    let mut found = Vec::new();
    look(&draft.value, String::new(), &mut found);
    let said: BTreeSet<String> = (draft.findings.iter())
        .filter(|finding| finding.kind == Kind::FillIn)
        .filter_map(|finding| finding.path.clone())
        .collect();
    for (path, text) in found.into_iter().filter(|(path, _)| !said.contains(path)) {
        let wanted: Vec<String> = fill_in::wanted(&text).map(|wanted| in_words(wanted, templates)).collect();
        draft.find(Kind::FillIn, wanted.join(", "), "put the value in place of FILL_IN(…)", &path);
    }
}

/// What a marker wants; of a template, as it was written.
fn in_words(wanted: &str, templates: &BTreeMap<String, String>) -> String {
    match templates.get(&fill_in::marker(wanted)) {
        Some(call) => format!("the source has the template `{{{{ {call} }}}}` here"),
        None => wanted.to_owned(),
    }
}

fn look(value: &Json, path: String, found: &mut Vec<(String, String)>) {
    match value {
        Json::String(text) if fill_in::is_open(text) => found.push((path, text.clone())),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| look(item, format!("{path}[{index}]"), found));
        }
        Json::Object(map) => map.iter().for_each(|(key, value)| look(value, below(&path, key), found)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
