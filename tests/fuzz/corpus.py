#!/usr/bin/env python3
"""Makes the fuzz targets' seeds from what the repository has: captures of real clients, recorded cases, rules.

Usage: corpus.py FOLDER [LARGEST_BYTES]. Writes FOLDER/<target>/<name>.
"""

import base64
import itertools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
# Flags of the target `intake`.
CHUNKED, NO_LENGTH, NO_TYPE, ENCODED_HERE = 16, 32, 64, 1
# Odd products and moments for rules that ask for them.
DICE = bytes([0, 255, 128, 7])


def main(folder, largest_bytes):
    for target, seeds in (
        ("intake", itertools.chain(intake(), encodings())),
        ("heads", heads()),
        ("rules_file", rules_file()),
    ):
        below = folder / target
        below.mkdir(parents=True, exist_ok=True)
        count = 0
        for name, content in seeds:
            if len(content) <= largest_bytes:
                (below / name).write_bytes(content)
                count += 1
        print(f"corpus: {target}: {count} seeds")


def requests():
    """Name and bytes of every recorded request."""
    for path in sorted((DATA / "clients").glob("*.bin")):
        yield path.stem, path.read_bytes()
    with open(DATA / "contract/corpus_visible.jsonl", encoding="utf-8") as lines:
        for case in map(json.loads, lines):
            if "request_b64" in case:
                yield case["name"], base64.b64decode(case["request_b64"])


def intake():
    for number, (name, request) in enumerate(requests()):
        head, _, body = request.partition(b"\r\n\r\n")
        headers = {}
        for line in head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            headers[key.strip().lower()] = value.strip()
        flags = 0
        if b"transfer-encoding" in headers:
            flags |= CHUNKED | NO_LENGTH
            body = dechunked(body)
        if b"content-type" not in headers:
            flags |= NO_TYPE
        seed = number % 256
        lines = [headers.get(b"content-type", b""), headers.get(b"content-encoding", b""), body]
        yield name, bytes([flags, 255, seed, 0]) + b"\n".join(lines)
        if len(body) < 2000 and b"content-encoding" not in headers:
            for encoding in (b"gzip", b"deflate", b"zstd"):
                lines[1] = encoding
                head = bytes([flags | ENCODED_HERE, 255, seed, 0])
                yield f"{name}-{encoding.decode()}", head + b"\n".join(lines)


def encodings():
    """Encoded by others, for the fuzzer to start from."""
    for path in sorted((DATA / "encodings").glob("form.*")):
        encoding = path.suffix[1:].split("-")[0].encode()
        head = bytes([0, 255, 0, 0]) + b"multipart/form-data; boundary=xyz\n" + encoding + b"\n"
        yield path.name, head + path.read_bytes()


def heads():
    for number, (name, request) in enumerate(requests()):
        # Dumps mean nothing here; heads and chunk lines do.
        request = request[:4000]
        yield name, bytes([number % 256]) + request
        head, end, body = request.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        if not lines[0].endswith(b" HTTP/1.1") or number % 3:
            continue
        lines[0] = lines[0][:-1] + b"0"
        lines = [line for line in lines if not line.lower().startswith((b"content-length", b"transfer-encoding"))]
        body = dechunked(body) if b"chunked" in head.lower() else body
        lines.append(b"Transfer-Encoding: chunked")
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body[:300]), body[:300])
        old = b"\r\n".join(lines) + end + chunk
        yield name + "-old", bytes([number % 256]) + old
        get = b"GET /a?b c HTTP/1.1\r\nHost: t\r\n\r\n"
        kept = request.replace(b"Connection: close\r\n", b"")
        yield name + "-several", bytes([number % 256]) + get + kept + get + old


def rules_file():
    with open(DATA / "throttle_cases.jsonl", encoding="utf-8") as lines:
        cases = [json.dumps(json.loads(line)["annotations"]) for line in lines]
    texts = {"mozilla": (ROOT / "src/throttle/mozilla.toml").read_text()}
    page = (ROOT / "docs/throttling.md").read_text()
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page, re.S)):
        texts[f"page-{number}"] = block
    # Each condition on its own, in a whole file.
    rest = '\n[[rule]]\nname = "rest"\nresult = "accept"\n'
    for source in ("mistakes.rs", "rules_file/tests.rs", "rules_file/condition.rs", "condition.rs", "rule.rs", "rules_file/outcome.rs", "json_path.rs"):
        text = (ROOT / "src/throttle" / source).read_text()
        source = source.replace("/", "-")
        for number, block in enumerate(re.findall(r'r#"(.*?)"#', text, re.S)):
            texts[f"{source}-{number}"] = block + rest
        for number, block in enumerate(re.findall(r"\{ annotation.*?\}", text)):
            block = block.replace('\\"', '"')
            texts[f"{source}-when-{number}"] = f'[[rule]]\nname = "a"\nwhen = {block}\nresult = "reject"{rest}'
    for number, (name, text) in enumerate(texts.items()):
        for case in cases[number :: len(texts)][:5] or cases[:1]:
            yield f"{name}-{cases.index(case)}", text.encode() + b"\0" + case.encode() + b"\0" + DICE


def dechunked(body):
    whole = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            break
        if size == 0:
            break
        whole, body = whole + body[:size], body[size + 2 :]
    return whole


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 32768)
