"""qt.py URL MINIDUMP JSON LOG LOG: Qt's QHttpMultiPart. Prints the answer."""

import sys

from PyQt5.QtCore import QCoreApplication, QFile, QIODevice, QUrl
from PyQt5.QtNetwork import QHttpMultiPart, QHttpPart, QNetworkAccessManager, QNetworkRequest

url, minidump, settings, *logs = sys.argv[1:]
app = QCoreApplication(sys.argv)
form = QHttpMultiPart(QHttpMultiPart.FormDataType)


def part(disposition):
    part = QHttpPart()
    part.setHeader(QNetworkRequest.ContentDispositionHeader, "form-data; " + disposition)
    return part


def add_text(name, value):
    text = part(f'name="{name}"')
    text.setBody(value.encode())
    form.append(text)


def add_file(name, path, content_type):
    file = QFile(path, form)
    file.open(QIODevice.ReadOnly)
    attachment = part(f'name="{name}"; filename="{path.rsplit("/", 1)[1]}"')
    attachment.setHeader(QNetworkRequest.ContentTypeHeader, content_type)
    attachment.setBodyDevice(file)
    form.append(attachment)


add_text("ProductName", "Firefox")
add_text("Version", "128.0")
add_file("settings", settings, "application/json")
for log in logs:
    add_file("logs", log, "text/plain")
add_file("upload_file_minidump", minidump, "application/octet-stream")
manager = QNetworkAccessManager()
reply = manager.post(QNetworkRequest(QUrl(url)), form)
reply.finished.connect(app.quit)
app.exec()
print(bytes(reply.readAll()).decode(), end="")
