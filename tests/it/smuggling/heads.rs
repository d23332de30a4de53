//! Request lines and header lines: where a head ends, and what is a line.

use super::case::{Case, form, plain, smuggled};

/// The head's lines before the Content-Length, with their line ends. `R` stands for the request line's target.
#[rustfmt::skip]
const HEADS: [(&str, &str, &str, &str); 30] = [
    ("head_usual", "POST /submit HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
    ("head_lines_before", "\r\n\r\nPOST /submit HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
    ("head_lf_before", "\nPOST /submit HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
    ("head_blank_before", " POST /submit HTTP/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_bare_lf", "POST /submit HTTP/1.1\nHost: t\n", "outer open", "outer open"),
    ("head_bare_cr", "POST /submit HTTP/1.1\rHost: t\r\n", "400 closed", "400 closed"),
    ("head_two_blanks", "POST  /submit HTTP/1.1\r\nHost: t\r\n", "400 closed", "outer open"),
    ("head_tab", "POST\t/submit\tHTTP/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_http_12", "POST /submit HTTP/1.2\r\nHost: t\r\n", "400 closed", "outer open"),
    ("head_http_110", "POST /submit HTTP/1.10\r\nHost: t\r\n", "400 closed", "outer open"),
    ("head_http_20", "POST /submit HTTP/2.0\r\nHost: t\r\n", "400 closed", "505 closed"),
    ("head_http_lower_case", "POST /submit http/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_no_version", "POST /submit\r\nHost: t\r\n", "400 closed", "closed"),
    ("head_blank_behind", "POST /submit HTTP/1.1 \r\nHost: t\r\n", "400 closed", "outer open"),
    ("head_two_versions", "POST /submit HTTP/1.1 HTTP/1.1\r\nHost: t\r\n", "404 open", "400 closed"),
    ("head_blank_in_query", "POST /submit?a=b c HTTP/1.1\r\nHost: t\r\n", "outer open", "400 closed"),
    ("head_nul_in_target", "POST /submit?\0 HTTP/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_lf_in_query", "POST /submit?a\nTransfer-Encoding: chunked HTTP/1.1\r\nHost: t\r\n", "400 closed", "closed"),
    ("head_cr_in_query", "POST /submit?a\rX: y HTTP/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_encoded_line_end", "POST /submit?%0d%0aTransfer-Encoding:%20chunked HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
    ("head_nul_in_method", "PO\0ST /submit HTTP/1.1\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_nul_in_value", "POST /submit HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n", "400 closed", "400 closed"),
    ("head_control_in_value", "POST /submit HTTP/1.1\r\nHost: t\r\nX: a\x01b\r\n", "400 closed", "400 open"),
    ("head_control_in_name", "POST /submit HTTP/1.1\r\nHost: t\r\nX\x01: b\r\n", "400 closed", "400 closed"),
    ("head_cr_in_value", "POST /submit HTTP/1.1\r\nHost: t\r\nX: a\rb\r\n", "400 closed", "400 closed"),
    ("head_empty_name", "POST /submit HTTP/1.1\r\nHost: t\r\n: b\r\n", "400 closed", "400 closed"),
    ("head_folded", "POST /submit HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n", "400 closed", "400 closed"),
    ("head_folded_first", "POST /submit HTTP/1.1\r\n X: a\r\nHost: t\r\n", "400 closed", "400 closed"),
    ("head_absolute_target", "POST http://t/submit HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
    ("head_encoded_path", "POST /%73ubmit HTTP/1.1\r\nHost: t\r\n", "outer open", "outer open"),
];

pub fn cases() -> Vec<Case> {
    const RULE: &str = "RFC 9112 §2.2, §3, §5";
    let body = form("outer", &smuggled());
    let rest = format!(
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut cases: Vec<_> = HEADS
        .map(|(name, lines, direct, nginx)| {
            Case::new(name, RULE, format!("{lines}{rest}"), direct, nginx)
        })
        .into();
    // Whoever ends a head at two bare line feeds finds a request in what another takes for a header.
    let early = format!("POST /submit HTTP/1.1\r\nHost: t\r\nX: y\n\n{rest}");
    cases.push(Case::new(
        "head_ended_by_bare_lf",
        RULE,
        early,
        "400 closed",
        "400 400 closed",
    ));
    let behind = plain("outer") + "\r\n\r\n" + &plain("pipelined");
    cases.push(Case::new(
        "empty_lines_between",
        RULE,
        behind,
        "outer pipelined open",
        "outer pipelined open",
    ));
    let garbage = plain("outer") + "garbage\r\n" + &smuggled();
    cases.push(Case::new(
        "garbage_between",
        RULE,
        garbage,
        "outer 400 closed",
        "outer 400 closed",
    ));
    cases
}
