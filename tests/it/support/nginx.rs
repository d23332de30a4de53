//! Debian's nginx with the configuration of `nginx/`, in front of collectors. Only addresses and paths differ from what an
//! operator runs, and what a test changes by name. Ends with the test, whatever happens.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait::{PATIENCE, wait_for, wait_within};
use super::wire::{self, Exchange, Response};

const NGINX: &str = "/usr/sbin/nginx";
const FILES: [&str; 3] = ["nginx.conf", "upstream.conf", "antenna.conf"];
const COLLECTOR: &str = "    server collector:8000 max_fails=0;\n";

/// A running nginx.
pub struct TestNginx {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl TestNginx {
    /// In front of these collectors, configured as it comes.
    pub fn before(collectors: &[SocketAddr]) -> Self {
        Self::changed(collectors, &[])
    }

    /// With texts of the configuration replaced; each must be there.
    pub fn changed(collectors: &[SocketAddr], changes: &[(&str, &str)]) -> Self {
        assert!(
            Path::new(NGINX).exists(),
            "{NGINX} is missing: run tests/run.sh once, it installs nginx"
        );
        let folder = tempfile::Builder::new()
            .prefix("antenna-nginx-")
            .tempdir()
            .expect("a temporary folder");
        let address = own_address();
        configure(folder.path(), address, collectors, changes);
        let child = spawn(folder.path());
        let mut nginx = Self {
            child,
            address,
            folder,
        };
        nginx.wait_until_ready();
        nginx
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of its configuration, where `antenna.htpasswd` belongs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends `bytes` on a connection of their own and reads one answer.
    pub fn send(&self, bytes: Vec<u8>) -> Response {
        wire::play(self.address, &Exchange::of(bytes))[0]
            .response()
            .clone()
    }

    pub fn get(&self, path: &str) -> Response {
        self.get_with(path, "")
    }

    /// With further header lines, each with its line end.
    pub fn get_with(&self, path: &str, headers: &str) -> Response {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: test\r\n{headers}Connection: close\r\n\r\n");
        self.send(request.into_bytes())
    }

    /// The access log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("access.log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) {
        let outcome = wait_for("nginx listens or has ended", || {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Some(Err(status));
            }
            std::net::TcpStream::connect(self.address).ok().map(Ok)
        });
        if let Err(status) = outcome {
            panic!("nginx ended with {status}:\n{}", self.errors());
        }
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(error_log(self.folder())).unwrap_or_default()
    }
}

impl Drop for TestNginx {
    fn drop(&mut self) {
        // Not KILL: the workers would go on without their master.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = wait_within(PATIENCE, "nginx ends", || {
            self.child.try_wait().expect("a child of ours")
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let log = self.errors();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.len().saturating_sub(40);
            eprintln!("nginx's last lines:\n{}", lines[tail..].join("\n"));
        }
    }
}

/// An address of the loopback that nobody else uses: nginx cannot tell which free port it took. Also for a collector
/// that has to come back where it was.
pub fn own_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let [_, b, c, d] = std::process::id().to_be_bytes();
    let port = NEXT.fetch_add(1, Ordering::Relaxed);
    SocketAddr::from(([127, 64 | (b & 0x3f), c, d], port))
}

fn configure(
    folder: &Path,
    address: SocketAddr,
    collectors: &[SocketAddr],
    changes: &[(&str, &str)],
) {
    let servers: String = collectors
        .iter()
        .map(|collector| COLLECTOR.replace("collector:8000", &collector.to_string()))
        .collect();
    let here = folder.display();
    let own = [
        (COLLECTOR, servers),
        ("listen 8080 ", format!("listen {address} ")),
        ("/var/log/nginx/", format!("{here}/")),
        ("/tmp/nginx", format!("{here}/nginx")),
    ];
    let changes = changes
        .iter()
        .map(|(old, new)| (*old, (*new).to_owned()))
        .chain(own);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx");
    let mut files = FILES.map(|name| std::fs::read_to_string(source.join(name)).expect("a file"));
    for (old, new) in changes {
        assert!(
            files.iter().any(|file| file.contains(old)),
            "nginx/ does not have: {old}"
        );
        for file in &mut files {
            *file = file.replace(old, &new);
        }
    }
    for (name, file) in FILES.iter().zip(files) {
        std::fs::write(folder.join(name), file).expect("a temporary file");
    }
}

fn spawn(folder: &Path) -> Child {
    // Started by root, workers become another user, who may not look into a test's folder.
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let errors = File::create(error_log(folder)).expect("a temporary file");
    Command::new(NGINX)
        .args(["-e", "stderr", "-g", &format!("daemon off; {user}"), "-c"])
        .arg(folder.join("nginx.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("nginx can be started")
}

fn error_log(folder: &Path) -> PathBuf {
    folder.join("error.log")
}
