//! `--lease`: takes a seat at the table before the daemon starts, and keeps it beside it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use ecs_etl_aws::{LEASE_KEY, LEASE_OPERATIONS, LeaseItem, LeaseTable, Operation};
use ecs_etl_controller::lease::{self, Seat};
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::failure::Failure;
use ecs_etl_plan::lease::Terms;
use ecs_etl_spec::name::Region;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args;
use crate::commands::connect::Session;

/// A seat that is kept until it is given up.
pub struct Kept {
    seat: Arc<Seat>,
    item: LeaseItem,
    stop: CancellationToken,
    keeper: JoinHandle<()>,
}

/// Asks for the lease for the first time, and lets the session write only while it has it.
///
/// # Errors
///
/// The table cannot be used: it is not there, of another form, or may not be used.
pub async fn take(args: &args::Lease, table: &LeaseTable, session: &Session) -> anyhow::Result<Kept> {
    let region = region(table)?;
    let settings = session.cx.settings();
    let shard = &session.manifests.shard;
    let id = match shard.is_everything() {
        true => settings.identity.controller.as_str().to_owned(),
        false => format!("{} {shard}", settings.identity.controller),
    };
    let aws = &session.cx.aws;
    let Some(item) = aws.lease_item(region.clone(), table.name.clone(), id).await else {
        bail!("this AWS has no DynamoDB for a lease");
    };
    let terms = Terms { duration: Duration::from_secs(args.lease_seconds), call: aws.longest_call() };
    let seat = Arc::new(Seat::new(me(), table.name.clone(), terms));
    for _ in ["to read", "to write, if nobody has it"] {
        if let Err(failure) = lease::ask_first(&seat, &item).await
            && let Some(advice) = advice(&failure, &table.name, &region)
        {
            return Err(anyhow!("{advice}").context(format!("no lease: {failure}")));
        }
    }
    session.cx.write_only_with(Arc::clone(&seat));
    let stop = CancellationToken::new();
    let keeper = tokio::spawn({
        let (seat, item, stop) = (Arc::clone(&seat), item.clone(), stop.clone());
        async move { lease::keep(&seat, &item, &stop).await }
    });
    Ok(Kept { seat, item, stop, keeper })
}

impl Kept {
    /// Ends keeping it; if nothing is in flight any more, another controller may have it at once.
    pub async fn end(self, nothing_in_flight: bool) -> anyhow::Result<()> {
        self.stop.cancel();
        self.keeper.await?;
        if nothing_in_flight {
            lease::release(&self.seat, &self.item).await;
        }
        Ok(())
    }
}

/// What a person has to do about a failure that no waiting cures.
fn advice(failure: &Failure, table: &str, region: &Region) -> Option<String> {
    match failure.code.as_str() {
        "ResourceNotFoundException" => Some(format!(
            "create the table:\n  aws dynamodb create-table --region {region} --table-name {table} --billing-mode PAY_PER_REQUEST \
             --attribute-definitions AttributeName={LEASE_KEY},AttributeType=S \
             --key-schema AttributeName={LEASE_KEY},KeyType=HASH\nor deploy deploy/cloudformation/lease.yaml"
        )),
        "ValidationException" => {
            Some(format!("the partition key of table {table} must be `{LEASE_KEY}`, a string, without a sort key"))
        }
        _ if failure.reason() == Reason::AccessDenied => {
            let actions: Vec<String> = LEASE_OPERATIONS.iter().map(Operation::iam_action).collect();
            Some(format!("allow the controller {} on table {table} in {region}", actions.join(", ")))
        }
        _ => None,
    }
}

fn region(table: &LeaseTable) -> anyhow::Result<Region> {
    if let Some(region) = &table.region {
        return Ok(region.clone());
    }
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")) {
        Some(region) => Ok(Region::new(region)?),
        None => bail!(
            "in which Region is the table {name}? Write --lease dynamodb:REGION/{name}, or set AWS_REGION",
            name = table.name
        ),
    }
}

/// What this controller is called, for people: machine and process.
fn me() -> String {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = of_kernel.map(|name| name.trim().to_owned()).or_else(|| std::env::var("HOSTNAME").ok());
    format!("{}/{}", host.filter(|host| !host.is_empty()).as_deref().unwrap_or("unknown"), std::process::id())
}
