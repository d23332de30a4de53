//! One part, in all the spellings that the standards and the libraries have for it: the submission is always the same.

use bytes::Bytes;
use proptest::prelude::*;

use super::tests::{body, parsed, part};
use super::{Failed, Submission};

/// Heads of an annotation `ProductName`.
const TEXT: &[&str] = &[
    // RFC 7578, curl, Breakpad, Crashpad, browsers, requests.
    "Content-Disposition: form-data; name=\"ProductName\"",
    // Case: RFC 822, 3.4.7; RFC 2045, 5.1; RFC 2183, 2.
    "content-disposition: form-data; name=\"ProductName\"",
    "CONTENT-DISPOSITION: FORM-DATA; NAME=\"ProductName\"",
    "Content-Disposition: Form-Data; Name=\"ProductName\"",
    // Spaces around the colon: RFC 822, 3.2; RFC 5322, 2.2 and 4.5.
    "Content-Disposition:form-data; name=\"ProductName\"",
    "Content-Disposition:form-data;name=\"ProductName\"",
    "Content-Disposition:\tform-data; name=\"ProductName\"",
    "Content-Disposition:   form-data; name=\"ProductName\"",
    "Content-Disposition : form-data; name=\"ProductName\"",
    "Content-Disposition \t:\t form-data; name=\"ProductName\"",
    "Content-Disposition: form-data; name=\"ProductName\"  \t",
    // Spaces around parameters: RFC 822, 3.4.
    "Content-Disposition: form-data ; name=\"ProductName\"",
    "Content-Disposition: form-data;\tname=\"ProductName\"",
    "Content-Disposition: form-data;   name=\"ProductName\"  ;",
    "Content-Disposition: form-data; name = \"ProductName\"",
    "Content-Disposition: form-data; name= \"ProductName\"",
    "Content-Disposition: form-data; name\t=\tProductName",
    // Folding: RFC 822, 3.1.1; RFC 5322, 2.2.3.
    "Content-Disposition: form-data;\r\n name=\"ProductName\"",
    "Content-Disposition: form-data;\r\n\tname=\"ProductName\"",
    "Content-Disposition:\r\n form-data; name=\"ProductName\"",
    "Content-Disposition: form-data\r\n ; name=\"ProductName\"",
    "Content-Disposition: form-data; name\r\n =\r\n \"ProductName\"",
    "Content-Disposition\r\n : form-data; name=\"ProductName\"",
    "Content-Disposition:\r\n\t \r\n form-data;\r\n\t\tname=\"ProductName\"\r\n ",
    "Content-Disposition: form-data;\r\n name=\"ProductName\"\r\nContent-Type:\r\n text/plain",
    // Tokens: RFC 2045, 5.1; Fenix and .NET.
    "Content-Disposition: form-data; name=ProductName",
    "Content-Disposition: form-data;name=ProductName;",
    "Content-Disposition: form-data; name=ProductName ; x=y",
    // Quoted pairs: RFC 822, 3.3.
    "Content-Disposition: form-data; x=\"a\\\"b;\"; name=\"ProductName\"",
    "Content-Disposition: form-data; x=\"\\\\\"; name=\"ProductName\"",
    // Order, unknown and broken parameters: RFC 2045, 5.1; RFC 2183, 2.8.
    "Content-Disposition: form-data; x=y; name=\"ProductName\"",
    "Content-Disposition: form-data; size=7; name=\"ProductName\"; read-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"",
    "Content-Disposition: form-data; broken; name=\"ProductName\"",
    "Content-Disposition: form-data; ; ;name=\"ProductName\"",
    "Content-Disposition: form-data; =x; name=\"ProductName\"",
    "Content-Disposition: form-data; bro\"ken; name=\"ProductName\"",
    "Content-Disposition: form-data; x=bro\"ken; name=\"ProductName\"",
    "Content-Disposition: form-data; filename; name=\"ProductName\"",
    "Content-Disposition: form-data; filename=\"\"; name=\"ProductName\"",
    "Content-Disposition: form-data; name=\"ProductName\"; filename=",
    "Content-Disposition: form-data; name=\"x\"; name=\"ProductName\"",
    // Comments: RFC 822, 3.4.3; RFC 2045, 5.1.
    "Content-Disposition: form-data (of; a=\"form\"); name=\"ProductName\"",
    "Content-Disposition: (a (nested) one) form-data; (another) name=\"ProductName\" (and; name=x)",
    // Extended: RFC 5987, 3.2; RFC 2231, 3 and 4; old urllib3, JavaMail, Python's email.
    "Content-Disposition: form-data; name*=utf-8''ProductName",
    "Content-Disposition: form-data; name*=UTF-8'en'Product%4Eame",
    "Content-Disposition: form-data; name*=\"iso-8859-1''ProductName\"",
    "Content-Disposition: form-data; NAME*=us-ascii''%50roductName",
    "Content-Disposition: form-data; name=\"x\"; name*=utf-8''ProductName",
    "Content-Disposition: form-data; name*=utf-8''ProductName; name=\"x\"",
    "Content-Disposition: form-data; name*=nonsense; name=\"ProductName\"",
    "Content-Disposition: form-data; name*=utf-8''%FF; name=\"ProductName\"",
    "Content-Disposition: form-data; name*=unknown''x; name=\"ProductName\"",
    "Content-Disposition: form-data;\r\n name*0=\"Product\";\r\n name*1=\"Name\"",
    "Content-Disposition: form-data; name*1=Name; name*0=Product",
    "Content-Disposition: form-data; name*0*=utf-8''Prod; name*1=\"uct\"; name*2*=%4eame",
    // Other fields, before and behind: RFC 2046, 5.1; RFC 7578, 4.8; OkHttp, Retrofit, C++ REST SDK.
    "Content-Length: 6\r\nContent-Disposition: form-data; name=\"ProductName\"",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Length: 6",
    "X-A:b\r\n folded: twice\r\nContent-Disposition: form-data; name=\"ProductName\"\r\nX-B:",
    "MIME-Version: 1.0\r\nContent-ID: <a@b>\r\nContent-Disposition: form-data; name=\"ProductName\"",
    "no field at all\r\nContent-Disposition: form-data; name=\"ProductName\"",
    // Types: RFC 2046, 4.1; Unity, UnityWebRequest, Retrofit, Apache HttpClient, aiohttp.
    "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"ProductName\"",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Type: text/plain; charset=utf-8",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Type: text/plain; charset=\"UTF-8\"",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Type:Text/Plain;Charset=UTF-8",
    "Content-Disposition: form-data; name=\"ProductName\"\r\ncontent-type: TEXT/PLAIN ; charset = us-ascii",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Type: text/plain;\r\n\tcharset=ISO-8859-1",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Type: text/plain; format=flowed; charset=utf-8 (Plain)",
    // Encodings that change nothing: RFC 2045, 6; Apache HttpClient, aiohttp, MailKit.
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Transfer-Encoding: binary",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Transfer-Encoding: 8bit",
    "Content-Disposition: form-data; name=\"ProductName\"\r\nContent-Transfer-Encoding: 7bit",
    "content-transfer-encoding:8BIT\r\ncontent-disposition:form-data;name=ProductName",
    "Content-Transfer-Encoding:  BINARY \r\nContent-Disposition: form-data; name=\"ProductName\"",
    "Content-Transfer-Encoding: 7Bit (US-ASCII)\r\nContent-Disposition: form-data; name=\"ProductName\"",
    // Dispositions: RFC 2183, 2.8; RFC 2388 and its predecessors; multipart/mixed.
    "Content-Disposition: attachment; name=\"ProductName\"",
    "Content-Disposition: inline; name=\"ProductName\"",
    "Content-Disposition: ; name=\"ProductName\"",
];

/// Heads of a dump `upload_file_minidump`.
const FILE: &[&str] = &[
    // RFC 7578, curl, Breakpad, Crashpad, browsers, requests.
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"\r\nContent-Type: application/octet-stream",
    // Order and case.
    "Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"",
    "Content-Type: application/octet-stream\r\nContent-Disposition: form-data; filename=\"a.dmp\"; name=\"upload_file_minidump\"",
    "content-type:APPLICATION/Octet-Stream\r\ncontent-disposition:form-data;name=upload_file_minidump;filename=a.dmp",
    // No file name: a type of its own makes it a dump.
    "Content-Disposition: form-data; name=\"upload_file_minidump\"\r\nContent-Type: application/octet-stream",
    // File names: RFC 6266, 4.3; Breakpad on Windows, undici, .NET, aiohttp, old urllib3, JavaMail.
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"C:\\crashes\\a b;c.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"%22a%22.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"\\\"a\\\".dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"\u{434}.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=upload_file_minidump; filename=a.dmp; filename*=utf-8''a.dmp\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=upload_file_minidump; filename=\"=?utf-8?B?0LQ=?=\"; filename*=utf-8''%D0%B4\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename*=UTF-8''a%20b.dmp\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename*=x-unknown''a.dmp\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name=\"upload_file_minidump\";\r\n filename*0=\"a\";\r\n filename*1=\".dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; filename=broken\"; name=\"upload_file_minidump\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; filename=log (1).dmp; name=\"upload_file_minidump\"\r\nContent-Type: application/octet-stream",
    // Folding.
    "Content-Disposition: form-data;\r\n name=\"upload_file_minidump\";\r\n filename=\"a.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data;\r\n\tname=\"upload_file_minidump\"; filename=\"a\r\n b.dmp\"\r\nContent-Type:\r\n\tapplication/octet-stream",
    // Encodings that change nothing; further fields.
    "Content-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary",
    "Content-Transfer-Encoding: 8bit\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"\r\nContent-Type: application/octet-stream\r\nContent-Length: 8\r\nContent-MD5: x",
    // The extended name.
    "Content-Disposition: form-data; name*=utf-8''upload_file_minidump; filename=\"a.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: form-data; name*0=upload_; name*1=file_; name*2=minidump; filename=\"a.dmp\"\r\nContent-Type: application/octet-stream",
    "Content-Disposition: attachment; name=\"upload_file_minidump\"; filename=\"a.dmp\"; size=8\r\nContent-Type: application/octet-stream (a minidump)",
];

fn submission(text_head: &str, file_head: &str) -> Submission {
    let parts = [part(text_head, b"Editor"), part(file_head, b"MDMP\r\n\0x")];
    let result: Result<_, Failed<_>> = parsed(&body(&parts));
    let mut submission =
        result.unwrap_or_else(|reason| panic!("{reason:?}: {text_head} {file_head}"));
    submission.payload_bytes = 0;
    for dump in &mut submission.dumps {
        dump.frames = vec![Bytes::from(dump.frames.concat())];
    }
    submission
}

#[test]
fn every_spelling_of_a_head_gives_the_same_submission() {
    assert!(TEXT.len() + FILE.len() >= 80);
    let expected = submission(TEXT[0], FILE[0]);
    let product = expected.annotations.text("ProductName");
    assert_eq!(
        (product.as_deref(), expected.dumps.len()),
        (Some("Editor"), 1)
    );
    for head in TEXT {
        assert_eq!(submission(head, FILE[0]), expected, "{head}");
    }
    for head in FILE {
        assert_eq!(submission(TEXT[0], head), expected, "{head}");
    }
}

/// Optional white space, folded or not.
fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "\t", "\r\n ", " \r\n\t "])
}

/// The same, or a comment.
fn comment() -> impl Strategy<Value = &'static str> {
    prop_oneof![space(), Just(" (a (b\\)) \"c) ")]
}

/// `text` in any case.
fn cased(text: &'static str) -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<bool>(), text.len()).prop_map(move |upper| {
        let cased = text.chars().zip(upper);
        let cased = cased.map(|(c, upper)| {
            if upper {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        });
        cased.collect()
    })
}

/// A parameter in one of its forms.
fn parameter(name: &'static str, value: &'static str) -> impl Strategy<Value = String> {
    let plain = |charset: &str| format!("*={charset}''{}", value.replace('.', "%2e"));
    let (half, other) = value.split_at(value.len() / 2);
    let form = prop::sample::select(vec![
        format!("={value}"),
        format!("=\"{value}\""),
        plain("utf-8"),
        plain("ISO-8859-1"),
        format!("*0=\"{half}\"; {name}*1={other}"),
        format!(
            "*1*=%{:02x}{}; {name}*0*=utf-8'en'{half}",
            other.as_bytes()[0],
            &other[1..]
        ),
        format!("*=broken; {name}=\"{value}\""),
    ]);
    (cased(name), form).prop_map(|(name, form)| name + &form)
}

/// Other parameters and fields, of which nothing is to be made.
fn other_parameter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "x", "x=y", "x=\"a;\\\"b\\\\\"", "=", "5\""])
}

/// A disposition with these parameters, in any order and among others.
fn disposition(parameters: Vec<BoxedStrategy<String>>) -> impl Strategy<Value = String> {
    let others = proptest::collection::vec(other_parameter().prop_map(str::to_owned), 0..3);
    let all = (parameters, others).prop_flat_map(|(known, others)| {
        let all: Vec<String> = known.into_iter().chain(others).collect();
        Just(all).prop_shuffle()
    });
    (
        cased("content-disposition"),
        all,
        comment(),
        space(),
        comment(),
    )
        .prop_map(|(name, parameters, colon, before, behind)| {
            let separator = format!("{before};{behind}");
            format!(
                "{name}:{colon}form-data{separator}{}",
                parameters.join(&separator)
            )
        })
}

/// The fields in any order, among others.
fn head(fields: Vec<BoxedStrategy<String>>) -> impl Strategy<Value = String> {
    let other = prop::sample::select(vec![
        "X-A: b",
        "Content-Length:1\r\n 2",
        "Content-Transfer-Encoding :8Bit",
        "junk",
    ]);
    (fields, proptest::collection::vec(other, 0..3)).prop_flat_map(|(known, others)| {
        let all: Vec<String> = known
            .into_iter()
            .chain(others.into_iter().map(str::to_owned))
            .collect();
        Just(all)
            .prop_shuffle()
            .prop_map(|lines| lines.join("\r\n"))
    })
}

fn text_head() -> impl Strategy<Value = String> {
    let name = parameter("name", "ProductName").boxed();
    let field = (
        cased("content-type"),
        comment(),
        cased("text/plain"),
        comment(),
    );
    let kind = field.prop_map(|(name, colon, kind, behind)| {
        format!("{name}:{colon}{kind}{behind}; charset=utf-8")
    });
    head(vec![disposition(vec![name]).boxed(), kind.boxed()])
}

fn file_head() -> impl Strategy<Value = String> {
    let name = parameter("name", "upload_file_minidump").boxed();
    let file_name = parameter("filename", "a.dmp").boxed();
    let field = (
        cased("content-type"),
        comment(),
        cased("application/octet-stream"),
    );
    let kind = field.prop_map(|(name, colon, kind)| format!("{name}:{colon}{kind}"));
    head(vec![
        disposition(vec![name, file_name]).boxed(),
        kind.boxed(),
    ])
}

proptest! {
    #[test]
    fn any_legal_rewriting_of_a_head_gives_the_same_submission(text in text_head(), file in file_head()) {
        prop_assert_eq!(submission(&text, &file), submission(TEXT[0], FILE[0]));
    }
}
