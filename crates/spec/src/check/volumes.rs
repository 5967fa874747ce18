//! Volumes and the containers that mount them.

use std::collections::BTreeSet;

use super::containers::check_name;
use super::problem::Problems;
use crate::shapes::{EFSVolumeConfiguration, S3FilesVolumeConfiguration, TaskDefinition, Volume};
use crate::suggest;
use crate::yaml::shown;

/// Checks every volume, and that what containers mount exists.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition) {
    let mut names = BTreeSet::new();
    for (index, volume) in definition.volumes.iter().flatten().enumerate() {
        let path = format!("volumes[{index}]");
        match volume.name.as_deref() {
            Some(name) => {
                check_name(problems, &format!("{path}.name"), name, "volume");
                if !names.insert(name) {
                    problems.error(format!("{path}.name"), format!("two volumes are named `{}`", shown(name)));
                }
            }
            None => {
                problems.error(&path, "missing field `name`");
            }
        }
        check_volume(problems, &path, volume);
    }
    for (index, container) in definition.container_definitions.iter().flatten().enumerate() {
        for (mount, point) in container.mount_points.iter().flatten().enumerate() {
            let Some(name) = point.source_volume.as_deref().filter(|name| !names.contains(name)) else { continue };
            let at = format!("containerDefinitions[{index}].mountPoints[{mount}].sourceVolume");
            let help = suggest::among(name, names.iter().copied());
            problems.error(at, format!("there is no volume `{}` in the task", shown(name))).help = help;
        }
    }
    let storage = definition.ephemeral_storage.as_ref().and_then(|storage| storage.size_in_gib);
    problems.within("ephemeralStorage.sizeInGiB", storage, 21..=200, " GiB; without it a task on Fargate has 20");
}

fn check_volume(problems: &mut Problems, path: &str, volume: &Volume) {
    let host = volume.host.as_ref().and_then(|host| host.source_path.as_deref()).is_some_and(|path| !path.is_empty());
    let kinds = [
        ("host", host),
        ("dockerVolumeConfiguration", volume.docker_volume_configuration.is_some()),
        ("efsVolumeConfiguration", volume.efs_volume_configuration.is_some()),
        ("s3filesVolumeConfiguration", volume.s3files_volume_configuration.is_some()),
        ("fsxWindowsFileServerVolumeConfiguration", volume.fsx_windows_file_server_volume_configuration.is_some()),
        ("configuredAtLaunch", volume.configured_at_launch == Some(true)),
    ];
    let given: Vec<&str> = kinds.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() > 1 {
        problems
            .error(path, format!("a volume is of one kind, and this one is of {}: {}", given.len(), given.join(", ")));
    }
    if volume.configured_at_launch == Some(true) {
        problems.warning(
            format!("{path}.configuredAtLaunch"),
            "a schedule has no way to configure a volume when it starts a run, so no run will start",
        );
    }
    if let Some(efs) = &volume.efs_volume_configuration {
        check_efs(problems, &format!("{path}.efsVolumeConfiguration"), efs);
    }
    if let Some(s3files) = &volume.s3files_volume_configuration {
        check_s3files(problems, &format!("{path}.s3filesVolumeConfiguration"), s3files);
    }
}

fn check_efs(problems: &mut Problems, path: &str, efs: &EFSVolumeConfiguration) {
    let encrypted = efs.transit_encryption.as_deref() == Some("ENABLED");
    let authorization = efs.authorization_config.as_ref();
    let access_point = authorization.and_then(|config| config.access_point_id.as_deref()).filter(|id| !id.is_empty());
    let iam = authorization.and_then(|config| config.iam.as_deref()) == Some("ENABLED");
    let help = "write `transitEncryption: ENABLED`";
    if iam && !encrypted {
        problems.error(format!("{path}.transitEncryption"), "IAM authorization needs encryption in transit").help(help);
    }
    if access_point.is_some() && !encrypted {
        problems.error(format!("{path}.transitEncryption"), "an access point needs encryption in transit").help(help);
    }
    check_root(problems, path, access_point.is_some(), efs.root_directory.as_deref());
    problems.within(format!("{path}.transitEncryptionPort"), efs.transit_encryption_port, 0..=65_535, "");
    if efs.transit_encryption_port.is_some() && !encrypted {
        problems
            .warning(
                format!("{path}.transitEncryptionPort"),
                "the port is used for encryption in transit, which is off",
            )
            .help(help);
    }
}

fn check_s3files(problems: &mut Problems, path: &str, s3files: &S3FilesVolumeConfiguration) {
    check_root(problems, path, s3files.access_point_arn.is_some(), s3files.root_directory.as_deref());
    problems.within(format!("{path}.transitEncryptionPort"), s3files.transit_encryption_port, 0..=65_535, "");
}

/// An access point has a root of its own.
fn check_root(problems: &mut Problems, path: &str, access_point: bool, root: Option<&str>) {
    if access_point && root.is_some_and(|root| !matches!(root, "" | "/")) {
        problems
            .error(format!("{path}.rootDirectory"), "with an access point the root directory is the access point's")
            .help("leave it out, or write `/`");
    }
}
