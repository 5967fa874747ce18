#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::collections::BTreeSet;
use std::path::Path;

use ecs_etl_spec::shapes::members::Kind;

use super::*;

/// Members that the rules of `tables` reach from `root` and that no row names.
fn without_rule(tables: &Tables, root: &'static str) -> Vec<String> {
    let (mut missing, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![root]);
    while let Some(structure) = next.pop() {
        if !seen.insert(structure) {
            continue;
        }
        for member in tables.members(structure) {
            match tables.rule(structure, member.member) {
                None => missing.push(format!("{structure}.{}", member.member)),
                // Nothing within is looked at.
                Some(Rule::Verbatim) => {}
                Some(_) => next.extend(member.kind.structure()),
            }
        }
    }
    missing
}

#[test]
fn every_member_of_the_service_model_has_a_rule() {
    assert_eq!(without_rule(&ECS, "TaskDefinition"), Vec::<String>::new());
    assert_eq!(without_rule(&ECS, "TaskOverride"), Vec::<String>::new());
    assert_eq!(without_rule(&EVENTS, "Target"), Vec::<String>::new());
    assert_eq!(without_rule(&EVENTS, "Rule"), Vec::<String>::new());
}

#[test]
fn every_row_names_members_that_are_there_and_have_the_type_of_its_rule() {
    for tables in [&*ECS, &*EVENTS] {
        let mut seen = BTreeSet::new();
        for row in tables.rows.iter().copied().flatten() {
            for name in row.members {
                assert!(seen.insert((row.structure, name)), "{}.{name} has two rows", row.structure);
                let member = tables.members(row.structure).find(|m| m.member == *name);
                let kind = member.unwrap_or_else(|| panic!("no {}.{name}", row.structure)).kind;
                let fits = match row.rule {
                    Rule::Verbatim => true,
                    Rule::Default(scalar) => {
                        use super::super::rule::Scalar;
                        matches!(
                            (scalar, kind),
                            (Scalar::Truth(_), Kind::Boolean)
                                | (Scalar::Number(_), Kind::Integer)
                                | (Scalar::Text(_), Kind::String)
                        )
                    }
                    Rule::Inner => matches!(kind, Kind::Structure(_) | Kind::Map(_)),
                    Rule::Present => matches!(kind, Kind::Structure(_)),
                    Rule::InOrder | Rule::AnyOrder => matches!(kind, Kind::List(_)),
                    Rule::AllOf(_) => matches!(kind, Kind::List(Kind::String)),
                    Rule::By(key) => {
                        let entry = kind.structure().filter(|_| matches!(kind, Kind::List(_)));
                        entry.is_some_and(|entry| tables.members(entry).any(|m| m.member == key))
                    }
                    Rule::Cpu | Rule::Memory | Rule::Json(_) => kind == Kind::String,
                    Rule::HostPort => kind == Kind::Integer,
                };
                assert!(fits, "{}.{name} is {kind:?}, and its rule is {:?}", row.structure, row.rule);
            }
        }
    }
}

#[test]
fn the_source_of_every_row_stands_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/aws.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    let section = documentation.split_once("## 2 Normalisation\n").unwrap().1.split("\n## ").next().unwrap();
    for row in ECS.rows.iter().chain(EVENTS.rows).copied().flatten() {
        assert!(section.contains(&format!("### {}\n", row.source)), "no heading `{}`", row.source);
    }
}
