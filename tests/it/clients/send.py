"""Sends one report as Python programs do: send.py HOW URL MINIDUMP. Prints the answer's status, a blank and its body."""

import asyncio
import sys

HOW, URL, MINIDUMP = sys.argv[1:]


def with_requests():
    import requests

    with open(MINIDUMP, "rb") as minidump:
        if HOW == "requests":
            data = {"ProductName": "Firefox", "Version": "128.0"}
            files = {"upload_file_minidump": minidump}
        else:
            data = None
            files = {
                "extra": ("extra.json", '{"ProductName": "Firefox", "Version": "128.0"}', "application/json"),
                "upload_file_minidump": ('d "q".dmp', minidump, "application/octet-stream"),
            }
        answer = requests.post(URL, data=data, files=files, timeout=60)
    return answer.status_code, answer.text


async def with_aiohttp():
    import aiohttp

    writer = aiohttp.MultipartWriter("form-data")
    for name, value in (("ProductName", "Firefox"), ("Version", "128.0")):
        writer.append(value).set_content_disposition("form-data", name=name)
    with open(MINIDUMP, "rb") as minidump:
        part = writer.append(minidump.read(), {"Content-Type": "application/octet-stream"})
    part.set_content_disposition("form-data", name="upload_file_minidump", filename="a.dmp")
    compress = "gzip" if HOW == "aiohttp-chunked-gzip" else None
    async with aiohttp.ClientSession() as session:
        async with session.post(URL, data=writer, compress=compress) as answer:
            return answer.status, await answer.text()


status, body = asyncio.run(with_aiohttp()) if HOW.startswith("aiohttp") else with_requests()
print(status, body, end="")
