//! Single functions: `cargo bench -p ecs-etl-bench`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark fails by panicking, and criterion's macros document nothing"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ecs_etl_bench::fleet::{Fleet, manifest, path};
use ecs_etl_bench::pure::{is_silent, lowered, settled};
use ecs_etl_bench::stage::START;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::scan::Scan;
use ecs_etl_emulator::{Emulator, Request, Settings};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::Observed;
use jiff::Timestamp;

const JOBS: usize = 100;

fn now() -> Timestamp {
    START.parse().unwrap()
}

fn fleet() -> Fleet {
    Fleet { jobs: JOBS, version: 1 }
}

fn parse(criterion: &mut Criterion) {
    let reader = Reader::default();
    let scan = fleet().scan();
    criterion.bench_function("parse and validate 100 jobs", |bencher| {
        bencher.iter(|| reader.read(black_box(&scan), now()));
    });
    let before = reader.read(&scan, now());
    let mut files = fleet().files();
    files.insert(path(7), manifest(7, 2).into_bytes().into());
    let edited = Scan::of_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes)));
    criterion.bench_function("read one edit among 100 jobs", |bencher| {
        bencher.iter(|| reader.read_next(black_box(&edited), &before, now()));
    });
}

fn decide(criterion: &mut Criterion) {
    let manifests = Reader::default().read(&fleet().scan(), now());
    criterion.bench_function("lower 100 jobs to AWS's terms", |bencher| {
        bencher.iter(|| lowered(black_box(&manifests), now()).unwrap());
    });
    let desired = lowered(&manifests, now()).unwrap();
    criterion.bench_function("normalise a task definition", |bencher| {
        bencher.iter(|| normalise::task_definition(black_box(&desired[0].task_definition)));
    });
    let observed: Vec<Observed> = desired.iter().map(|job| settled(job).unwrap()).collect();
    criterion.bench_function("decide 100 jobs that are as they should be", |bencher| {
        bencher.iter(|| {
            let silent = desired.iter().zip(&observed).filter(|(job, seen)| is_silent(job, seen, now())).count();
            assert_eq!(silent, JOBS);
        });
    });
    let nothing = Observed::default();
    criterion.bench_function("decide 100 jobs of which nothing is known", |bencher| {
        bencher.iter(|| desired.iter().filter(|job| is_silent(job, &nothing, now())).count());
    });
}

fn emulator(criterion: &mut Criterion) {
    let request = |target: &str, body: String| Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), target.to_owned()),
        ],
        body: body.into_bytes(),
    };
    let put =
        request("AWSEvents.PutRule", r#"{"Name": "nightly", "ScheduleExpression": "cron(0 2 * * ? *)"}"#.to_owned());
    let list = request("AWSEvents.ListRules", r#"{"NamePrefix": "nightly"}"#.to_owned());
    let desired = lowered(&Reader::default().read(&fleet().scan(), now()), now()).unwrap();
    let mut body = serde_json::to_value(&desired[0].task_definition).unwrap();
    body["family"] = "etl-nightly".into();
    let register = request("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", body.to_string());
    let mut full = Emulator::new(Settings::default());
    for request in [&put, &register] {
        assert_eq!(full.handle(now(), request).status, 200);
    }
    for (name, request) in [("PutRule", &put), ("ListRules", &list)] {
        criterion.bench_function(&format!("emulator: {name}"), |bencher| {
            bencher.iter(|| full.handle(now(), black_box(request)));
        });
    }
    criterion.bench_function("emulator: RegisterTaskDefinition", |bencher| {
        let empty = || Emulator::new(Settings::default());
        bencher.iter_batched_ref(empty, |emulator| emulator.handle(now(), &register), BatchSize::SmallInput);
    });
}

criterion_group!(functions, parse, decide, emulator);
criterion_main!(functions);
