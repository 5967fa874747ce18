//! Go templates, as ecschedule and ecspresso expand them before they read the text: `{{ must_env "X" }}`.
//!
//! An import has neither their environment nor their plugins, so each call becomes a marker, before the text is read:
//! templates may stand where YAML or JSON would not take them.

use std::collections::BTreeMap;

use ecs_etl_plan::normalise::secrets;
use ecs_etl_spec::fill_in;

/// A template, and the marker that stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What stood between the braces.
    pub call: String,
    /// What stands there now.
    pub marker: String,
}

/// Why templates cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A template that is no value.
    #[error(
        "line {line}: the template `{{{{ {word} … }}}}` decides what the text is; expand it first, and import the outcome"
    )]
    Control {
        /// Line it stands at.
        line: usize,
        /// Its first word.
        word: String,
    },
    /// Braces that do not close.
    #[error("line {line}: the template that begins here has no end")]
    Open {
        /// Line it stands at.
        line: usize,
    },
}

/// Words of Go's template language that are no functions.
const CONTROL: [&str; 11] =
    ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "return"];

/// Replaces every template by a marker; comments go.
///
/// # Errors
///
/// A template decides about the text itself, or has no end.
pub fn replace(text: &str) -> Result<(String, Vec<Template>), TemplateError> {
    let mut out = String::with_capacity(text.len());
    let mut templates: BTreeMap<String, Template> = BTreeMap::new();
    let mut line = 1;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        line += before.matches('\n').count();
        let Some((inner, after)) = after.split_once("}}") else { return Err(TemplateError::Open { line }) };
        let call = inner.trim_start_matches('-').trim_end_matches('-').trim();
        let word = call.split_whitespace().next().unwrap_or_default();
        if CONTROL.contains(&word) || call.starts_with('$') {
            return Err(TemplateError::Control { line, word: word.to_owned() });
        }
        if !call.starts_with("/*") {
            let call = discreet(call);
            let marker = fill_in::marker(&call.replace(['"', '`', '\'', '\\'], ""));
            out.push_str(&marker);
            templates.entry(marker.clone()).or_insert(Template { call, marker });
        }
        // Lines keep their numbers.
        let breaks = inner.matches('\n').count();
        out.push_str(&"\n".repeat(breaks));
        line += breaks;
        rest = after;
    }
    out.push_str(rest);
    Ok((out, templates.into_values().collect()))
}

/// A call as it may be shown: the default of a variable that looks secret is one, and markers reach logs.
fn discreet(call: &str) -> String {
    let bare = |word: &str| word.trim_matches(['"', '`', '\'', '\\']).to_owned();
    let mut words = call.splitn(3, char::is_whitespace);
    match (words.next(), words.next(), words.next()) {
        (Some("env"), Some(name), Some(default)) if secrets::is_secret(&bare(name), &bare(default)) => {
            format!("env {name} or a default")
        }
        (_, _, _) => call.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(replace(text).unwrap().0, expected);
    }

    #[test]
    fn a_call_becomes_a_marker_that_names_it() {
        check("a: {{ must_env \"X\" }}", "a: FILL_IN(must_env X)");
        check("a: {{ env `X` `de fault` }}", "a: FILL_IN(env X de fault)");
        check("[{{tfstate `aws_subnet.a['x'].id`}}, b]", "[FILL_IN(tfstate aws_subnet.a_x_.id), b]");
        check("\"img:{{ must_env \\\"TAG\\\" }}\"", "\"img:FILL_IN(must_env TAG)\"");
        check("a{{- /* note */ -}}b", "ab");
    }

    #[test]
    fn a_default_that_looks_secret_is_not_repeated() {
        check("a: {{ env `DB_PASSWORD` `swordfish` }}", "a: FILL_IN(env DB_PASSWORD or a default)");
        let (_, templates) = replace("{{ env \"API_TOKEN\" \"sword fish\" }}").unwrap();
        assert_eq!(templates[0].call, "env \"API_TOKEN\" or a default");
    }

    #[test]
    fn each_call_is_told_once_as_it_was_written() {
        let (_, templates) = replace("{{ must_env `A` }} {{ must_env `B` }} {{ must_env `A` }}").unwrap();
        let calls: Vec<&str> = templates.iter().map(|template| template.call.as_str()).collect();
        assert_eq!(calls, ["must_env `A`", "must_env `B`"]);
    }

    #[test]
    fn what_decides_about_the_text_is_refused() {
        for (text, line) in [("a\n{{ if eq 1 1 }}x{{ end }}", 2), ("{{- range .X }}", 1), ("{{ $x := 1 }}", 1)] {
            assert!(matches!(replace(text), Err(TemplateError::Control { line: at, .. }) if at == line), "{text}");
        }
        assert_eq!(replace("a: {{ must_env"), Err(TemplateError::Open { line: 1 }));
    }
}
