"""The bodies that are posted: one form each, made from a fixed seed, so that every run posts the same bytes."""

import json
import random
import zlib
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = "----------------------------5f1c1b0a77d4"
KIB = 1024


@dataclass(frozen=True)
class Body:
    name: str
    path: Path
    length_bytes: int
    encoding: str = "-"


def annotations():
    """Thirty, as a desktop browser sends them: names known to the rules, and values from 5 to 120 bytes."""
    dice = random.Random(7)
    known = {
        "ProductName": "Firefox",
        "Version": "153.0a1",
        "ReleaseChannel": "nightly",
        "BuildID": "20991231093010",
        "Vendor": "Mozilla",
    }
    letters = "abcdefghijklmnopqrstuvwxyz0123456789 ,.:-"
    for number in range(25):
        known[f"Annotation{number:02}"] = "".join(dice.choices(letters, k=dice.randrange(5, 121)))
    return known


def random_dump(length_bytes, seed):
    """Bytes that cannot be compressed."""
    return b"MDMP" + random.Random(seed).randbytes(length_bytes - 4)


def compressible_dump(length_bytes, seed):
    """Runs of 62 random bytes and 130 of a short pattern: gzip makes about a third of it."""
    noise, pattern = random.Random(seed), (b"\0\0\0\0\x10\0\0\0" * 17)[:130]
    runs = length_bytes // 192 + 1
    return (b"MDMP" + b"".join(noise.randbytes(62) + pattern for _ in range(runs)))[:length_bytes]


def part(name, value, more=""):
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def dump_part(dump):
    return part("upload_file_minidump", dump, '; filename="a.dmp"\r\nContent-Type: application/octet-stream')


def form(dump, as_json=False):
    if as_json:
        extra = json.dumps(annotations()).encode()
        fields = part("extra", extra, '; filename="extra.json"\r\nContent-Type: application/json')
    else:
        fields = b"".join(part(name, value.encode()) for name, value in annotations().items())
    return fields + dump_part(dump) + f"--{BOUNDARY}--\r\n".encode()


def gzipped(data):
    encoder = zlib.compressobj(6, zlib.DEFLATED, 31)
    return encoder.compress(data) + encoder.flush()


def write_all(folder):
    """All bodies by name, written below `folder`."""
    made = {
        "plain": (form(random_dump(390 * KIB, 1)), "-"),
        "gzip": (gzipped(form(compressible_dump(390 * KIB, 2))), "gzip"),
        "1k": (form(random_dump(KIB, 6)), "-"),
        "20k": (form(random_dump(18 * KIB, 3)), "-"),
        "5m": (form(random_dump(5 * KIB * KIB, 4)), "-"),
        "json": (form(random_dump(390 * KIB, 5), as_json=True), "-"),
    }
    bodies = {}
    for name, (data, encoding) in made.items():
        path = folder / f"body_{name}.bin"
        path.write_bytes(data)
        bodies[name] = Body(name, path, len(data), encoding)
    return bodies
