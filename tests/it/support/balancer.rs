//! Debian's haproxy and nginx's stream module as load balancers that pass TCP on, with a header of the PROXY protocol
//! before it. They end with the test, whatever happens.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::nginx::own_address;
use super::wait::{PATIENCE, wait_for, wait_within};

const HAPROXY: &str = "/usr/sbin/haproxy";
const NGINX: &str = "/usr/sbin/nginx";
const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// A running load balancer.
pub struct Balancer {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Balancer {
    /// haproxy; `options` are those of the line `server`, `send-proxy` among them.
    pub fn haproxy(collector: SocketAddr, options: &str) -> Self {
        let address = own_address();
        let text = format!(
            "defaults\n  mode tcp\n  timeout connect 30s\n  timeout client 60s\n  timeout server 60s\n\
             listen reports\n  bind {address}\n  option httpchk GET /__lbheartbeat__\n  \
             http-check expect status 200\n  server collector {collector} {options}\n"
        );
        Self::start(HAPROXY, &[HAPROXY], address, &["-db", "-f"], &text)
    }

    /// haproxy that reads requests, lets odd ones pass, and keeps its connections.
    pub fn haproxy_http(collector: SocketAddr) -> Self {
        let address = own_address();
        let text = format!(
            "defaults\n  mode http\n  timeout connect 30s\n  timeout client 60s\n  timeout server 60s\n\
             listen reports\n  bind {address}\n  option accept-invalid-http-request\n  http-reuse always\n  \
             option httpchk GET /__lbheartbeat__\n  http-check expect status 200\n  server collector {collector}\n"
        );
        Self::start(HAPROXY, &[HAPROXY], address, &["-db", "-f"], &text)
    }

    /// nginx' stream module, which speaks version 1.
    pub fn nginx_stream(collector: SocketAddr) -> Self {
        let address = own_address();
        let text = format!(
            "load_module {STREAM_MODULE};\npid FOLDER/nginx.pid;\nevents {{ worker_connections 64; }}\n\
             stream {{ server {{ listen {address}; proxy_pass {collector}; proxy_protocol on; }} }}\n"
        );
        let args = ["-e", "stderr", "-g", "daemon off;", "-c"];
        Self::start(NGINX, &[NGINX, STREAM_MODULE], address, &args, &text)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(
        program: &str,
        needed: &[&str],
        address: SocketAddr,
        args: &[&str],
        text: &str,
    ) -> Self {
        for file in needed {
            let is_there = Path::new(file).exists();
            assert!(
                is_there,
                "{file} is missing: run tests/run.sh once, it installs it"
            );
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("balancer.conf");
        let text = text.replace("FOLDER", &folder.path().display().to_string());
        std::fs::write(&file, text).expect("a temporary file");
        let errors = File::create(folder.path().join("errors")).expect("a temporary file");
        let child = Command::new(program)
            .args(args)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("the balancer can be started");
        let mut balancer = Self {
            child,
            address,
            folder,
        };
        balancer.wait_until_ready();
        balancer
    }

    fn wait_until_ready(&mut self) {
        let ended = wait_for("the balancer listens or has ended", || {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Some(Some(status));
            }
            TcpStream::connect(self.address).ok().map(|_| None)
        });
        if let Some(status) = ended {
            panic!("the balancer ended with {status}:\n{}", self.errors());
        }
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("errors")).unwrap_or_default()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Not KILL: nginx' workers would go on without their master.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = wait_within(PATIENCE, "the balancer ends", || {
            self.child.try_wait().expect("a child of ours")
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the balancer said:\n{}", self.errors());
        }
    }
}
