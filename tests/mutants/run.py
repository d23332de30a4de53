"""Applies each mutant to a copy of the sources and runs the tests that are named for it. `run.sh` says how to use it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path.cwd()
BUILD = ROOT / "target/mutants"
# The disk half alone, which is built in seconds, and the whole tree for what needs it.
HALF, WHOLE = BUILD / "half", BUILD / "whole"
HALF_MODULES = ["crash", "crash_publish", "crash_storage", "crashmover", "disk", "fail_point", "metrics", "spool"]
# All that they use of the settings: the file and the type.
HALF_SETTINGS = {"choice": "Acknowledge", "crashmover": "CrashmoverSettings", "metrics": "StatsdSettings"}
# What speaks to clouds would bring SDKs, which take minutes.
CLOUDS = "s3|sqs|gcs|pubsub"
# A mutant may make a test wait for ever: that is noticed, too.
LONGEST_SECONDS = 900


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    table = tomllib.loads((ROOT / "tests/mutants/mutants.toml").read_text())
    mutants = [mutant for mutant in table["mutant"] if word in mutant["name"]]
    targets = {target_of(mutant) for mutant in mutants}
    if "half" in targets:
        copy_half()
    if targets - {"half"}:
        copy_whole()
    for target, tests in sorted({(target_of(mutant), mutant["tests"]) for mutant in mutants}):
        outcome, detail = run(target, tests)
        if outcome != "passed":
            sys.exit(f"{tests} must pass without a mutant: {outcome} {detail}")
    caught = [judge(mutant) for mutant in mutants]
    print(f"{len(mutants)} mutants, {caught.count(False)} survive")
    sys.exit(0 if all(caught) else 1)


def target_of(mutant):
    return mutant.get("target", "half")


def copy_half():
    shutil.rmtree(HALF / "src", ignore_errors=True)
    (HALF / "src").mkdir(parents=True)
    for name in HALF_MODULES:
        if (ROOT / "src" / name).is_dir():
            shutil.copytree(ROOT / "src" / name, HALF / "src" / name)
        else:
            shutil.copy2(ROOT / "src" / f"{name}.rs", HALF / "src")
    for name in ["crash_storage", "crash_publish"]:
        room = HALF / "src" / name / "mod.rs"
        room.write_text(re.sub(rf"^(pub use|mod) ({CLOUDS})\b.*\n", "", room.read_text(), flags=re.MULTILINE))
    types = ["use std::num::NonZeroUsize;\nuse std::time::Duration;\n"]
    for name, wanted in HALF_SETTINGS.items():
        sources = (ROOT / f"src/settings/{name}.rs").read_text()
        pattern = rf"^#\[derive[^\n]*\npub (?:struct|enum) {wanted} {{.*?^}}\n"
        types += re.findall(pattern, sources, re.MULTILINE | re.DOTALL)
    (HALF / "src/settings.rs").write_text("".join(types))
    (HALF / "src/lib.rs").write_text("".join(f"pub mod {name};\n" for name in ["settings", *HALF_MODULES]))
    shutil.copy2(ROOT / "tests/mutants/Cargo.toml", HALF)
    shutil.copy2(ROOT / "Cargo.lock", HALF)


def copy_whole():
    """What git knows or would add; with what is built already, so that not all dependencies are built again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    for name in names:
        (WHOLE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, WHOLE / name)
    if not (WHOLE / "target").exists() and (ROOT / "target/debug").exists():
        (WHOLE / "target").mkdir()
        subprocess.run(["cp", "-a", ROOT / "target/debug", WHOLE / "target/debug"], check=True)


def judge(mutant):
    """True if a test noticed."""
    path = (HALF if target_of(mutant) == "half" else WHOLE) / mutant["file"]
    sources = path.read_text()
    # Lines may be broken and indented in another way than in the list.
    pattern = r"\s*".join(re.escape(word) for word in mutant["from"].split())
    places = len(re.findall(pattern, sources))
    if places != 1:
        sys.exit(f"{mutant['name']}: {places} places in {mutant['file']}")
    path.write_text(re.sub(pattern, lambda _: mutant["to"], sources))
    try:
        outcome, detail = run(target_of(mutant), mutant["tests"])
    finally:
        path.write_text(sources)
    if outcome == "broken":
        sys.exit(f"{mutant['name']} does not compile:\n{detail}")
    print(f"{mutant['name']}: {'SURVIVES' if outcome == 'passed' else 'caught by ' + detail}", flush=True)
    return outcome == "failed"


def run(target, tests):
    """`passed`; `failed`, with the test; or `broken`, with what the compiler says."""
    folder = HALF if target == "half" else WHOLE
    where = ["--test", target] if target not in ["half", "lib"] else ["--lib"]
    cargo = ["cargo", "test", "--quiet", *where]
    options = {
        "cwd": folder,
        "env": os.environ | {"CARGO_TARGET_DIR": str(folder / "target"), "PROPTEST_MAX_SHRINK_ITERS": "0"},
        "capture_output": True,
        "text": True,
    }
    built = subprocess.run([*cargo, "--no-run"], **options)
    if built.returncode != 0:
        return "broken", built.stderr[-3000:]
    try:
        done = subprocess.run([*cargo, "--", tests], timeout=LONGEST_SECONDS, **options)
    except subprocess.TimeoutExpired:
        return "failed", f"{tests}, which does not end"
    if "NOT TESTED" in done.stdout + done.stderr:
        sys.exit(f"{tests}: cannot be tested on this machine")
    if done.returncode == 0:
        return "passed", ""
    failed = re.findall(r"^    (\S+::\S+)$", done.stdout, re.MULTILINE)
    return "failed", (failed or [f"{tests}, which breaks off"])[0]


if __name__ == "__main__":
    main()
