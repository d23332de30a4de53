"""The servers under load: the collector with each storage, nginx as the measure, fast and slow stand-ins for AWS.

Each is started for one measurement, on free ports of the loopback, in a folder of its own.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
ANTENNA = HERE.parent.parent / "target/release/antenna"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 30
# Given to every collector on top of its own settings; for trying things out.
MORE_SETTINGS = {}


def add_option(parser):
    """An option with which something can be tried on every collector, for instance another allocator."""
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="for every collector; repeatable")


def use_option(chosen):
    MORE_SETTINGS.update(setting.split("=", 1) for setting in chosen.setting)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, server=None):
    """What the condition gives, once it is true. A server that does not become ready is ended."""
    try:
        return _wait_until(what, condition)
    except Exception:
        if server:
            server.__exit__()
        raise


def _wait_until(what, condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not come in {PATIENCE_SECONDS} s")


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process and its children."""

    def __init__(self, command, folder, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.log = folder, folder / "output.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        self.port = None

    def pids(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_seconds(self):
        """User and system time so far, of all threads."""
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def memory_mb(self, field="VmHWM"):
        """Resident memory, by default its peak."""
        kib = 0
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            kib += sum(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
        return kib / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def environment(settings):
    """Of a collector with these settings: it takes every report and tells nobody of it."""
    return {
        "PORT": "0",
        "HOST": "127.0.0.1",
        "BREAKPAD_THROTTLER_RULES": "accept_all",
        "BREAKPAD_THROTTLER_PRODUCTS": "all",
        "CRASHMOVER_CRASHPUBLISH_CLASS": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        **settings,
        **MORE_SETTINGS,
    }


def collector(folder, settings):
    """The collector. Everything it writes is in `folder`."""
    server = Server([ANTENNA], folder, environment(settings))

    def port():
        if server.process.poll() is not None:
            raise RuntimeError(f"the collector ended:\n{server.log.read_text()}")
        text = server.log.read_text()
        return int(text.split("listening on http://127.0.0.1:")[1].split('"')[0].split()[0]) if "listening on" in text else 0

    server.port = wait_until("the collector's ready line", port, server)
    return server


NGINX = """
daemon off; pid nginx.pid; error_log error.log; worker_processes 2; {user}
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000;
    upstream answer {{ server 127.0.0.1:{inner}; keepalive 600; keepalive_requests 1000000000; }}
    {servers}
}}
"""

# nginx reads a body only for somebody: the request goes on, without the body, to a server that answers at once.
RECEIVE = """
    client_max_body_size 30m; client_body_in_file_only {mode}; client_body_temp_path bodies;
    server {{
        listen 127.0.0.1:{outer} backlog=1024;
        location / {{
            proxy_pass http://answer; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_pass_request_body off; proxy_set_header Content-Length "";
        }}
    }}
    server {{ listen 127.0.0.1:{inner}; location / {{ return 200 "ok\\n"; }} }}
"""

# One answer that every call of S3 and SQS which the collector makes is content with.
AWS = """
    client_max_body_size 100m;
    server {{
        listen 127.0.0.1:{outer} backlog=1024;
        location / {{
            default_type application/x-amz-json-1.0; add_header ETag '"0"';
            if ($request_method != POST) {{ return 200; }}
            return 200 '{{"QueueUrl":"http://127.0.0.1:{outer}/1/q","MessageId":"1","Failed":[],"Successful":[{sent}]}}';
        }}
    }}
"""


def _nginx(folder, template, **values):
    outer, inner = free_port(), free_port()
    folder.mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""
    servers = template.format(outer=outer, inner=inner, **values)
    (folder / "nginx.conf").write_text(NGINX.format(user=user, inner=inner, servers=servers))
    server = Server(["/usr/sbin/nginx", "-p", folder, "-c", "nginx.conf", "-e", "error.log"], folder)
    server.port = outer
    wait_until("nginx", lambda: accepts(outer), server)
    return server


def nginx(folder, mode):
    """nginx that receives bodies into files, which are kept (`on`) or deleted at the end of the request (`clean`)."""
    return _nginx(folder, RECEIVE, mode=mode)


def fast_aws(folder):
    """S3 and SQS that say yes to everything at once."""
    sent = ",".join(f'{{"Id":"{n}","MessageId":"{n}","MD5OfMessageBody":"0"}}' for n in range(10))
    return _nginx(folder, AWS, sent=sent)


class SlowStorage(Server):
    """S3 that answers, answers late, or hangs, as it is told."""

    def __init__(self, folder):
        port = free_port()
        super().__init__([sys.executable, HERE / "slow_storage.py", str(port)], folder)
        self.port = port
        wait_until("the slow storage", lambda: accepts(port), self)

    def become(self, mode):
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__mode/{mode}", timeout=5).read()


def s3_settings(port):
    return {
        "CRASHMOVER_CRASHSTORAGE_CLASS": "s3",
        "CRASHMOVER_CRASHSTORAGE_BUCKET_NAME": "b",
        "CRASHMOVER_CRASHSTORAGE_REGION": "us-east-1",
        "CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "CRASHMOVER_CRASHSTORAGE_ACCESS_KEY": "a",
        "CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY": "b",
    }


def sqs_settings(port):
    return {
        "CRASHMOVER_CRASHPUBLISH_CLASS": "sqs",
        "CRASHMOVER_CRASHPUBLISH_QUEUE_NAME": "q",
        "CRASHMOVER_CRASHPUBLISH_REGION": "us-east-1",
        "CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "CRASHMOVER_CRASHPUBLISH_ACCESS_KEY": "a",
        "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY": "b",
    }


def disk_settings(fsync):
    return {
        "CRASHMOVER_CRASHSTORAGE_CLASS": "fs",
        "CRASHMOVER_CRASHSTORAGE_FS_ROOT": "crashes",
        "CRASHMOVER_CRASHSTORAGE_FS_FSYNC": "true" if fsync else "false",
    }
