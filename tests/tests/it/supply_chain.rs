//! What must not come in with a dependency.

/// Packages that are not to be built, by name and the start of the version, and why.
const BANNED: &[(&str, &str, &str)] = &[
    ("hyper", "0.", "the SDK's legacy HTTP stack; enable no default features of the AWS crates"),
    ("rustls", "0.21", "it comes with the legacy HTTP stack and has open advisories"),
    ("openssl", "", "one TLS implementation is enough, and this one wants a C library on the machine"),
    ("native-tls", "", "the same"),
];

#[test]
fn no_banned_package_is_in_the_lock_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let lock = std::fs::read_to_string(path).expect("the lock file is committed");
    let mut packages = 0;
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')) else { continue };
        let version =
            lines.next().and_then(|line| line.strip_prefix("version = \"")).expect("a version follows a name");
        packages += 1;
        for (banned, start, why) in BANNED {
            assert!(name != *banned || !version.starts_with(start), "{name} {version}: {why}");
        }
    }
    assert!(packages > 100, "only {packages} packages were found: has the lock file another form?");
}
