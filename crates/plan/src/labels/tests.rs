#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;
use crate::tags::{LABELS, Tags, label_list};

fn labels(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    pairs.filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// What AWS holds of a job with these labels.
fn tagged(text: &str) -> Tags {
    let mut tags = labels(text);
    if let Some(list) = label_list(tags.keys()) {
        tags.insert(LABELS.to_owned(), list);
    }
    tags.insert("ecs-etl/job".to_owned(), "j".to_owned());
    tags
}

#[test]
fn selectors_select_as_kubectl_does() {
    for (selector, selected, others) in [
        ("team=data", &["team=data", "team=data,stage=prod"][..], &["", "team=web", "Team=data"][..]),
        ("team==data", &["team=data"], &[""]),
        ("team!=data", &["", "team=web"], &["team=data"]),
        ("team in (a, b)", &["team=a", "team=b"], &["", "team=c"]),
        ("team notin (a,b)", &["", "team=c"], &["team=a", "team=b"]),
        ("team", &["team=a", "team="], &["", "teams=a"]),
        ("!team", &["", "teams=a"], &["team=a"]),
        ("! team", &[""], &["team=a"]),
        ("team=", &["team="], &["", "team=a"]),
        ("team in (a),stage!=prod", &["team=a", "team=a,stage=test"], &["team=a,stage=prod", "stage=test"]),
        ("in in (in)", &["in=in"], &["in=out"]),
        ("example.com/team=data-1_2", &["example.com/team=data-1_2"], &[""]),
    ] {
        let parsed: LabelSelector = selector.parse().unwrap();
        for of in selected {
            assert!(parsed.selects(&labels(of)), "{selector} of {of:?}");
            assert_eq!(parsed.judge(&tagged(of)), Belongs::Yes, "{selector} of {of:?}");
        }
        for of in others {
            assert!(!parsed.selects(&labels(of)), "{selector} of {of:?}");
            assert_eq!(parsed.judge(&tagged(of)), Belongs::No, "{selector} of {of:?}");
        }
        assert_eq!(parsed.to_string().parse::<LabelSelector>().unwrap(), parsed, "{selector}");
    }
}

#[test]
fn an_error_shows_where_and_what_was_meant() {
    for (selector, words) in [
        ("", "expected a label, such as `team=data`, `team in (a,b)` or `!team`\n  \n  ^"),
        ("team=a,", "expected a label, such as `team=data`, `team in (a,b)` or `!team`\n  team=a,\n         ^"),
        ("=a", "expected a label, such as `team=data`, `team in (a,b)` or `!team`\n  =a\n  ^"),
        ("team in a", "expected `(` and a list of values, such as `team in (a,b)`\n  team in a\n          ^"),
        ("team in (a", "expected `,` or `)`\n  team in (a\n            ^"),
        ("team in (a;b)", "expected `,` or `)`\n  team in (a;b)\n            ^"),
        (
            "team IN (a)",
            "expected `=`, `!=`, `in (…)`, `notin (…)` or a comma; did you mean `in`?\n  team IN (a)\n       ^",
        ),
        (
            "team not in (a)",
            "expected `=`, `!=`, `in (…)`, `notin (…)` or a comma; did you mean `notin`?\n  team not in (a)\n       ^",
        ),
        ("team=a stage=b", "expected a comma, or the end\n  team=a stage=b\n         ^"),
    ] {
        let error = selector.parse::<LabelSelector>().unwrap_err();
        assert_eq!(error.to_string(), words, "{selector:?}");
    }
}

#[test]
fn what_somebody_did_to_the_tags_leaves_the_question_open() {
    let team: LabelSelector = "team=data".parse().unwrap();
    let mut lost = tagged("team=data");
    lost.remove("team");
    assert!(matches!(team.judge(&lost), Belongs::Unknown(why) if why.contains("`team`")));

    // A tag that is on no list of ours may be a stranger's, or the list may have been taken off.
    let mut unlisted = tagged("team=data");
    unlisted.remove(LABELS);
    assert!(matches!(team.judge(&unlisted), Belongs::Unknown(_)));

    // With this value it is not of the shard, whoever wrote it.
    unlisted.insert("team".to_owned(), "web".to_owned());
    assert_eq!(team.judge(&unlisted), Belongs::No);
}

#[test]
fn one_requirement_that_does_not_hold_is_enough() {
    let both: LabelSelector = "team=data,stage=prod".parse().unwrap();
    let mut tags = tagged("team=data,stage=test");
    tags.remove("team");
    assert_eq!(both.judge(&tags), Belongs::No);
}

#[test]
fn witnesses_must_agree() {
    let unknown = || Belongs::Unknown("why".to_owned());
    assert_eq!(Belongs::agreed([], "split"), None);
    assert_eq!(Belongs::agreed([Belongs::Yes, Belongs::Yes], "split"), Some(Belongs::Yes));
    assert_eq!(Belongs::agreed([Belongs::No, Belongs::Yes], "split"), Some(Belongs::Unknown("split".to_owned())));
    assert_eq!(Belongs::agreed([unknown(), Belongs::No], "split"), Some(unknown()));
    assert_eq!(unknown().and(Belongs::No), Belongs::No);
    assert_eq!(unknown().and(Belongs::Yes), unknown());
}

fn any_selector() -> impl Strategy<Value = String> {
    let key = "[ab]";
    let value = "[xyz]?";
    let one = prop_oneof![
        (key, value).prop_map(|(key, value)| format!("{key}={value}")),
        (key, value).prop_map(|(key, value)| format!("{key}!={value}")),
        (key, value, value).prop_map(|(key, one, other)| format!("{key} in ({one},{other})")),
        (key, value, value).prop_map(|(key, one, other)| format!("{key} notin ({one},{other})")),
        key.prop_map(|key| key),
        key.prop_map(|key| format!("!{key}")),
    ];
    prop::collection::vec(one, 1..4).prop_map(|all| all.join(","))
}

proptest! {
    /// What AWS holds of a job says the same of it as its manifest, and what a stranger adds never turns that round.
    #[test]
    fn tags_say_what_labels_say(
        selector in any_selector(),
        labels in prop::collection::btree_map("[ab]", "[xyz]?", 0..3),
        strangers in prop::collection::btree_map("[ab]", "[xyz]?", 0..3),
    ) {
        let selector: LabelSelector = selector.parse().unwrap();
        let said = if selector.selects(&labels) { Belongs::Yes } else { Belongs::No };
        let mut tags: Tags = labels.clone();
        if let Some(list) = label_list(labels.keys()) {
            tags.insert(LABELS.to_owned(), list);
        }
        prop_assert_eq!(selector.judge(&tags), said.clone());
        for (key, value) in strangers {
            tags.entry(key).or_insert(value);
        }
        let judged = selector.judge(&tags);
        prop_assert!(judged == said || matches!(judged, Belongs::Unknown(_)), "{:?} but {:?}", judged, said);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place_in_it(text in "[a-c=!,() ]{0,12}|.{0,8}") {
        if let Err(error) = text.parse::<LabelSelector>() {
            prop_assert!(error.to_string().ends_with('^'));
        }
    }
}
