// Send.java client|connection URL MINIDUMP JSON LOG LOG: java.net.http.HttpClient, which offers h2c, or HttpURLConnection in
// chunks. Prints the answer.
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

class Send {
    private static final String BOUNDARY = "----=_Part_0_1234567.89";
    private static final ByteArrayOutputStream body = new ByteArrayOutputStream();

    public static void main(String[] args) throws Exception {
        part("ProductName", null, null, "Firefox".getBytes());
        part("Version", null, null, "128.0".getBytes());
        file("settings", "application/json", args[3]);
        file("logs", "text/plain", args[4]);
        file("logs", "text/plain", args[5]);
        file("upload_file_minidump", "application/octet-stream", args[2]);
        write("--" + BOUNDARY + "--\r\n");
        URI uri = URI.create(args[1]);
        System.out.print(args[0].equals("client") ? client(uri) : connection(uri));
    }

    private static void file(String name, String type, String path) throws IOException {
        part(name, Path.of(path).getFileName().toString(), type, Files.readAllBytes(Path.of(path)));
    }

    private static void part(String name, String file, String type, byte[] data) throws IOException {
        write("--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + name + "\"");
        write(file == null ? "\r\n\r\n" : "; filename=\"" + file + "\"\r\nContent-Type: " + type + "\r\n\r\n");
        body.write(data);
        write("\r\n");
    }

    private static void write(String text) throws IOException {
        body.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String contentType() {
        return "multipart/form-data; boundary=\"" + BOUNDARY + "\"";
    }

    private static String client(URI uri) throws Exception {
        var request = HttpRequest.newBuilder(uri).header("Content-Type", contentType());
        request.POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()));
        var answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
        return answer.body();
    }

    private static String connection(URI uri) throws Exception {
        var connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setDoOutput(true);
        connection.setChunkedStreamingMode(0);
        connection.setRequestProperty("Content-Type", contentType());
        try (OutputStream stream = connection.getOutputStream()) {
            stream.write(body.toByteArray());
        }
        return new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
