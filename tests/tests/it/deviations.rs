//! Every entry of `deviations.yaml` is still true, and our emulator does in each case what AWS does.

use std::collections::BTreeSet;

use ecs_etl_tests::deviations;
use ecs_etl_tests::raw::Aws;
use ecs_etl_tests::server::{Kind, Server};

fn check(kind: Kind) {
    let server = Server::start(kind);
    let aws = Aws::new(server.address());
    let mut wrong = Vec::new();
    for deviation in deviations::table() {
        server.reset();
        let observed = deviation.observe(&aws);
        let expected = deviation.expected(kind);
        if observed != *expected {
            wrong.push(format!(
                "{}: {}\n    expected {expected}\n    observed {observed}",
                deviation.id, deviation.what
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{kind} differs from deviations.yaml in {} entries\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
}

#[test]
fn the_emulator_does_what_aws_does() {
    check(Kind::Emulator);
}

#[test]
fn moto_differs_from_aws_just_as_the_table_says() {
    check(Kind::Moto);
}

#[test]
fn ministack_differs_from_aws_just_as_the_table_says() {
    check(Kind::Ministack);
}

#[test]
fn every_entry_is_about_a_stand_in_and_has_a_name_of_its_own() {
    let mut ids = BTreeSet::new();
    for deviation in deviations::table() {
        assert!(ids.insert(deviation.id.clone()), "{} stands there twice", deviation.id);
        assert!(!deviation.seen.is_empty(), "{} excuses nobody", deviation.id);
        assert!(!deviation.seen.contains_key("emulator"), "{}: the emulator is never excused", deviation.id);
        for (name, seen) in &deviation.seen {
            assert_ne!(*seen, deviation.aws, "{}: {name} does what AWS does", deviation.id);
        }
    }
}
