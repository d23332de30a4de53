// send.go URL MINIDUMP JSON LOG LOG: mime/multipart through a pipe, so in chunks. Prints the answer.
package main

import (
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func copyFile(part io.Writer, err error, path string) {
	check(err)
	file, err := os.Open(path)
	check(err)
	_, err = io.Copy(part, file)
	check(err)
}

func main() {
	url, minidump, settings, logs := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		check(form.WriteField("ProductName", "Firefox"))
		check(form.WriteField("Version", "128.0"))
		disposition := fmt.Sprintf(`form-data; name="settings"; filename=%q`, filepath.Base(settings))
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {disposition}, "Content-Type": {"application/json"},
		})
		copyFile(part, err, settings)
		for _, log := range logs {
			part, err = form.CreateFormFile("logs", filepath.Base(log))
			copyFile(part, err, log)
		}
		part, err = form.CreateFormFile("upload_file_minidump", filepath.Base(minidump))
		copyFile(part, err, minidump)
		check(form.Close())
		check(writer.Close())
	}()
	answer, err := http.Post(url, form.FormDataContentType(), reader)
	check(err)
	body, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Print(string(body))
}
