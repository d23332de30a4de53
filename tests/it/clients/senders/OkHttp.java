// OkHttp.java URL MINIDUMP JSON LOG LOG: OkHttp 3 and its MultipartBody. Prints the answer.
import java.io.File;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;

class OkHttp {
    private static final MultipartBody.Builder form = new MultipartBody.Builder().setType(MultipartBody.FORM);

    public static void main(String[] args) throws Exception {
        form.addFormDataPart("ProductName", "Firefox").addFormDataPart("Version", "128.0");
        file("settings", args[2], "application/json; charset=utf-8");
        file("logs", args[3], "text/plain");
        file("logs", args[4], null);
        file("upload_file_minidump", args[1], "application/octet-stream");
        var request = new Request.Builder().url(args[0]).post(form.build()).build();
        System.out.print(new OkHttpClient().newCall(request).execute().body().string());
        System.exit(0);
    }

    private static void file(String name, String path, String type) {
        var body = RequestBody.create(type == null ? null : MediaType.parse(type), new File(path));
        form.addFormDataPart(name, new File(path).getName(), body);
    }
}
