//! `ecs-etl approve`.

use std::process::ExitCode;

use ecs_etl_controller::approval::{Approval, write_approval};
use ecs_etl_controller::status::read_all;
use ecs_etl_spec::name::Digest;
use jiff::Timestamp;
use serde_json::json;

use crate::args::{Approve, Output};
use crate::output::{Terminal, Tone, toned};

/// Shows what is held, and releases it with `--yes`.
pub fn run(args: &Approve, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let directory = &args.status.status_dir;
    let snapshot = read_all(directory)?;
    let held = &snapshot.controller.status.held;
    let mut released = Vec::new();
    if args.yes {
        for set in held {
            let approval = Approval { digest: Digest::parse(&set.digest)?, at: Timestamp::now() };
            write_approval(directory, &approval)?;
            released.push(set.digest.clone());
        }
    }
    if args.output == Output::Json {
        terminal.json(&json!({"held": held, "released": released}))?;
        return Ok(ExitCode::SUCCESS);
    }
    if held.is_empty() {
        terminal.line("nothing is held")?;
    }
    for set in held {
        terminal.line(format!("{} {:?}: {}", toned(Tone::Warn, "held"), set.kind, set.message))?;
        for job in &set.jobs {
            terminal.line(format!("  {job}"))?;
        }
        if args.yes {
            terminal.line(format!("{} {}", toned(Tone::Good, "released"), set.digest))?;
        } else {
            terminal.line("to release it, commit this line under `spec` of the EtlController:")?;
            terminal.line(format!("  approved: {}", set.digest))?;
            terminal.line("or release it on this machine alone with `ecs-etl approve --yes`")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
