"""What somebody sends who wants the collector's memory, time or places: one table.

A shape is a request body, or what a client does, with the mechanism that it goes for:

A small containers of JSON    E thousands of small things     I answers that nobody reads
B growing buffers             F pieces that keep their frame  J all of it here at once
C text that grows             G heads of requests             K much behind the door for little
D heads of parts              H memory taken by silence       L many at once, in a loop, mixed

`full` makes bodies as large as the default limits allow; without it they fit the small budget of the test.
"""

import zlib
from dataclasses import dataclass, field

BOUNDARY = "xyzzy"
KIB, MIB = 1024, 1024 * 1024


@dataclass
class Shape:
    name: str
    mechanism: str
    body: bytes
    # What is sent with it: gzip, or nothing.
    encoding: str = ""
    clients: int = 4
    # "loop": again and again; "stall": a part of it, then silence; "drip": byte by byte behind that; "kept": on one
    # connection; "served": once, then silence; "deaf": pipelined, answers are not read; others are actions of `run.py`.
    action: str = "loop"
    sent_part: float = 1.0
    settings: dict = field(default_factory=dict)
    # A part of tests/run.sh.
    quick: bool = False
    target: str = "/submit"
    headers: str = ""


def part(head, data=b""):
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode("latin-1") + data + b"\r\n"


def text(name, data, content_type=""):
    more = f"\r\nContent-Type: {content_type}" if content_type else ""
    return part(f'name="{name}"{more}', data)


def dump(name, data, content_type="application/octet-stream"):
    return part(f'name="{name}"; filename="x"\r\nContent-Type: {content_type}', data)


def json(data):
    return part('name="extra"\r\nContent-Type: application/json', data)


def form(*parts, end=True):
    return text("ProductName", b"Firefox") + b"".join(parts) + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def only(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def gz(data, level=9):
    encoder = zlib.compressobj(level, zlib.DEFLATED, 31)
    return encoder.compress(data) + encoder.flush()


def filled(pattern, length_bytes):
    return pattern * (length_bytes // len(pattern))


def shapes(full):
    """All of them. Bodies are made when they are asked for, so this is a list of pairs: a name, and how to make it."""
    size = 24 * MIB if full else 6 * MIB
    some = 19 * MIB if full else 5 * MIB
    table = []

    def add(name, mechanism, body, **more):
        table.append((name, lambda: Shape(name, mechanism, body() if callable(body) else body, **more), more.get("quick", False)))

    def add_gz(name, mechanism, body, **more):
        add(name, mechanism, lambda: gz(body()), encoding="gzip", **more)

    # A: JSON that becomes a tree of many times its length.
    for quick, value in [(1, b"[0]"), (1, b'{"":0}'), (0, b"{}"), (0, b"[[]]"), (0, b"[{}]"), (0, b'{"a":{"b":0}}'), (0, b"0"), (0, b'""'), (0, b"1e9"), (0, b'"\\n"')]:
        word = value.decode()
        add_gz(f"list of {word}", "A", lambda value=value: only(json(b'{"a":[' + filled(value + b",", size) + b"0]}")), quick=bool(quick))
        add_gz(f"list of {word}, cut", "A", lambda value=value: json(b'{"a":[' + filled(value + b",", size)))
    add_gz("many members", "A", lambda: only(json(b"{" + b",".join(b'"%d":[0]' % n for n in range(size // 14)) + b"}")), quick=True)
    add_gz("deep lists", "A", lambda: only(json(b'{"a":' + filled(b"[" * 800 + b"]" * 800 + b",", size)[:-1].join([b"[", b"]"]) + b"}")))
    add_gz("not an object", "A", lambda: only(json(b"[" + filled(b"[0],", size) + b"0]")))
    add_gz("json, then cut inside a string", "A", lambda: json(b'{"a":"' + filled(b"\\u0041", size)))

    # B: buffers that grow and are freed.
    add_gz("one long text", "B", lambda: form(text("A", filled(b"a", some))), quick=True)
    add_gz("two long texts", "B", lambda: form(text("A", filled(b"a", some)), text("B", filled(b"b", some))))
    add_gz("ten texts", "B", lambda: form(*(text(f"A{n}", filled(b"a", some // 5)) for n in range(10))))
    add_gz("a long JSON string", "B", lambda: only(json(b'{"a":"' + filled(b"a", some) + b'"}')))
    add_gz("a JSON string of escapes", "B", lambda: only(json(b'{"a":"' + filled(b"\\n", some) + b'"}')))
    add("plain long text", "B", lambda: form(text("A", filled(b"a", some))))
    add_gz("text that replaces text", "B", lambda: form(*(text("A", filled(b"a", some // 5)) for _ in range(12))))
    add_gz("text beyond the limit", "B", lambda: form(*(text("A", filled(b"a", 21 * MIB)) for _ in range(3 if full else 1))))
    add_gz("dump of zeros", "B", lambda: form(dump("upload_file_minidump", bytes(size))), quick=True)

    # C: text that grows when it is decoded, and again in JSON.
    for quick, charset, pattern in [
        (1, "", b"\x7f"), (0, "", b"\0"), (0, "", b'"'), (0, "", b"\\"), (0, "", b"\n"), (0, "", "é".encode()), (0, "", "€".encode()), (0, "", "🦊".encode()),
        (1, "iso-8859-1", b"\xe9"), (0, "windows-1252", b"\x80"), (0, "koi8-r", b"\xc1"), (0, "shift_jis", b"\xb1"), (0, "utf-16", b"a\0"), (0, "utf-16le", b"\xac\x20"),
        (0, "gbk", b"\x81\x40"), (0, "x-mac-cyrillic", b"\x80"), (0, "utf-8", b"\xff"),
    ]:
        word = f"{charset or 'utf-8'} {pattern.hex()}"
        content_type = f"text/plain; charset={charset}" if charset else ""
        add_gz(f"text {word}", "C", lambda pattern=pattern, content_type=content_type: form(*(text(f"A{n}", filled(pattern, some // 4), content_type) for n in range(8))), quick=bool(quick))
    add_gz("text in a dump's name", "C", lambda: form(*(dump("\u00e9" * 4000, b"x") for _ in range(900))))

    # D: whatever of a part's head is kept.
    for quick, word, head in [
        (1, "type of DEL", 'name="d{n}"; filename="x"\r\nContent-Type: ' + "\x7f" * 7600),
        (1, "long name of text", 'name="{n}' + "n" * 7600 + '"'),
        (0, "long charset", 'name="a{n}"\r\nContent-Type: text/plain; charset=' + "c" * 7600),
        (0, "long file name", 'name="d{n}"; filename="' + "f" * 7600 + '"'),
        (0, "semicolons", 'name="d{n}"; filename="x"\r\nContent-Type: a' + ";" * 7600),
        (0, "parameters", 'name="d{n}"; filename="x"\r\nContent-Type: a' + ";a=b" * 1900),
        (0, "quotes", 'name="d{n}"; filename="' + '\\"' * 3700 + '"'),
        (0, "percent", "name=\"d{n}\"; filename*=utf-8''" + "%41" * 2500),
        (0, "no name", "x" * 7600 + "{n}"),
        (0, "many lines", 'name="d{n}"' + "\r\nX-A: b" * 900),
        (0, "type of Latin-1", 'name="d{n}"; filename="x"\r\nContent-Type: ' + "\u00e9" * 7600),
    ]:
        add_gz(f"heads: {word}", "D", lambda head=head: form(*(part(head.replace("{n}", str(n)), b"x") for n in range(1900))), quick=bool(quick), clients=8)
    add_gz("heads without data, cut", "D", lambda: b"".join(part(f'name="{n}' + "n" * 7600 + '"') for n in range(1900)), action="stall", clients=40)

    # E: many small things.
    add_gz("1,900 dumps of one byte", "E", lambda: form(*(dump(f"d{n}", b"x") for n in range(1900))), quick=True)
    add_gz("1,900 empty dumps", "E", lambda: form(*(dump(f"d{n}", b"") for n in range(1900))))
    add_gz("1,900 annotations of one byte", "E", lambda: form(*(text(f"a{n}", b"x") for n in range(1900))))
    add_gz("1,900 empty annotations", "E", lambda: form(*(text(f"a{n}", b"") for n in range(1900))))
    add_gz("1,900 dumps of 4 KiB", "E", lambda: form(*(dump(f"d{n}", bytes(4 * KIB)) for n in range(1900))))
    add_gz("1,900 dumps of one name", "E", lambda: form(*(dump("d", bytes(4 * KIB)) for n in range(1900))))
    add_gz("1,900 empty JSON parts", "E", lambda: only(*(json(b"{}") for _ in range(1900))))
    add("empty parts, plain", "E", lambda: form(*(text("a", b"") for n in range(1900))))
    add_gz("parts beyond the limit", "E", lambda: form(*(part("") for n in range(90_000))))

    # F: pieces that keep the buffer they are a part of.
    for quick, kept in [(1, 4 * KIB), (0, 5000), (0, 64 * KIB), (0, 1)]:
        parts = lambda kept=kept: form(*(part(f'name="d{n}"; filename="x"', bytes(kept)) + part("", bytes(60 * KIB)) for n in range(60 if not full else 380)))
        add_gz(f"{kept} bytes kept of every 64 KiB", "F", parts, quick=bool(quick))
        add(f"{kept} bytes kept of every 64 KiB, plain", "F", parts)
    add("a dump byte by byte", "F", lambda: form(dump("d", bytes(300 * KIB))), action="crumbs")

    # G: heads of requests.
    add("long heads, kept open", "G", b"", action="heads", clients=400, quick=True)
    add("long user agents", "G", lambda: form(dump("d", b"x")), headers="User-Agent: " + "\u00e9" * 7000 + "\r\n", clients=16)
    add("a hundred fields", "G", lambda: form(dump("d", b"x")), headers="".join(f"X-{n}: {'v' * 200}\r\n" for n in range(90)), clients=16)
    add("half a head", "G", b"", action="half head", clients=400)
    add("long query", "G", lambda: form(dump("d", b"x")), target="/submit?" + '"' * 7000, clients=16)

    # H: memory that is taken by silence.
    inflating = lambda: gz(form(dump("d", bytes(90 * MIB)), end=False))
    add("a bomb, then silence", "H", inflating, encoding="gzip", action="stall", clients=8, quick=True)
    add("a bomb, then a byte a second", "H", inflating, encoding="gzip", action="drip", clients=8)
    add("announced and not sent", "H", lambda: bytes(24 * MIB), action="stall", sent_part=0.003, clients=100, quick=True)
    add("half of it, then silence", "H", lambda: form(dump("d", bytes(20 * MIB))), action="stall", sent_part=0.5, clients=20)
    add("refused, then silence", "H", lambda: gz(form(dump("d", bytes(20 * MIB)), b"--xyzzy?\r\n", end=False)), encoding="gzip", action="stall", clients=20)
    add("replaced, then silence", "H", lambda: gz(form(*(text("A", filled(b"a", some)) for _ in range(3)), end=False)), encoding="gzip", action="stall", clients=20)
    add("left out, then silence", "H", lambda: gz(form(part("", bytes(80 * MIB)), end=False)), encoding="gzip", action="stall", clients=20)
    add("a report, then silence", "H", lambda: form(dump("d", bytes(300 * KIB))), action="served", clients=1000)
    add("nothing at all", "H", b"", action="idle", clients=300)

    # I: answers that nobody reads.
    add("answers not read", "I", b"", action="deaf", clients=60, target="/__version__", quick=True)
    add("answers to reports not read", "I", lambda: form(dump("d", b"x")), action="deaf", clients=30)
    add("errors not read", "I", b"", action="deaf", clients=30, target="/nowhere")

    # J: a body that is here at once.
    add_gz("a large dump", "J", lambda: form(dump("d", bytes(90 * MIB))))
    add_gz("a long preamble", "J", lambda: bytes(90 * MIB) + form(dump("d", b"x")))
    add_gz("a long epilogue", "J", lambda: form(dump("d", b"x")) + bytes(90 * MIB))
    add_gz("delimiters that are none", "J", lambda: form(dump("d", filled(b"\r\n--xyzz", size))))
    add("stored blocks", "J", lambda: gz(form(dump("d", bytes(size))), 0), encoding="gzip")
    add("many gzip members", "J", lambda: gz(form(dump("d", b"x"), end=False)) + gz(b"") * 20_000, encoding="gzip", quick=True)
    add_gz("line ends", "J", lambda: form(dump("d", filled(b"\r\n", size))))

    # K: much behind the door for little.
    disk = {"CRASHMOVER_CRASHSTORAGE_CLASS": "fs", "CRASHMOVER_CRASHSTORAGE_FS_ROOT": "crashes"}
    spool = disk | {"CRASHMOVER_SPOOL_DIR": "spool", "CRASHMOVER_SPOOL_MAX_BYTES": str(256 * MIB), "CRASHMOVER_SPOOL_MIN_FREE_BYTES": "0"}
    many = lambda: form(*(dump(f"d{n}", b"x") for n in range(1900)))
    add_gz("1,900 dumps, on disk", "K", many, settings=disk, quick=True, clients=2)
    add_gz("1,900 dumps, with a spool", "K", many, settings=spool, clients=2)
    add_gz("bombs, on disk", "K", lambda: form(dump("d", bytes(90 * MIB))), settings=disk, clients=2)
    add("__broken__", "K", b"", action="get", target="/__broken__", clients=8)
    add("unknown paths", "K", lambda: form(dump("d", b"x")), target="/nowhere", clients=8)

    # L: as clients do it otherwise.
    add_gz("texts on one connection", "L", lambda: form(*(text(f"A{n}", filled(b"\x7f", some // 8)) for n in range(8))), action="kept", clients=8)
    add_gz("lists on one connection", "L", lambda: only(json(b'{"a":[' + filled(b"[0],", size // 2) + b"0]}")), action="kept", clients=8)
    add_gz("dumps on one connection, on disk", "L", lambda: form(*(dump(f"d{n}", b"x") for n in range(100))), action="kept", settings=disk)
    add("slow texts", "L", lambda: form(text("A", filled(b"\x7f", 2 * MIB))), action="slow", clients=50)
    return table
