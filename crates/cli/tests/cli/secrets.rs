//! What looks secret appears nowhere but in `render`, which shows the manifest as it stands.

use crate::world::{BINARY, directory, ecs_etl, isolated, job};

const CANARIES: [&str; 3] = ["canary-old-5f1c", "canary-new-77aa", "canary-drift-03be"];

#[test]
fn a_secret_in_a_manifest_reaches_no_output_no_log_and_no_status() {
    let dir = directory(&[("job.yaml", job("one", "SECRET_TOKEN", CANARIES[0]))]);
    let mut said = Vec::new();
    let mut run = |log: &str, args: &[&str]| {
        let output = isolated(BINARY, dir.path()).env("ECS_ETL_LOG", log).args(args).output().unwrap();
        said.push((args.join(" "), [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())));
    };
    for log in ["debug", "trace"] {
        run(log, &["plan"]);
        run(log, &["plan", "-o", "json"]);
    }
    run("debug", &["apply", "--log-format", "json"]);
    std::fs::write(dir.path().join("manifests/job.yaml"), job("one", "SECRET_TOKEN", CANARIES[1])).unwrap();
    run("trace", &["plan"]);
    run("trace", &["plan", "-o", "json"]);
    run("trace", &["apply", "-o", "json"]);
    std::fs::write(dir.path().join("manifests/job.yaml"), job("one", "SECRET_TOKEN", "[canary-drift-03be]")).unwrap();
    run("trace", &["validate"]);
    run("trace", &["validate", "-o", "json"]);
    run("trace", &["apply"]);
    run("trace", &["status", "-o", "json"]);
    run("trace", &["status", "one"]);
    run("trace", &["status", "--live", "-o", "json"]);
    for file in std::fs::read_dir(dir.path().join("status")).unwrap() {
        let path = file.unwrap().path();
        said.push((path.display().to_string(), [std::fs::read_to_string(&path).unwrap(), String::new()]));
    }
    for (what, texts) in &said {
        for text in texts {
            let leak = text.lines().find(|line| CANARIES.iter().any(|canary| line.contains(canary)));
            assert_eq!(leak, None, "{what}");
        }
    }
    let changes = said.iter().any(|(what, [out, _])| what == "plan" && out.contains("SECRET_TOKEN"));
    assert!(changes, "the change itself is told");
}

#[test]
fn render_shows_the_manifest_as_it_stands() {
    let dir = directory(&[("job.yaml", job("one", "SECRET_TOKEN", CANARIES[0]))]);
    for output in ["yaml", "json", "aws"] {
        let rendered = ecs_etl(dir.path(), &["render", "one", "-o", output]);
        assert!(String::from_utf8(rendered.stdout).unwrap().contains(CANARIES[0]), "{output}");
    }
}
