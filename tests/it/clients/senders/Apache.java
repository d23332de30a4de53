// Apache.java MODE URL MINIDUMP JSON LOG LOG: Apache HttpClient 4.5 and its MultipartEntityBuilder. Prints the answer.
import java.io.File;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

class Apache {
    public static void main(String[] args) throws Exception {
        var form = MultipartEntityBuilder.create().setMode(HttpMultipartMode.valueOf(args[0]));
        form.addTextBody("ProductName", "Firefox").addTextBody("Version", "128.0");
        form.addBinaryBody("settings", new File(args[3]), ContentType.APPLICATION_JSON, "settings.json");
        form.addBinaryBody("logs", new File(args[4])).addBinaryBody("logs", new File(args[5]));
        form.addBinaryBody("upload_file_minidump", new File(args[2]));
        var post = new HttpPost(args[1]);
        post.setEntity(form.build());
        try (var client = HttpClients.createDefault(); var answer = client.execute(post)) {
            System.out.print(EntityUtils.toString(answer.getEntity()));
        }
    }
}
