// form-data.js URL MINIDUMP JSON LOG LOG: npm's form-data, which guesses types from file names. Prints the answer.
const FormData = require("form-data");
const fs = require("fs");

const [url, minidump, settings, ...logs] = process.argv.slice(2);
const form = new FormData();
form.append("ProductName", "Firefox");
form.append("Version", "128.0");
form.append("settings", fs.createReadStream(settings));
for (const log of logs) form.append("logs", fs.createReadStream(log));
form.append("upload_file_minidump", fs.createReadStream(minidump));
form.submit(url, (error, answer) => {
  if (error) throw error;
  answer.pipe(process.stdout);
});
