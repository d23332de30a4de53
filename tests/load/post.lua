-- wrk posts one body again and again. Arguments: body file, boundary, content encoding or "-", "close" or "keep-alive".
-- Prints one line of JSON at the end.

function init(args)
    local file = assert(io.open(args[1], "rb"))
    wrk.body = file:read("*a")
    file:close()
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. args[2]
    if args[3] ~= "-" then
        wrk.headers["Content-Encoding"] = args[3]
    end
    if args[4] == "close" then
        wrk.headers["Connection"] = "close"
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "not_ok": %d, "broken": %d}\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
