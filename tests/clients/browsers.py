#!/usr/bin/env python3
"""Lets real browsers crash, and demands that the collector has what their crash reporters sent, byte for byte.

Started by tests/clients/run.sh. Everything happens in a temporary folder; nothing leaves the machine.
"""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHROMIUM = pathlib.Path("/usr/lib/chromium")
FIREFOX = "/usr/lib/firefox-esr/firefox-esr"
PATIENCE_SECONDS = 120
# Without these it asks hosts that are not there. The sandbox does not start as root.
CHROMIUM_OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --enable-crash-reporter""".split()
# In place of Chromium's handler, which has no address to upload to: the same one, with the collector's.
HANDLER = """#!/bin/sh
exec {handler} "$@" --url={url} --no-rate-limit
"""
# Where the database of a Crashpad handler says that uploads are allowed.
UPLOADS_ENABLED_AT = 8


def wait_for(what, probe):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"browsers: waited {PATIENCE_SECONDS} s in vain: {what}")


def start(command, environment, log_path):
    """A process that does not outlive this one."""
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    atexit.register(process.kill)
    return process


class Collector:
    def __init__(self, folder):
        self.crashes = folder / "crashes"
        self.log = folder / "collector.log"
        settings = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "BASEDIR": str(folder),
            "CRASHMOVER_CRASHSTORAGE_FS_ROOT": str(self.crashes),
            "BREAKPAD_THROTTLER_RULES": "accept_all",
            "BREAKPAD_THROTTLER_PRODUCTS": "all",
        }
        self.process = start([ROOT / "target/debug/antenna"], settings, self.log)
        said = re.compile(r"listening on (http://[\d.:]+)")
        ready = wait_for("the collector listens", lambda: said.search(self.log.read_text()))
        self.url = ready.group(1) + "/submit"

    def report(self, crash_id):
        """The raw crash and the minidump of a report; the raw crash is written last."""
        (raw_crash,) = self.crashes.glob(f"*/raw_crash/{crash_id}.json")
        (minidump,) = self.crashes.glob(f"*/upload_file_minidump/{crash_id}")
        return json.loads(raw_crash.read_text()), minidump.read_bytes()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE_SECONDS) != 0:
            sys.exit("browsers: the collector did not stop well")


def chromium(folder, collector):
    program = copy_of_chromium(folder / "chromium", collector.url)
    dumps, home = folder / "dumps", folder / "chromium-home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "BREAKPAD_DUMP_LOCATION": str(dumps), "CHROME_HEADLESS": "1"}
    command = [program, *CHROMIUM_OPTIONS, f"--user-data-dir={home}/profile", "about:blank"]
    browser = start(command, environment, folder / "chromium.log")
    renderer = wait_for("Chromium has a renderer", lambda: renderer_of(home))
    settings = wait_for("the handler has a database", lambda: next(dumps.glob("settings.dat"), None))
    with open(settings, "r+b") as database:
        database.seek(UPLOADS_ENABLED_AT)
        database.write(b"\1")
    os.kill(renderer, signal.SIGSEGV)
    wait_for("the renderer's report is uploaded", lambda: len(uploaded(dumps)) == 1)
    browser.send_signal(signal.SIGSEGV)
    wait_for("the browser's report is uploaded", lambda: len(uploaded(dumps)) == 2)
    browser.wait(PATIENCE_SECONDS)
    for crash_id, sent in uploaded(dumps).items():
        raw_crash, stored = collector.report(crash_id)
        assert stored == sent, f"{crash_id}: the dump differs"
        yield f"chromium {raw_crash['ver']}, {raw_crash['ptype']}", raw_crash, stored


def copy_of_chromium(folder, url):
    """Chromium looks for its handler beside its own program, so that is copied and the rest linked."""
    folder.mkdir()
    for path in CHROMIUM.iterdir():
        if path.name not in ("chromium", "chrome_crashpad_handler"):
            (folder / path.name).symlink_to(path)
    shutil.copy(CHROMIUM / "chromium", folder / "chromium")
    handler = folder / "chrome_crashpad_handler"
    handler.write_text(HANDLER.format(handler=CHROMIUM / handler.name, url=url))
    handler.chmod(0o755)
    return folder / "chromium"


def renderer_of(home):
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"--type=renderer" in line and str(home).encode() in line:
            return int(path.parent.name)
    return None


def uploaded(dumps):
    """Crash ids that the handler has noted, with the dumps that belong to them."""
    found = {}
    for path in dumps.glob("completed/*.meta"):
        crash_id = re.search(rb"CrashID=bp-([0-9a-f-]{36})\n", path.read_bytes())
        if crash_id:
            found[crash_id.group(1).decode()] = path.with_suffix(".dmp").read_bytes()
    return found


def firefox(folder, collector):
    home = folder / "firefox-home"
    (home / "profile").mkdir(parents=True)
    environment = os.environ | {
        "HOME": str(home),
        "MOZ_CRASHREPORTER": "1",
        "MOZ_CRASHREPORTER_AUTO_SUBMIT": "1",
        "MOZ_CRASHREPORTER_NO_DELETE_DUMP": "1",
        "MOZ_CRASHREPORTER_URL": collector.url,
    }
    command = [FIREFOX, "--headless", "--no-remote", "--profile", home / "profile", "about:blank"]
    browser = start(command, environment, folder / "firefox.log")
    # Written once the first window is restored, well after the crash reporter was set up.
    wait_for("Firefox has started", lambda: (home / "profile/sessionstore-backups").is_dir())
    browser.send_signal(signal.SIGSEGV)
    submitted = wait_for("Firefox has noted the id", lambda: next(home.glob("**/submitted/bp-*.txt"), None))
    browser.wait(PATIENCE_SECONDS)
    (pending,) = home.glob("**/pending/*.dmp")
    raw_crash, stored = collector.report(submitted.stem.removeprefix("bp-"))
    assert stored == pending.read_bytes(), "the dump differs"
    yield f"{raw_crash['ProductName']} {raw_crash['Version']}, browser", raw_crash, stored


def main(wanted):
    browsers = {"chromium": chromium, "firefox": firefox}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="antenna-browsers-"))
    collector = Collector(folder)
    for name in wanted or browsers:
        for title, raw_crash, minidump in browsers[name](folder, collector):
            metadata = raw_crash["metadata"]
            print(
                f"browsers: {title}: delivered, {len(minidump)} bytes of minidump as sent, {len(raw_crash) - 4} "
                f"annotations, {metadata['payload_size']} bytes, compressed {metadata['payload_compressed']}, "
                f"notes {metadata['collector_notes']}",
                flush=True,
            )
    collector.stop()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
