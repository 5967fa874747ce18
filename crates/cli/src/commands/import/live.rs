//! `ecs-etl import aws`: reads what lives in a Region; all of it, or it fails. Schedules that nobody lets it read are told of.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use ecs_etl_aws::{Answer, Aws, Endpoint, Urgency};
use ecs_etl_import::aws::{self, Facts, Live};
use ecs_etl_plan::observed::{LiveRevision, Look, RevisionArn};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::Family;
use ecs_etl_spec::shapes::events::Target;
use jiff::Timestamp;

use super::Known;
use crate::args::ImportAws;
use crate::commands::connect;
use crate::output::{Terminal, Tone, toned};

/// What an EtlController is told to work on where no endpoint is named.
const DEFAULT_ENDPOINT: &str = "embedded";

/// Reads rules and schedules, their targets and task definitions, and writes manifests of them.
pub fn import(args: &ImportAws, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let ImportAws { aws: through, region, prefix: _, tags: _, into } = args;
    let place = Place { region: region.clone(), assume_role_arn: None, external_id: None };
    let endpoint = through.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT);
    let facts = connect::runtime()?.block_on(async {
        let aws = Aws::connect(Endpoint::parse(endpoint)?, through.options()).await?;
        terminal.note(format!("{} {}", toned(Tone::Dim, "using"), toned(Tone::Bold, aws.describe())))?;
        let facts = Reader { aws: &aws, place: &place }.facts(args).await;
        aws.close().await;
        facts
    })?;
    super::write(aws::read(&facts), Known::default(), into, endpoint, terminal)
}

/// One place of AWS.
pub(super) struct Reader<'a> {
    pub(super) aws: &'a Aws,
    pub(super) place: &'a Place,
}

impl Reader<'_> {
    async fn facts(&self, args: &ImportAws) -> anyhow::Result<Facts> {
        let mut facts = Facts {
            region: self.place.region.clone(),
            now: Timestamp::now(),
            rules: Vec::new(),
            schedules: Vec::new(),
            unread: Vec::new(),
            revisions: BTreeMap::new(),
        };
        for rule in self.aws.list_rules(self.place, &args.prefix).await? {
            // What has no schedule starts no job, and costs two calls.
            if rule.expression.is_none() {
                continue;
            }
            let Answer::RuleTags(tags) = self.look(Look::RuleTags(rule.name.clone(), rule.arn.clone())).await? else {
                bail!("AWS was asked for the tags of {}, and answered something else", rule.name);
            };
            if !args.tags.iter().all(|(key, value)| tags.get(key) == Some(value)) {
                continue;
            }
            let Answer::Targets(targets) = self.look(Look::Targets(rule.name.clone())).await? else {
                bail!("AWS was asked for the targets of {}, and answered something else", rule.name);
            };
            for target in &targets {
                self.started(target, &mut facts).await?;
            }
            facts.rules.push(Live { rule, tags, targets });
        }
        self.schedules(args, &mut facts).await?;
        Ok(facts)
    }

    /// Reads the revision that a target starts, unless it is read already.
    pub(super) async fn started(&self, target: &Target, facts: &mut Facts) -> anyhow::Result<()> {
        let parameters = target.ecs_parameters.as_ref();
        let Some(written) = parameters.and_then(|ecs| ecs.task_definition_arn.as_ref()) else { return Ok(()) };
        if let (false, Some(revision)) = (facts.revisions.contains_key(written), self.revision(written).await?) {
            facts.revisions.insert(written.clone(), revision);
        }
        Ok(())
    }

    /// The revision that a target starts: the one that it pins, or the newest of its family.
    async fn revision(&self, written: &str) -> anyhow::Result<Option<LiveRevision>> {
        let arn = match RevisionArn::parse(written) {
            Some(arn) => Some(arn),
            None => self.newest(written).await?,
        };
        let Some(arn) = arn else { return Ok(None) };
        match self.look(Look::Revision(arn)).await? {
            Answer::Revision(revision) => Ok(revision),
            Answer::Active(_)
            | Answer::Rule(_)
            | Answer::Targets(_)
            | Answer::RuleTags(_)
            | Answer::Schedule(_)
            | Answer::Group(_) => Ok(None),
        }
    }

    async fn newest(&self, written: &str) -> anyhow::Result<Option<RevisionArn>> {
        let Ok(family) = Family::new(written.rsplit('/').next().unwrap_or(written)) else { return Ok(None) };
        match self.look(Look::Active(family)).await? {
            Answer::Active(revisions) => Ok(revisions.into_iter().next()),
            Answer::Revision(_)
            | Answer::Rule(_)
            | Answer::Targets(_)
            | Answer::RuleTags(_)
            | Answer::Schedule(_)
            | Answer::Group(_) => Ok(None),
        }
    }

    async fn look(&self, look: Look) -> anyhow::Result<Answer> {
        Ok(self.aws.look(self.place, &look, Urgency::Drift).await?)
    }
}
