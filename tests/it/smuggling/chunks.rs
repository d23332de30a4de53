//! Chunk framing: sizes, extensions, line ends, trailers, the end.

use super::case::{Case, chunk, form, plain, post, smuggled, with_length};

/// The line of a chunk's size, without its line end; `SIZE` stands for the right one.
#[rustfmt::skip]
const SIZES: [(&str, &str, &str, &str); 20] = [
    ("size_upper_and_zeros", "0000000SIZE", "outer open", "outer open"),
    ("size_many_zeros", "00000000000000000000000000000000000000SIZE", "outer open", "outer open"),
    ("size_blank_behind", "SIZE ", "outer open", "outer open"),
    ("size_extension", "SIZE;a=b", "outer open", "outer open"),
    ("size_extension_quoted", "SIZE;a=\"b;c\"", "outer open", "outer open"),
    ("size_blank_before", " SIZE", "400 closed", "400 closed"),
    ("size_plus", "+SIZE", "400 closed", "400 closed"),
    ("size_minus", "-SIZE", "400 closed", "400 closed"),
    ("size_0x", "0xSIZE", "400 closed", "400 closed"),
    ("size_underscore", "0_SIZE", "400 closed", "400 closed"),
    ("size_blank_inside", "0 SIZE", "400 closed", "400 400 closed"),
    ("size_no_digit", "", "400 closed", "400 closed"),
    ("size_not_hexadecimal", "SIZEg", "400 closed", "400 closed"),
    ("size_nul", "SIZE\0", "400 closed", "400 closed"),
    ("size_comma", "SIZE,0", "400 closed", "400 closed"),
    ("size_overflow_64", "10000000000000000SIZE", "400 closed", "400 closed"),
    ("size_overflow_far", "f0000000000000000000000000SIZE", "400 closed", "400 closed"),
    ("size_extension_bare_lf", "SIZE;a\n", "400 closed", "400 closed"),
    ("size_extension_bare_cr", "SIZE;a\rb", "400 closed", "400 closed"),
    ("size_extension_quoted_line_end", "SIZE;a=\"\r\n\"", "400 closed", "400 closed"),
];

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = SIZES
        .map(|(name, line, direct, nginx)| {
            let data = form("outer", &smuggled());
            let line = line.replace("SIZE", &format!("{:X}", data.len()));
            let body = format!("{line}\r\n{data}\r\n0\r\n\r\n");
            Case::new(name, "RFC 9112 §7.1, §7.1.1", request(&body), direct, nginx)
        })
        .into();
    cases.extend(line_ends());
    cases.extend(ends());
    cases.extend(trailers());
    cases
}

fn request(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn line_ends() -> Vec<Case> {
    const RULE: &str = "RFC 9112 §7.1, chunk line terminators";
    let data = form("outer", &smuggled());
    let size = data.len();
    let long = "x".repeat(20_000);
    let bodies = [
        (
            "chunk_size_bare_lf",
            format!("{size:x}\n{data}\r\n0\r\n\r\n"),
            "400 closed",
            "outer open",
        ),
        (
            "chunk_size_bare_cr",
            format!("{size:x}\r{data}\r\n0\r\n\r\n"),
            "400 closed",
            "400 closed",
        ),
        (
            "chunk_data_bare_lf",
            format!("{size:x}\r\n{data}\n0\r\n\r\n"),
            "400 closed",
            "outer open",
        ),
        (
            "chunk_data_no_line_end",
            format!("{size:x}\r\n{data}0\r\n\r\n"),
            "400 closed",
            "400 closed",
        ),
        (
            "chunk_size_too_small",
            format!("{:x}\r\n{data}\r\n0\r\n\r\n", size - 40),
            "400 closed",
            "400 closed",
        ),
        (
            "chunk_extension_20000",
            format!("{size:x};{long}\r\n{data}\r\n0\r\n\r\n"),
            "400 closed",
            "outer open",
        ),
        (
            "chunk_two_line_ends_as_data",
            format!("{:x}\r\n{data}\r\n\r\n0\r\n\r\n", size + 2),
            "outer open",
            "outer open",
        ),
    ];
    bodies
        .map(|(name, body, direct, nginx)| Case::new(name, RULE, request(&body), direct, nginx))
        .into()
}

/// What stands where the body ends, and a request behind it. nginx sees the end at a bare line feed; what follows is the
/// next request then, and reaches the collector as one.
fn ends() -> Vec<Case> {
    const RULE: &str = "RFC 9112 §7.1, last-chunk and the line behind it";
    let outer = chunk(&form("outer", "MDMP"));
    let request_behind = plain("pipelined");
    // Whoever takes this request's head for trailers takes its body for a request.
    let nested = with_length("", &smuggled());
    let bodies = [
        (
            "end_bare_lf_last_nested",
            format!("{outer}0\r\n\n{nested}"),
            "outer closed",
            "outer 400 open",
        ),
        (
            "end_zeros",
            format!("{outer}00000\r\n\r\n"),
            "outer open",
            "outer open",
        ),
        (
            "end_with_extension",
            format!("{outer}0;a=b\r\n\r\n"),
            "outer open",
            "outer open",
        ),
        (
            "end_missing_line_end",
            format!("{outer}0\r\n{request_behind}"),
            "400 closed",
            "outer 400 closed",
        ),
        (
            "end_bare_lf",
            format!("{outer}0\n\n{request_behind}"),
            "400 closed",
            "outer pipelined open",
        ),
        (
            "end_bare_lf_last",
            format!("{outer}0\r\n\n{request_behind}"),
            "outer closed",
            "outer pipelined open",
        ),
        (
            "end_bare_cr",
            format!("{outer}0\r\n\r{request_behind}"),
            "400 closed",
            "400 closed",
        ),
        (
            "end_missing",
            format!("{outer}{request_behind}"),
            "400 closed",
            "400 closed",
        ),
        (
            "end_cut_in_a_chunk",
            "fffff\r\n--b\r\n".to_owned(),
            "408 closed",
            "closed",
        ),
    ];
    bodies
        .map(|(name, body, direct, nginx)| Case::new(name, RULE, request(&body), direct, nginx))
        .into()
}

/// Fields behind the body must not say anything about framing.
fn trailers() -> Vec<Case> {
    const RULE: &str = "RFC 9110 §6.5.1, RFC 9112 §7.1.2";
    let outer = chunk(&form("outer", "MDMP"));
    let long = "x".repeat(20_000);
    let fields = [
        (
            "trailer_harmless",
            "X: y\r\n".to_owned(),
            "outer closed",
            "outer open",
        ),
        (
            "trailer_length",
            format!("Content-Length: {}\r\n", smuggled().len()),
            "outer closed",
            "outer open",
        ),
        (
            "trailer_chunked",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            "outer closed",
            "outer open",
        ),
        (
            "trailer_connection",
            "Connection: close\r\n".to_owned(),
            "outer closed",
            "outer open",
        ),
        (
            "trailer_no_colon",
            "GET / HTTP/1.1\r\n".to_owned(),
            "400 closed",
            "outer open",
        ),
        (
            "trailer_folded",
            "X: y\r\n z\r\n".to_owned(),
            "400 closed",
            "outer open",
        ),
        (
            "trailer_bare_lf",
            "X: y\nZ: y\r\n".to_owned(),
            "400 closed",
            "outer open",
        ),
        (
            "trailer_nul",
            "X: \0\r\n".to_owned(),
            "400 closed",
            "outer open",
        ),
        (
            "trailer_20000",
            format!("X: {long}\r\n"),
            "400 closed",
            "outer open",
        ),
    ];
    fields
        .map(|(name, fields, direct, nginx)| {
            let body = format!("{outer}0\r\n{fields}\r\n");
            Case::new(name, RULE, request(&body), direct, nginx)
        })
        .into()
}
