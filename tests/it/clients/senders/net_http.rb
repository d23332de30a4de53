# net_http.rb URL MINIDUMP JSON LOG LOG: Ruby's own Net::HTTP. Prints the answer.
require "net/http"

url, minidump, settings, *logs = ARGV
url = URI(url)
fields = [["ProductName", "Firefox"], ["Version", "128.0"],
          ["settings", File.open(settings), { content_type: "application/json" }]]
fields += logs.map { |log| ["logs", File.open(log)] }
fields << ["upload_file_minidump", File.open(minidump)]
request = Net::HTTP::Post.new(url)
request.set_form(fields, "multipart/form-data")
print Net::HTTP.start(url.host, url.port) { |http| http.request(request) }.body
