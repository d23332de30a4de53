<?php
// curl.php URL MINIDUMP JSON LOG LOG: PHP's curl. Two files cannot have one name there, so theirs are logs[0] and logs[1].
[, $url, $minidump, $settings, $first, $second] = $argv;
$curl = curl_init($url);
curl_setopt($curl, CURLOPT_POSTFIELDS, [
    "ProductName" => "Firefox",
    "Version" => "128.0",
    "settings" => new CURLFile($settings, "application/json"),
    "logs[0]" => new CURLFile($first),
    "logs[1]" => new CURLFile($second, "text/plain"),
    "upload_file_minidump" => new CURLFile($minidump),
]);
exit(curl_exec($curl) ? 0 : 1);
