"""One run of wrk: a body posted over and over by so many connections for so many seconds."""

import json
import subprocess
from pathlib import Path

from bodies import BOUNDARY

SCRIPT = Path(__file__).parent / "post.lua"
LONGEST_ANSWER_SECONDS = 30


def start(port, body, connections, seconds, keep_alive=True):
    """The process; `result` waits for its end."""
    command = [
        "wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", f"--timeout={LONGEST_ANSWER_SECONDS}s",
        "-s", SCRIPT, f"http://127.0.0.1:{port}/submit", "--",
        body.path, BOUNDARY, body.encoding, "keep-alive" if keep_alive else "close",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def result(process):
    output = process.communicate()[0]
    try:
        return json.loads(output.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        raise RuntimeError(f"wrk failed:\n{output}") from None


def run(*arguments, **more):
    return result(start(*arguments, **more))
