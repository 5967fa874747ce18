//! Conversions between the shapes and the SDK's types, both ways, a structure at a time.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};

use super::Output;
use super::model::{Kind, Member, Model};
use super::rust;
use super::sdk::{self, Sdk, Type};

/// What generated code uses of the module above it.
const IMPORTS: &[&str] = &["ConvertError", "FromSdk", "ToSdk", "all", "list", "map", "need", "one", "word", "words"];

/// One service's conversions.
struct Service<'a> {
    model: &'a Model,
    sdk: &'a Sdk,
    /// Path of the shapes in the spec crate.
    shapes: &'static str,
    /// Members that this SDK does not know, as `Structure.member`.
    unmodelled: Vec<String>,
}

/// Conversions of a task definition.
pub fn ecs(model: &Model, sdk: &Sdk, version: &str) -> anyhow::Result<Output> {
    let mut service = Service { model, sdk, shapes: "ecs_etl_spec::shapes", unmodelled: Vec::new() };
    let mut body = String::new();
    service.register(&mut body)?;
    for name in model.reachable("TaskDefinition")? {
        if name == "TaskDefinition" {
            service.reader(&mut body, &name)?;
        } else {
            service.structure(&mut body, &name)?;
        }
    }
    let about = "Task definitions: shape to request, and the SDK's answer to shape.";
    let operation = "use aws_sdk_ecs::operation::register_task_definition::builders::\
                     RegisterTaskDefinitionFluentBuilder;\nuse aws_sdk_ecs::types;";
    let text = service.file(about, operation, &body, version);
    Ok(Output { path: "crates/aws/src/convert/ecs.rs", text })
}

/// Conversions of a target.
pub fn events(model: &Model, sdk: &Sdk, version: &str) -> anyhow::Result<Output> {
    let mut service = Service { model, sdk, shapes: "ecs_etl_spec::shapes::events", unmodelled: Vec::new() };
    let mut body = String::new();
    for name in model.reachable("Target")? {
        service.structure(&mut body, &name)?;
    }
    let about = "Targets of a rule: shape to request, and the SDK's answer to shape.";
    let text = service.file(about, "use aws_sdk_eventbridge::types;", &body, version);
    Ok(Output { path: "crates/aws/src/convert/events.rs", text })
}

impl Service<'_> {
    fn file(&self, about: &str, sdk_imports: &str, body: &str, version: &str) -> String {
        let mut text = format!("//! {about}\n\n{}", rust::header(&[self.model], version));
        text.insert_str(text.len() - 1, &format!("// The SDK is {}.\n", self.sdk.title));
        let unmodelled: String = self.unmodelled.iter().map(|member| format!("{member:?}, ")).collect();
        let used = |name: &&&str| {
            let (called, passed) = (format!("{name}("), format!("({name})"));
            name.starts_with(char::is_uppercase) || body.contains(&called) || body.contains(&passed)
        };
        let imports: Vec<&str> = IMPORTS.iter().filter(used).copied().collect();
        format!(
            "{text}{sdk_imports}\nuse {} as shapes;\n\n\
             use super::{{{}}};\n\n\
             /// Members of the shapes that this version of the SDK cannot say.\n\
             pub const UNMODELLED: &[&str] = &[{unmodelled}];\n\n{body}",
            self.shapes,
            imports.join(", ")
        )
    }

    /// The function that fills a RegisterTaskDefinition request.
    fn register(&mut self, text: &mut String) -> anyhow::Result<()> {
        let members = self.model.members("TaskDefinition")?;
        let known = self.type_of("TaskDefinition")?.clone();
        writeln!(
            text,
            "/// Fills a RegisterTaskDefinition request with everything but family and tags.\n///\n\
             /// # Errors\n///\n/// A member that AWS requires is missing; the error names its path.\n\
             pub fn register(request: RegisterTaskDefinitionFluentBuilder, shape: &shapes::TaskDefinition) \
             -> Result<RegisterTaskDefinitionFluentBuilder, ConvertError> {{"
        )?;
        self.destructure(text, "shapes::TaskDefinition", &members, &known)?;
        text.push_str("Ok(request");
        self.setters(text, &members, &known)?;
        text.push_str(")\n}\n\n");
        Ok(())
    }

    fn structure(&mut self, text: &mut String, name: &str) -> anyhow::Result<()> {
        let members = self.model.members(name)?;
        let Some(known) = self.sdk.find(name).cloned() else {
            return Ok(());
        };
        writeln!(text, "impl ToSdk for shapes::{name} {{\ntype Sdk = types::{};\n", known.name)?;
        writeln!(text, "fn to_sdk(&self) -> Result<Self::Sdk, ConvertError> {{")?;
        if known.union {
            self.union_to_sdk(text, name, &members, &known)?;
        } else {
            self.destructure(text, "Self", &members, &known)?;
            write!(text, "let built = types::{}::builder()", known.name)?;
            self.setters(text, &members, &known)?;
            text.push_str(if known.fallible { ".build()?;\nOk(built)\n" } else { ".build();\nOk(built)\n" });
        }
        text.push_str("}\n}\n\n");
        self.reader(text, name)
    }

    /// `let Self { a, b } = self;` names every member, so a new one cannot be forgotten here; then what AWS requires.
    fn destructure(&mut self, text: &mut String, path: &str, members: &[Member], known: &Type) -> anyhow::Result<()> {
        writeln!(text, "let {path} {{")?;
        for member in members {
            let field = rust::field(&member.name);
            if known.field(&field).is_some() {
                writeln!(text, "{field},")?;
            } else {
                self.unmodelled.push(format!("{}.{}", known.name, member.name));
                writeln!(text, "{field}: _,")?;
            }
        }
        writeln!(text, "}} = {};", if path == "Self" { "self" } else { "shape" })?;
        for member in members.iter().filter(|m| m.required) {
            writeln!(text, "need({:?}, {})?;", member.name, rust::field(&member.name))?;
        }
        Ok(())
    }

    fn setters(&self, text: &mut String, members: &[Member], known: &Type) -> anyhow::Result<()> {
        for member in members {
            let field = rust::field(&member.name);
            let Some(kind) = known.field(&field) else { continue };
            let is_word = sdk::own_type(kind).is_some();
            let value = match &member.kind {
                Kind::String if is_word => format!("word({field}.as_deref())"),
                Kind::String => format!("{field}.clone()"),
                Kind::Integer | Kind::Boolean => format!("*{field}"),
                Kind::Structure(_) => format!("one({:?}, {field})?", member.name),
                Kind::Map(_) => format!("map({field})"),
                Kind::List(inner) => match **inner {
                    Kind::Structure(_) => format!("list({:?}, {field})?", member.name),
                    Kind::String if is_word => format!("words({field})"),
                    Kind::String | Kind::Integer | Kind::Boolean => format!("{field}.clone()"),
                    Kind::List(_) | Kind::Map(_) => bail!("{} is a list of lists or maps", member.name),
                },
            };
            write!(text, "\n.set_{}({value})", field.trim_start_matches("r#"))?;
        }
        Ok(())
    }

    fn union_to_sdk(&self, text: &mut String, name: &str, members: &[Member], known: &Type) -> anyhow::Result<()> {
        let [member] = members else {
            bail!("{name} has several members: generate what two of them at once mean");
        };
        let field = rust::field(&member.name);
        let variant = rust::pascal(&field);
        known.field(&variant).with_context(|| format!("{name} of the SDK has no {variant}"))?;
        let (sdk, wire) = (&known.name, &member.name);
        writeln!(text, "let Self {{ {field} }} = self;\nmatch one({wire:?}, {field})? {{")?;
        writeln!(text, "Some(given) => Ok(types::{sdk}::{variant}(given)),")?;
        writeln!(text, "None => Err(ConvertError::missing({wire:?})),\n}}")?;
        Ok(())
    }

    fn reader(&self, text: &mut String, name: &str) -> anyhow::Result<()> {
        let members = self.model.members(name)?;
        let Some(known) = self.sdk.find(name) else { return Ok(()) };
        writeln!(text, "impl FromSdk<types::{}> for shapes::{name} {{", known.name)?;
        if known.union {
            let [member] = members.as_slice() else {
                bail!("{name} has several members: generate a match");
            };
            let field = rust::field(&member.name);
            let (sdk, variant) = (&known.name, rust::pascal(&field));
            writeln!(text, "fn from_sdk(sdk: types::{sdk}) -> Self {{")?;
            text.push_str("// One that this SDK does not know equals nothing we can ask for.\n");
            writeln!(text, "let types::{sdk}::{variant}(given) = sdk else {{ return Self::default() }};")?;
            writeln!(text, "Self {{ {field}: Some(FromSdk::from_sdk(given)) }}\n}}\n}}\n")?;
            return Ok(());
        }
        writeln!(text, "fn from_sdk(sdk: types::{}) -> Self {{\nSelf {{", known.name)?;
        for member in &members {
            let field = rust::field(&member.name);
            let Some(kind) = known.field(&field) else {
                writeln!(text, "{field}: None,")?;
                continue;
            };
            let (optional, inner) = sdk::optional(kind);
            let is_word = sdk::own_type(inner).is_some();
            let convert = match &member.kind {
                Kind::String if is_word => Some(".as_str().to_owned()"),
                Kind::String | Kind::Integer | Kind::Boolean => None,
                Kind::Structure(_) => Some("FromSdk::from_sdk"),
                Kind::Map(_) => Some(".into_iter().collect()"),
                Kind::List(of) => match **of {
                    Kind::Structure(_) => Some("all"),
                    Kind::String if is_word => Some(".iter().map(|word| word.as_str().to_owned()).collect()"),
                    Kind::String | Kind::Integer | Kind::Boolean | Kind::List(_) | Kind::Map(_) => None,
                },
            };
            let value = match (convert, optional) {
                (None, true) => format!("sdk.{field}"),
                (None, false) => format!("Some(sdk.{field})"),
                (Some(method), true) if method.starts_with('.') => format!("sdk.{field}.map(|value| value{method})"),
                (Some(method), false) if method.starts_with('.') => format!("Some(sdk.{field}{method})"),
                (Some(function), true) => format!("sdk.{field}.map({function})"),
                (Some(function), false) => format!("Some({function}(sdk.{field}))"),
            };
            writeln!(text, "{field}: {value},")?;
        }
        text.push_str("}\n}\n}\n\n");
        Ok(())
    }

    fn type_of(&self, name: &str) -> anyhow::Result<&Type> {
        self.sdk.find(name).with_context(|| format!("{} does not know {name}", self.sdk.title))
    }
}
