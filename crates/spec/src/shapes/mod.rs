//! The shapes of AWS, generated from its service models.

use serde::{Deserialize, Serialize};

/// The shape of RegisterTaskDefinition less family and tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskDefinition {}

/// The words of RunTask as far as an EventBridge ECS target can say them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunTask {}
