// Sends one report with npm's form-data: send.js submit|chunked URL MINIDUMP. Prints the answer's status, a blank and its
// body.
const FormData = require("form-data");
const fs = require("fs");
const http = require("http");

const [how, url, minidump] = process.argv.slice(2);
const form = new FormData();
form.append("ProductName", "Firefox");
form.append("Version", "128.0");
form.append("upload_file_minidump", fs.createReadStream(minidump));

function tell(answer) {
  let body = "";
  answer.on("data", (piece) => (body += piece));
  answer.on("end", () => process.stdout.write(`${answer.statusCode} ${body}`));
}

if (how === "submit") {
  form.submit(url, (error, answer) => {
    if (error) throw error;
    tell(answer);
  });
} else {
  const request = http.request(url, { method: "POST", headers: form.getHeaders() }, tell);
  form.pipe(request);
}
