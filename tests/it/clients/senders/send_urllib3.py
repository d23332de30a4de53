"""send_urllib3.py URL MINIDUMP JSON LOG LOG: a form in which urllib3 guesses types from file names. Prints the answer."""

import sys

import urllib3

url, minidump, settings, *logs = sys.argv[1:]


def file(path):
    with open(path, "rb") as content:
        return path.rsplit("/", 1)[1], content.read()


fields = [("ProductName", "Firefox"), ("Version", "128.0"), ("settings", file(settings))]
fields += [("logs", file(log)) for log in logs]
fields.append(("upload_file_minidump", file(minidump)))
print(urllib3.request("POST", url, fields=fields, timeout=60).data.decode(), end="")
