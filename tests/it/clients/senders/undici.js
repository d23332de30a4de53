// undici.js URL MINIDUMP JSON LOG LOG: what is built into Node, fetch and FormData. Prints the answer.
const fs = require("fs");
const path = require("path");

const [url, minidump, settings, ...logs] = process.argv.slice(2);
const file = (name, type) => new File([fs.readFileSync(name)], path.basename(name), { type });
const form = new FormData();
form.append("ProductName", "Firefox");
form.append("Version", "128.0");
form.append("settings", file(settings, "application/json"));
for (const log of logs) form.append("logs", file(log, ""));
form.append("upload_file_minidump", file(minidump, ""));
fetch(url, { method: "POST", body: form })
  .then((answer) => answer.text())
  .then((text) => process.stdout.write(text));
