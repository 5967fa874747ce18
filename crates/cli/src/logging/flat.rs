//! Log lines as flat JSON objects: the fields of the spans around an event stand beside the event's own.

use std::fmt;
use std::io::Write;

use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Names and values in the order in which they were said; a name said again replaces the value.
#[derive(Debug, Clone, Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            chain.push_str(": ");
            chain.push_str(&next.to_string());
            cause = next.source();
        }
        self.set(field.name(), chain.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }
}

struct Flat<W> {
    writer: W,
}

/// A layer that writes to what `writer` makes, once for each event.
pub fn layer<S, M, W>(writer: M) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    M: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    Flat { writer }
}

impl<S, M, W> Layer<S> for Flat<M>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    M: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            for (name, value) in span.extensions().get::<Fields>().into_iter().flat_map(|fields| &fields.0) {
                fields.set(name, value.clone());
            }
        }
        event.record(&mut fields);
        if let Ok(mut line) = line(event, fields) {
            line.push(b'\n');
            // A line that cannot be written has nobody to be reported to.
            (self.writer)().write_all(&line).unwrap_or_default();
        }
    }
}

fn line(event: &Event<'_>, fields: Fields) -> serde_json::Result<Vec<u8>> {
    let (message, rest): (Vec<_>, Vec<_>) = fields.0.into_iter().partition(|(name, _)| *name == "message");
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("timestamp", &jiff::Timestamp::now().to_string())?;
    object.serialize_entry("level", event.metadata().level().as_str())?;
    for (name, value) in &message {
        object.serialize_entry(name, value)?;
    }
    object.serialize_entry("target", event.metadata().target())?;
    for (name, value) in &rest {
        object.serialize_entry(name, value)?;
    }
    object.end()?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `events` write, without their times.
    fn lines(events: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(layer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, events);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            let time = value.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
            value
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn the_fields_of_spans_stand_beside_those_of_the_event() {
        let lines = lines(|| {
            let _span = tracing::info_span!("reconcile", job = %"a", cause = "edit").entered();
            tracing::info!(operation = "PutRule", duration_ms = 7u64, request_id = None::<&str>, "aws call");
        });
        let expected = json!({
            "level": "INFO", "message": "aws call", "target": "ecs_etl::logging::flat::tests",
            "job": "a", "cause": "edit", "operation": "PutRule", "duration_ms": 7,
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn an_event_has_the_last_word_on_a_field_and_each_name_stands_once() {
        let lines = lines(|| {
            let _span = tracing::info_span!("reconcile", job = "outer").entered();
            tracing::info!(job = "inner", "twice");
        });
        assert_eq!(lines[0]["job"], "inner");
    }

    #[test]
    fn an_error_is_told_with_its_causes_once() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot write")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(io::Error::other("disk \"full\"\n"));
        let lines = lines(|| tracing::error!(error = &error as &dyn std::error::Error, "status"));
        assert_eq!(lines[0]["error"], "cannot write: disk \"full\"\n");
    }
}
