"""Applies each mutant to a copy of the tree and runs the tests that are named for it. `run.sh` says how to use it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path.cwd()
COPY = ROOT / "target/mutants/tree"
BUILD = ROOT / "target/mutants/build"
# A mutant may make a test wait for ever: that is noticed, too.
LONGEST_SECONDS = 900


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    table = tomllib.loads((ROOT / "tests/mutants/mutants.toml").read_text())
    mutants = [mutant for mutant in table["mutant"] if word in mutant["name"]]
    copy_tree()
    tests = sorted({(mutant.get("target", "lib"), mutant["tests"]) for mutant in mutants})
    for target, filter in tests:
        outcome, detail = run(target, filter)
        if outcome != "passed":
            sys.exit(f"{target} {filter} must pass without a mutant: {outcome} {detail}")
    outcomes = [(mutant["name"], *judge(mutant)) for mutant in mutants]
    survivors = [name for name, is_caught, _ in outcomes if not is_caught]
    print(f"{len(mutants)} mutants, {len(survivors)} survive")
    sys.exit(1 if survivors else 0)


def copy_tree():
    """What git knows or would add; the build of the tree itself saves building all dependencies again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    shutil.rmtree(COPY, ignore_errors=True)
    for name in names:
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)
    if not BUILD.exists() and (ROOT / "target/debug").exists():
        BUILD.mkdir(parents=True)
        subprocess.run(["cp", "-a", ROOT / "target/debug", BUILD / "debug"], check=True)
    # The tests look for their tools here.
    for tools in ["venv", "node", "tools"]:
        if (ROOT / "target" / tools).exists():
            (COPY / "target").mkdir(exist_ok=True)
            (COPY / "target" / tools).symlink_to(ROOT / "target" / tools)


def judge(mutant):
    path = COPY / mutant["file"]
    whole = path.read_text()
    # Lines may be broken and indented in another way than here.
    pattern = r"\s*".join(re.escape(word) for word in mutant["from"].split())
    found = re.findall(pattern, whole)
    if len(found) != 1:
        sys.exit(f"{mutant['name']}: {len(found)} places in {mutant['file']} for {mutant['from']}")
    path.write_text(re.sub(pattern, lambda _: mutant["to"], whole))
    try:
        outcome, detail = run(mutant.get("target", "lib"), mutant["tests"])
    finally:
        path.write_text(whole)
    if outcome == "broken":
        sys.exit(f"{mutant['name']}: does not compile\n{detail}")
    is_caught = outcome != "passed"
    print(f"{mutant['name']}: {'caught by ' + detail if is_caught else 'SURVIVES'}", flush=True)
    return is_caught, detail


def run(target, filter):
    """`passed`; `failed`, with the test; or `broken`, with what the compiler says."""
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(BUILD),
        "PROPTEST_MAX_SHRINK_ITERS": "0",
        "RUST_BACKTRACE": "0",
    }
    of = ["--lib"] if target == "lib" else ["--test", target]
    cargo = ["cargo", "test", "--locked", "--quiet", *of]
    built = subprocess.run([*cargo, "--no-run"], cwd=COPY, env=environment, capture_output=True, text=True)
    if built.returncode != 0:
        return "broken", built.stderr[-3000:]
    try:
        done = subprocess.run(
            [*cargo, "--", filter], cwd=COPY, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "failed", f"{filter}, which does not end"
    if "NOT TESTED" in done.stdout + done.stderr:
        sys.exit(f"{filter}: not tested on this machine")
    if done.returncode == 0:
        return "passed", ""
    failed = re.findall(r"^    (\S+::\S+)$", done.stdout, re.MULTILINE)
    return "failed", (failed or [f"{filter}, which ends before its end"])[0]


if __name__ == "__main__":
    main()
