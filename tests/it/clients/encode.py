"""Encodes what stands on standard input as clients do: encode.py HOW. Writes the result to standard output.

tests/data/encodings was made with it; tests/data/encodings/README.md says how.
"""

import gzip
import sys
import zlib

body = sys.stdin.buffer.read()
half = len(body) // 2


def deflate_raw():
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(body) + encoder.flush()


def brotli(window_bits):
    import brotli

    return brotli.compress(body, quality=5, lgwin=window_bits)


def zstd(level=3, **more):
    import zstandard

    return zstandard.ZstdCompressor(level=level, write_checksum=True, **more)


def zstd_streamed():
    # Without the length, and flushed in between.
    import zstandard

    encoder = zstd().compressobj()
    first = encoder.compress(body[:half]) + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    return first + encoder.compress(body[half:]) + encoder.flush()


def zstd_window(window_bits):
    import zstandard

    parameters = zstandard.ZstdCompressionParameters(window_log=window_bits, write_content_size=False)
    encoder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return encoder.compress(body) + encoder.flush()


def zstd_frames():
    skippable = (0x184D2A53).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"other"
    return skippable + zstd().compress(body[:half]) + skippable + zstd().compress(body[half:])


HOW = {
    "gzip": lambda: gzip.compress(body, mtime=0),
    "deflate": lambda: zlib.compress(body),
    "deflate-raw": deflate_raw,
    "br": lambda: brotli(22),
    "br-16m": lambda: brotli(24),
    "zstd": lambda: zstd().compress(body),
    "zstd-19": lambda: zstd(19).compress(body),
    "zstd-streamed": zstd_streamed,
    "zstd-frames": zstd_frames,
    "zstd-8m": lambda: zstd_window(23),
    "zstd-16m": lambda: zstd_window(24),
}
sys.stdout.buffer.write(HOW[sys.argv[1]]())
