//! The item of a DynamoDB table that says which controller may write.
//!
//! Which request is due, and what its answer means, is [`ecs_etl_plan::lease`]'s to say; here it is sent.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ecs_etl_plan::failure::{Failure, Service};
use ecs_etl_plan::lease::{Answer, Ask, Record};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::Region;

use crate::aws::Aws;
use crate::budget::Urgency;
use crate::call::Call;
use crate::error::Refused;
use crate::operation::Operation;

const GET_ITEM: Operation = Operation { service: Service::DynamoDb, name: "GetItem", mutating: false, bucket: None };
const PUT_ITEM: Operation = Operation { service: Service::DynamoDb, name: "PutItem", mutating: true, bucket: None };
const DELETE_ITEM: Operation =
    Operation { service: Service::DynamoDb, name: "DeleteItem", mutating: true, bucket: None };

/// What is called with `--lease`, and by nothing else.
pub const LEASE_OPERATIONS: &[Operation] = &[GET_ITEM, PUT_ITEM, DELETE_ITEM];

/// The partition key that the table must have, a string.
pub const LEASE_KEY: &str = "id";

/// The code of a condition that did not hold: an answer, and no failure.
pub(crate) const REFUSED: &str = "ConditionalCheckFailedException";

const HOLDER: &str = "holder";
const VERSION: &str = "version";
const DURATION: &str = "durationMs";

/// A table and the Region it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseTable {
    /// The Region; where AWS's usual variables say, without one.
    pub region: Option<Region>,
    /// The name.
    pub name: String,
}

/// Why text names no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `dynamodb:TABLE` or `dynamodb:REGION/TABLE`, such as `dynamodb:eu-central-1/ecs-etl-lease`")]
pub struct LeaseTableError;

impl LeaseTable {
    /// Reads `dynamodb:TABLE` or `dynamodb:REGION/TABLE`.
    ///
    /// # Errors
    ///
    /// It is neither, or no name that DynamoDB takes: 3 to 255 letters, digits and `_.-`.
    pub fn parse(text: &str) -> Result<Self, LeaseTableError> {
        let table = text.strip_prefix("dynamodb:").ok_or(LeaseTableError)?;
        let (region, name) = match table.split_once('/') {
            Some((region, name)) => (Some(Region::new(region).map_err(|_| LeaseTableError)?), name),
            None => (None, table),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !(3..=255).contains(&name.len()) || !name.chars().all(is_name) {
            return Err(LeaseTableError);
        }
        Ok(Self { region, name: name.to_owned() })
    }
}

/// One item of such a table.
#[derive(Debug, Clone)]
pub struct LeaseItem {
    aws: Aws,
    client: Client,
    place: Place,
    table: String,
    id: String,
}

impl Aws {
    /// The item `id` of a table; none in an AWS that has no DynamoDB. Nothing is asked yet.
    pub async fn lease_item(&self, region: Region, table: String, id: String) -> Option<LeaseItem> {
        let client = self.dynamodb(&region).await?;
        let place = Place { region, assume_role_arn: None, external_id: None };
        Some(LeaseItem { aws: self.clone(), client, place, table, id })
    }
}

impl LeaseItem {
    /// Asks the table. A failure goes with [`Answer::Unknown`].
    pub async fn ask(&self, ask: &Ask) -> (Answer, Option<Failure>) {
        let asked = match ask {
            Ask::Read => self.read().await.map(Answer::Read),
            Ask::Put { record, replaces } => self.put(record, replaces.as_deref()).await.map(|()| Answer::Written),
        };
        match asked {
            Ok(answer) => (answer, None),
            Err(failure) if failure.code == REFUSED => (Answer::Refused, None),
            Err(failure) => (Answer::Unknown, Some(failure)),
        }
    }

    /// Deletes the item if it has this version still; another controller may take the lease at once.
    ///
    /// # Errors
    ///
    /// It could not be deleted; then the lease runs out by itself.
    pub async fn delete(&self, version: &str) -> Result<(), Failure> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(LEASE_KEY, AttributeValue::S(self.id.clone()))
            .condition_expression("#version = :old")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":old", AttributeValue::S(version.to_owned()));
        match self.call(DELETE_ITEM).send(&self.aws, request.send(), |_nothing| Ok(())).await {
            Err(failure) if failure.code == REFUSED => Ok(()),
            deleted => deleted,
        }
    }

    async fn read(&self) -> Result<Option<Record>, Failure> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(LEASE_KEY, AttributeValue::S(self.id.clone()))
            .consistent_read(true);
        let read = |output: aws_sdk_dynamodb::operation::get_item::GetItemOutput| match output.item {
            None => Ok(None),
            Some(item) => record(&item).map(Some).ok_or_else(|| {
                Refused::response(format!("the item {:?} of table {} is no lease", self.id, self.table))
            }),
        };
        self.call(GET_ITEM).send(&self.aws, request.send(), read).await
    }

    async fn put(&self, record: &Record, replaces: Option<&str>) -> Result<(), Failure> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(LEASE_KEY, AttributeValue::S(self.id.clone()))
            .item(HOLDER, AttributeValue::S(record.holder.clone()))
            .item(VERSION, AttributeValue::S(record.version.clone()))
            .item(DURATION, AttributeValue::N(record.duration.as_millis().to_string()))
            .expression_attribute_names("#version", VERSION)
            // A try whose answer was lost may have written it.
            .expression_attribute_values(":new", AttributeValue::S(record.version.clone()));
        let request = match replaces {
            None => request
                .condition_expression("attribute_not_exists(#id) OR #version = :new")
                .expression_attribute_names("#id", LEASE_KEY),
            Some(old) => request
                .condition_expression("#version = :old OR #version = :new")
                .expression_attribute_values(":old", AttributeValue::S(old.to_owned())),
        };
        self.call(PUT_ITEM).send(&self.aws, request.send(), |_nothing| Ok(())).await
    }

    fn call(&self, operation: Operation) -> Call<'_> {
        Call { operation, place: &self.place, resource: &self.table, urgency: Urgency::Edit, writes: None }
    }
}

fn record(item: &HashMap<String, AttributeValue>) -> Option<Record> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let millis: u64 = item.get(DURATION)?.as_n().ok()?.parse().ok()?;
    Some(Record { holder: text(HOLDER)?, version: text(VERSION)?, duration: Duration::from_millis(millis) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_with_or_without_its_region() {
        let region = Region::new("eu-central-1").ok();
        let table = |region, name: &str| Ok(LeaseTable { region, name: name.to_owned() });
        assert_eq!(LeaseTable::parse("dynamodb:ecs-etl.lease_1"), table(None, "ecs-etl.lease_1"));
        assert_eq!(LeaseTable::parse("dynamodb:eu-central-1/lease"), table(region, "lease"));
        for text in
            ["", "lease", "dynamodb:", "dynamodb:ab", "dynamodb:a b c", "dynamodb:nowhere!/lease", "redis:lease"]
        {
            assert_eq!(LeaseTable::parse(text), Err(LeaseTableError), "{text}");
        }
    }

    #[test]
    fn an_item_that_lacks_anything_is_no_lease() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let whole = HashMap::from([
            (LEASE_KEY.to_owned(), text("lab")),
            (HOLDER.to_owned(), text("a")),
            (VERSION.to_owned(), text("1")),
            (DURATION.to_owned(), AttributeValue::N("60000".to_owned())),
        ]);
        let read = record(&whole);
        assert_eq!(read.map(|record| record.duration), Some(Duration::from_secs(60)));
        for lacking in [HOLDER, VERSION, DURATION] {
            let mut item = whole.clone();
            item.remove(lacking);
            assert_eq!(record(&item), None, "{lacking}");
        }
    }
}
