//! Task definitions and the overrides of a run.

use super::super::rule::{Rule, Scalar};
use super::{DEFAULTS, EMPTY, ORDER, PORTS, Row, SIZES, VERBATIM, row};
use Rule::{AllOf, AnyOrder, By, Cpu, Default, HostPort, InOrder, Inner, Memory, Present, Verbatim};
use Scalar::{Number, Text, Truth};

/// All rows, for reading in this order.
pub(in super::super) const ROWS: &[&[Row]] = &[TASK, CONTAINER, IN_CONTAINER, LINUX, VOLUME, OVERRIDE];

const TASK: &[Row] = &[
    row("TaskDefinition", &["networkMode"], Default(Text("bridge")), DEFAULTS),
    row("TaskDefinition", &["taskRoleArn", "executionRoleArn", "pidMode", "ipcMode"], Default(Text("")), DEFAULTS),
    row("TaskDefinition", &["enableFaultInjection"], Default(Truth(false)), DEFAULTS),
    row("TaskDefinition", &["cpu"], Cpu, SIZES),
    row("TaskDefinition", &["memory"], Memory, SIZES),
    row("TaskDefinition", &["containerDefinitions", "volumes"], By("name"), ORDER),
    row("TaskDefinition", &["inferenceAccelerators"], By("deviceName"), ORDER),
    row("TaskDefinition", &["placementConstraints", "requiresCompatibilities"], AnyOrder, ORDER),
    row(
        "TaskDefinition",
        &["ephemeralStorage", "proxyConfiguration", "runtimePlatform", "trustedExecutionConfiguration"],
        Inner,
        EMPTY,
    ),
    row("RuntimePlatform", &["operatingSystemFamily"], Default(Text("LINUX")), DEFAULTS),
    row("RuntimePlatform", &["cpuArchitecture"], Default(Text("X86_64")), DEFAULTS),
    row("TrustedExecutionConfiguration", &["isolationMode"], Default(Text("SHARED")), DEFAULTS),
    row("TrustedExecutionConfiguration", &["attestationPolicy"], Verbatim, VERBATIM),
    row("EphemeralStorage", &["sizeInGiB"], Verbatim, VERBATIM),
    row("ProxyConfiguration", &["type"], Default(Text("APPMESH")), DEFAULTS),
    row("ProxyConfiguration", &["containerName"], Verbatim, VERBATIM),
    row("ProxyConfiguration", &["properties"], By("name"), ORDER),
    row("InferenceAccelerator", &["deviceName", "deviceType"], Verbatim, VERBATIM),
    row("TaskDefinitionPlacementConstraint", &["type", "expression"], Verbatim, VERBATIM),
];

const CONTAINER: &[Row] = &[
    row("ContainerDefinition", &["cpu"], Default(Number(0)), DEFAULTS),
    row("ContainerDefinition", &["essential"], Default(Truth(true)), DEFAULTS),
    row(
        "ContainerDefinition",
        &["disableNetworking", "privileged", "readonlyRootFilesystem", "interactive", "pseudoTerminal"],
        Default(Truth(false)),
        DEFAULTS,
    ),
    row("ContainerDefinition", &["versionConsistency"], Default(Text("enabled")), DEFAULTS),
    row("ContainerDefinition", &["hostname", "user", "workingDirectory"], Default(Text("")), DEFAULTS),
    row("ContainerDefinition", &["environment", "secrets", "ulimits"], By("name"), ORDER),
    row("ContainerDefinition", &["dependsOn"], By("containerName"), ORDER),
    row("ContainerDefinition", &["mountPoints"], By("containerPath"), ORDER),
    row("ContainerDefinition", &["volumesFrom"], By("sourceContainer"), ORDER),
    row("ContainerDefinition", &["systemControls"], By("namespace"), ORDER),
    row(
        "ContainerDefinition",
        &["portMappings", "links", "dockerSecurityOptions", "resourceRequirements", "credentialSpecs"],
        AnyOrder,
        ORDER,
    ),
    row(
        "ContainerDefinition",
        &["command", "entryPoint", "environmentFiles", "dnsServers", "dnsSearchDomains", "extraHosts"],
        InOrder,
        EMPTY,
    ),
    row(
        "ContainerDefinition",
        &[
            "dockerLabels",
            "firelensConfiguration",
            "healthCheck",
            "linuxParameters",
            "logConfiguration",
            "repositoryCredentials",
            "restartPolicy",
        ],
        Inner,
        EMPTY,
    ),
    row(
        "ContainerDefinition",
        &["name", "image", "memory", "memoryReservation", "startTimeout", "stopTimeout"],
        Verbatim,
        VERBATIM,
    ),
];

const IN_CONTAINER: &[Row] = &[
    row("PortMapping", &["protocol"], Default(Text("tcp")), PORTS),
    row("PortMapping", &["hostPort"], HostPort, PORTS),
    row("PortMapping", &["containerPort", "containerPortRange", "name", "appProtocol"], Verbatim, VERBATIM),
    row("HealthCheck", &["interval"], Default(Number(30)), DEFAULTS),
    row("HealthCheck", &["timeout"], Default(Number(5)), DEFAULTS),
    row("HealthCheck", &["retries"], Default(Number(3)), DEFAULTS),
    row("HealthCheck", &["startPeriod"], Default(Number(0)), DEFAULTS),
    row("HealthCheck", &["command"], InOrder, EMPTY),
    row("ContainerRestartPolicy", &["restartAttemptPeriod"], Default(Number(300)), DEFAULTS),
    row("ContainerRestartPolicy", &["ignoredExitCodes"], AnyOrder, ORDER),
    row("ContainerRestartPolicy", &["enabled"], Verbatim, VERBATIM),
    row("LogConfiguration", &["logDriver"], Verbatim, VERBATIM),
    row("LogConfiguration", &["options"], Inner, EMPTY),
    row("LogConfiguration", &["secretOptions"], By("name"), ORDER),
    row("FirelensConfiguration", &["type"], Verbatim, VERBATIM),
    row("FirelensConfiguration", &["options"], Inner, EMPTY),
    row("MountPoint", &["readOnly"], Default(Truth(false)), DEFAULTS),
    row("MountPoint", &["sourceVolume", "containerPath"], Verbatim, VERBATIM),
    row("VolumeFrom", &["readOnly"], Default(Truth(false)), DEFAULTS),
    row("VolumeFrom", &["sourceContainer"], Verbatim, VERBATIM),
    row("KeyValuePair", &["name", "value"], Verbatim, VERBATIM),
    row("EnvironmentFile", &["value", "type"], Verbatim, VERBATIM),
    row("Secret", &["name", "valueFrom"], Verbatim, VERBATIM),
    row("ContainerDependency", &["containerName", "condition"], Verbatim, VERBATIM),
    row("HostEntry", &["hostname", "ipAddress"], Verbatim, VERBATIM),
    row("Ulimit", &["name", "softLimit", "hardLimit"], Verbatim, VERBATIM),
    row("SystemControl", &["namespace", "value"], Verbatim, VERBATIM),
    row("RepositoryCredentials", &["credentialsParameter"], Verbatim, VERBATIM),
    row("ResourceRequirement", &["value"], Default(Text("")), DEFAULTS),
    row("ResourceRequirement", &["type"], Verbatim, VERBATIM),
    row("ResourceRequirement", &["sharingStrategy"], Inner, EMPTY),
    row("SharingStrategy", &["nvidiaMps"], Inner, EMPTY),
    row("NvidiaMpsAllocation", &["memory"], Verbatim, VERBATIM),
    row("NvidiaMpsAllocation", &["maxComputePercent"], Default(Number(100)), DEFAULTS),
];

const LINUX: &[Row] = &[
    row("LinuxParameters", &["capabilities"], Inner, EMPTY),
    row("LinuxParameters", &["devices"], By("hostPath"), ORDER),
    row("LinuxParameters", &["tmpfs"], By("containerPath"), ORDER),
    row("LinuxParameters", &["initProcessEnabled"], Default(Truth(false)), DEFAULTS),
    row("LinuxParameters", &["sharedMemorySize", "maxSwap", "swappiness"], Verbatim, VERBATIM),
    row("KernelCapabilities", &["add", "drop"], AnyOrder, ORDER),
    row("Device", &["hostPath", "containerPath"], Verbatim, VERBATIM),
    row("Device", &["permissions"], AllOf(&["read", "write", "mknod"]), DEFAULTS),
    row("Tmpfs", &["containerPath", "size"], Verbatim, VERBATIM),
    row("Tmpfs", &["mountOptions"], InOrder, EMPTY),
];

const VOLUME: &[Row] = &[
    row("Volume", &["name"], Verbatim, VERBATIM),
    row("Volume", &["host"], Inner, EMPTY),
    row("Volume", &["configuredAtLaunch"], Default(Truth(false)), DEFAULTS),
    // Empty, it still asks for a volume that Docker manages and not for a folder of the host.
    row("Volume", &["dockerVolumeConfiguration"], Present, EMPTY),
    row(
        "Volume",
        &["efsVolumeConfiguration", "s3filesVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"],
        Inner,
        EMPTY,
    ),
    row("HostVolumeProperties", &["sourcePath"], Default(Text("")), DEFAULTS),
    row("DockerVolumeConfiguration", &["scope", "driver"], Verbatim, VERBATIM),
    row("DockerVolumeConfiguration", &["autoprovision"], Default(Truth(false)), DEFAULTS),
    row("DockerVolumeConfiguration", &["driverOpts", "labels"], Inner, EMPTY),
    row("EFSVolumeConfiguration", &["fileSystemId", "transitEncryptionPort"], Verbatim, VERBATIM),
    row("EFSVolumeConfiguration", &["rootDirectory"], Default(Text("/")), DEFAULTS),
    row("EFSVolumeConfiguration", &["transitEncryption"], Default(Text("DISABLED")), DEFAULTS),
    row("EFSVolumeConfiguration", &["authorizationConfig"], Inner, EMPTY),
    row("EFSAuthorizationConfig", &["iam"], Default(Text("DISABLED")), DEFAULTS),
    row("EFSAuthorizationConfig", &["accessPointId"], Verbatim, VERBATIM),
    row(
        "S3FilesVolumeConfiguration",
        &["fileSystemArn", "accessPointArn", "transitEncryptionPort"],
        Verbatim,
        VERBATIM,
    ),
    row("S3FilesVolumeConfiguration", &["rootDirectory"], Default(Text("/")), DEFAULTS),
    row("FSxWindowsFileServerVolumeConfiguration", &["fileSystemId", "rootDirectory"], Verbatim, VERBATIM),
    row("FSxWindowsFileServerVolumeConfiguration", &["authorizationConfig"], Inner, EMPTY),
    row("FSxWindowsFileServerAuthorizationConfig", &["credentialsParameter", "domain"], Verbatim, VERBATIM),
];

/// The JSON text that a target hands to RunTask; an override that is absent leaves what the task definition says, so
/// no value here equals absence.
const OVERRIDE: &[Row] = &[
    row("TaskOverride", &["containerOverrides"], By("name"), ORDER),
    row("TaskOverride", &["inferenceAcceleratorOverrides"], By("deviceName"), ORDER),
    row("TaskOverride", &["cpu"], Cpu, SIZES),
    row("TaskOverride", &["memory"], Memory, SIZES),
    row("TaskOverride", &["executionRoleArn", "taskRoleArn"], Verbatim, VERBATIM),
    row("TaskOverride", &["ephemeralStorage"], Inner, EMPTY),
    row("ContainerOverride", &["name", "cpu", "memory", "memoryReservation"], Verbatim, VERBATIM),
    row("ContainerOverride", &["command", "environmentFiles"], InOrder, EMPTY),
    row("ContainerOverride", &["environment"], By("name"), ORDER),
    row("ContainerOverride", &["resourceRequirements"], AnyOrder, ORDER),
    row("InferenceAcceleratorOverride", &["deviceName", "deviceType"], Verbatim, VERBATIM),
];
