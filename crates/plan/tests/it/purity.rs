//! The decision's crates know no runtime, no network, no SDK: by what they are built from.

use std::collections::{BTreeMap, BTreeSet};

/// What may never be among the dependencies, at any depth, by the start of a package's name.
const FORBIDDEN: [&str; 14] = [
    "aws-",
    "axum",
    "async-",
    "futures",
    "hyper",
    "inotify",
    "mio",
    "notify",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "tower",
    "tracing-subscriber",
];

/// Dependencies of each package of the lock file, by name.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let lock = include_str!("../../../../Cargo.lock");
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.split("name = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let list = package.split("dependencies = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
        let names = list.split('"').skip(1).step_by(2).filter_map(|entry| entry.split(' ').next());
        packages.entry(name.to_owned()).or_default().extend(names.map(str::to_owned));
    }
    packages
}

/// Names in the `[dependencies]` of a manifest: the lock file does not tell those of tests apart.
fn direct(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn spec_plan_and_import_are_built_from_nothing_that_does_anything() {
    let manifests = [
        ("ecs-etl-spec", include_str!("../../../spec/Cargo.toml")),
        ("ecs-etl-plan", include_str!("../../Cargo.toml")),
        ("ecs-etl-import", include_str!("../../../import/Cargo.toml")),
    ];
    let packages = locked();
    for (krate, manifest) in manifests {
        let mut reached = BTreeSet::new();
        let mut next = direct(manifest);
        assert!(next.contains(&"serde".to_owned()), "{krate}: {next:?}");
        while let Some(name) = next.pop() {
            if !name.starts_with("ecs-etl-") && reached.insert(name.clone()) {
                next.extend(packages.get(&name).unwrap_or_else(|| panic!("{name} is not locked")).iter().cloned());
            }
        }
        assert!(reached.contains("serde_core"), "{krate} reaches only {reached:?}");
        for name in &reached {
            let forbidden = FORBIDDEN.iter().any(|start| name.starts_with(start));
            assert!(!forbidden, "{krate} is built from {name}");
        }
    }
}

#[test]
fn the_search_would_find_a_runtime_if_there_were_one() {
    let packages = locked();
    assert!(packages["ecs-etl-controller"].iter().any(|name| name.starts_with("tokio")));
}
