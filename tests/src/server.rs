//! The three servers that play AWS, each a process of its own on a loopback port of its own.

use std::fmt;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::tools;
use crate::wire::{self, Message};

/// How long a server may take to answer; a Python program on a busy machine needs some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which server plays AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `ecs-etl emulator` over HTTP.
    Emulator,
    /// moto's server.
    Moto,
    /// ministack.
    Ministack,
}

impl Kind {
    /// Its name in the table of deviations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: SocketAddr,
    kind: Kind,
    // Its log, state and temporary files; removed after the process.
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server and waits until it takes connections.
    pub fn start(kind: Kind) -> Self {
        // Another process may take the port between our look and the server's bind: then it dies, and we try again.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(kind) {
                return server;
            }
        }
        panic!("{kind} found no free port in five attempts");
    }

    fn try_start(kind: Kind) -> Option<Self> {
        let port = free_port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let folder = tempfile::tempdir().expect("a folder for the server");
        let log = File::create(folder.path().join("log")).expect("the server's log");
        let mut command = command(kind, address, folder.path());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the server's log, again"))
            .stderr(log)
            // Servers keep files of their own in the temporary folder, by port.
            .env("TMPDIR", folder.path())
            .current_dir(folder.path());
        let process = command.spawn().unwrap_or_else(|error| panic!("{kind} did not start: {error}"));
        let mut server = Self { process, address, kind, folder };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if server.process.try_wait().expect("the server's state").is_some() {
                assert!(server.log().contains("in use"), "{kind} ended before it listened:\n{}", server.log());
                return None;
            }
            assert!(Instant::now() < deadline, "{kind} did not listen within {PATIENCE:?}:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Makes it forget everything.
    pub fn reset(&self) {
        let path = match self.kind {
            Kind::Emulator | Kind::Moto => "/moto-api/reset",
            Kind::Ministack => "/_ministack/reset",
        };
        let answer = wire::exchange(self.address, &Message::request("POST", path, &[], ""))
            .unwrap_or_else(|error| panic!("{} was not reset: {error}\n{}", self.kind, self.log()));
        assert_eq!(answer.status(), 200, "{} refuses to be reset", self.kind);
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only when the process is gone already, which is what is wanted.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(|_| ()).unwrap_or_default();
    }
}

fn command(kind: Kind, address: SocketAddr, folder: &Path) -> Command {
    match kind {
        Kind::Emulator => {
            let mut command = Command::new(tools::ecs_etl());
            command.args(["emulator", "--listen", &address.to_string()]);
            command
        }
        Kind::Moto => {
            let mut command = Command::new(tools::python_tool("python"));
            command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()]);
            command
        }
        Kind::Ministack => {
            let mut command = Command::new(tools::python_tool("ministack"));
            command
                // It listens on every interface unless told, and opens further ports for services we do not use.
                .env("BIND_HOST", "127.0.0.1")
                .env("GATEWAY_PORT", address.port().to_string())
                .env("IOT_MTLS_ENABLED", "0")
                .env("SFTP_ENABLED", "0")
                .env("STATE_DIR", folder)
                .env("LOG_LEVEL", "WARNING");
            command
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
    listener.local_addr().expect("its number").port()
}
