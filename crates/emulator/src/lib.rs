//! The embedded AWS: ECS task definitions and EventBridge rules as a sans-IO state machine.
