//! Containers of a job of Copilot.

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::Node;
use serde_json::{Map, Value as Json, json};

use crate::object::{Object, scalar, truth};

/// The job's own container.
pub fn main(object: &mut Object<'_>, name: &str) -> Json {
    let mut container = Map::from_iter([("name".to_owned(), json!(name)), ("essential".to_owned(), json!(true))]);
    let mut image = fill_in::marker("image of the job");
    if let Some(node) = object.get("image") {
        match scalar(node) {
            Some(written) => image = written,
            None => {
                let mut of_image = Object::new(node, "image");
                if of_image.get("build").is_some() {
                    image = fill_in::marker("image that Copilot builds and pushes");
                }
                image = of_image.text("location").unwrap_or(image);
                if let Some(labels) = of_image.get("labels").and_then(Node::mapping) {
                    let label = |(key, entry): (&String, &ecs_etl_spec::yaml::Entry)| {
                        (key.clone(), json!(scalar(&entry.node).unwrap_or_default()))
                    };
                    container.insert("dockerLabels".to_owned(), Json::Object(labels.iter().map(label).collect()));
                }
                if let Some(credentials) = of_image.text("credentials") {
                    let value = json!({ "credentialsParameter": credentials });
                    container.insert("repositoryCredentials".to_owned(), value);
                }
                object.leave_all(of_image.finish());
            }
        }
    }
    container.insert("image".to_owned(), json!(image));
    common(object, &mut container);
    container.insert("logConfiguration".to_owned(), logs());
    Json::Object(container)
}

/// A container beside it.
pub fn sidecar(object: &mut Object<'_>, name: &str) -> Json {
    let essential = object.get("essential").map_or(json!(true), truth);
    let mut container = Map::from_iter([("name".to_owned(), json!(name)), ("essential".to_owned(), essential)]);
    let image = object.text("image").unwrap_or_else(|| fill_in::marker("image that Copilot builds and pushes"));
    container.insert("image".to_owned(), json!(image));
    common(object, &mut container);
    container.insert("logConfiguration".to_owned(), logs());
    Json::Object(container)
}

/// Logs go where somebody says: Copilot's own group goes with its stack.
fn logs() -> Json {
    json!({"logDriver": "awslogs", "options": {
        "awslogs-group": fill_in::marker("log group"),
        "awslogs-region": fill_in::marker("region of the log group"),
        "awslogs-stream-prefix": "copilot",
    }})
}

fn common(object: &mut Object<'_>, container: &mut Map<String, Json>) {
    for (key, member) in [("entrypoint", "entryPoint"), ("command", "command")] {
        if let Some(node) = object.get(key) {
            let words = match node.sequence() {
                Some(items) => items.iter().filter_map(scalar).collect(),
                None => words(&scalar(node).unwrap_or_default()),
            };
            container.insert(member.to_owned(), json!(words));
        }
    }
    if let Some(variables) = object.get("variables").and_then(Node::mapping) {
        let pairs = variables.iter().map(|(name, entry)| json!({"name": name, "value": variable(name, &entry.node)}));
        container.insert("environment".to_owned(), pairs.collect());
    }
    if let Some(file) = object.text("env_file") {
        let value = fill_in::marker(&format!("ARN of {file} in S3"));
        container.insert("environmentFiles".to_owned(), json!([{"type": "s3", "value": value}]));
    }
    if let Some(secrets) = object.get("secrets").and_then(Node::mapping) {
        let pairs = secrets.iter().map(|(name, entry)| json!({"name": name, "valueFrom": secret(name, &entry.node)}));
        container.insert("secrets".to_owned(), pairs.collect());
    }
}

/// A variable's value, or what another stack exports.
fn variable(name: &str, node: &Node) -> String {
    let exported = || node.get("from_cfn").and_then(scalar).map(|export| fill_in::marker(&format!("export {export}")));
    scalar(node).or_else(exported).unwrap_or_else(|| fill_in::marker(name))
}

/// A parameter of Systems Manager by its name, a secret of Secrets Manager, or what another stack exports.
fn secret(name: &str, node: &Node) -> String {
    let of = |key: &str| node.get(key).and_then(scalar);
    match (scalar(node), of("secretsmanager"), of("from_cfn")) {
        (Some(parameter), _, _) => parameter,
        (None, Some(secret), _) => fill_in::marker(&format!("ARN of the secret {secret}")),
        (None, None, Some(export)) => fill_in::marker(&format!("export {export}")),
        (None, None, None) => fill_in::marker(name),
    }
}

/// `storage`: of the task, and of its own container.
pub fn storage(storage: &mut Object<'_>, definition: &mut Map<String, Json>, container: Option<&mut Json>) {
    if let Some(size) = storage.text("ephemeral").and_then(|size| size.parse::<i32>().ok()) {
        definition.insert("ephemeralStorage".to_owned(), json!({ "sizeInGiB": size }));
    }
    let read_only = storage.get("readonly_fs").map(truth);
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    for (name, entry) in storage.get("volumes").and_then(Node::mapping).into_iter().flatten() {
        let mut volume = Object::new(&entry.node, &format!("storage.volumes.{name}"));
        let path = volume.text("path").unwrap_or_else(|| fill_in::marker(&format!("path of {name}")));
        let mount = json!({"sourceVolume": name, "containerPath": path, "readOnly": volume.get("read_only").map_or(json!(true), truth)});
        mounts.push(mount);
        volumes.push(match volume.get("efs") {
            Some(efs) => json!({"name": name, "efsVolumeConfiguration": efs_volume(efs, &mut volume)}),
            None => json!({ "name": name }),
        });
        storage.leave_all(volume.finish());
    }
    if !volumes.is_empty() {
        definition.insert("volumes".to_owned(), Json::Array(volumes));
    }
    if let Some(container) = container.and_then(Json::as_object_mut) {
        if let Some(read_only) = read_only {
            container.insert("readonlyRootFilesystem".to_owned(), read_only);
        }
        if !mounts.is_empty() {
            container.insert("mountPoints".to_owned(), Json::Array(mounts));
        }
    }
}

/// A file system by its id, or the one that Copilot made.
fn efs_volume(node: &Node, volume: &mut Object<'_>) -> Json {
    let made = fill_in::marker("file system that Copilot made");
    if node.mapping().is_none() {
        return json!({"fileSystemId": made, "transitEncryption": "ENABLED"});
    }
    let mut efs = Object::new(node, &volume.at("efs"));
    let mut read = Map::from_iter([("transitEncryption".to_owned(), json!("ENABLED"))]);
    read.insert("fileSystemId".to_owned(), json!(efs.text("id").unwrap_or(made)));
    if let Some(root) = efs.text("root_dir") {
        read.insert("rootDirectory".to_owned(), json!(root));
    }
    if let Some(node) = efs.get("auth") {
        let mut auth = Object::new(node, &efs.at("auth"));
        let mut config = Map::new();
        if let Some(iam) = auth.get("iam") {
            config.insert("iam".to_owned(), json!(if truth(iam) == json!(true) { "ENABLED" } else { "DISABLED" }));
        }
        if let Some(point) = auth.text("access_point_id") {
            config.insert("accessPointId".to_owned(), json!(point));
        }
        read.insert("authorizationConfig".to_owned(), Json::Object(config));
        efs.leave_all(auth.finish());
    }
    volume.leave_all(efs.finish());
    Json::Object(read)
}

/// The words of a command line, as a shell would take them apart: quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, '"' | '\'') => (quote, begun) = (Some(c), true),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => {
                word.extend(characters.next());
                begun = true;
            }
            (None, space) if space.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, other) => {
                word.push(other);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_taken_apart_as_a_shell_does() {
        for (line, expected) in [
            ("/bin/run --a  b", &["/bin/run", "--a", "b"][..]),
            ("sh -c \"echo 'a b' \\\"c\\\"\" ''", &["sh", "-c", "echo 'a b' \"c\"", ""]),
            ("a\\ b", &["a b"]),
            ("  ", &[]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
