//! HTTP/1.0 with chunks, which the collector takes where it can be read in one way only; nginx never does.

use super::case::{Case, chunked, form, plain, post_as, smuggled};

/// Header lines of an HTTP/1.0 request with a chunked body, and the collector's answer. Behind it stands a request.
#[rustfmt::skip]
const HEADS: [(&str, &str, &str); 24] = [
    ("old_chunked", "Transfer-Encoding: chunked\r\n", "outer closed"),
    ("old_chunked_upper_case", "TRANSFER-ENCODING: Chunked\r\n", "outer closed"),
    ("old_keep_alive", "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "outer closed"),
    ("old_length_behind", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "400 closed"),
    ("old_length_before", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_length_zero", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_length_odd", "Content-Length: +5\r\nTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_twice", "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n", "400 closed"),
    ("old_chunked_then_identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "400 closed"),
    ("old_identity", "Transfer-Encoding: identity\r\n", "400 closed"),
    ("old_gzip_chunked", "Transfer-Encoding: gzip, chunked\r\n", "400 closed"),
    ("old_chunked_chunked", "Transfer-Encoding: chunked, chunked\r\n", "400 closed"),
    ("old_xchunked", "Transfer-Encoding: xchunked\r\n", "400 closed"),
    ("old_blank_before_colon", "Transfer-Encoding : chunked\r\n", "400 closed"),
    ("old_folded", "Transfer-Encoding:\r\n chunked\r\n", "400 closed"),
    ("old_folded_behind", "Transfer-Encoding: chunked\r\n x\r\n", "400 closed"),
    ("old_bare_lf_before", "X: y\nTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_bare_lf_behind", "Transfer-Encoding: chunked\nX: y\r\n", "400 closed"),
    ("old_bare_cr", "X: y\rTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_length_behind_bare_cr", "Transfer-Encoding: chunked\rContent-Length: 5\r\n", "400 closed"),
    ("old_nul", "X: \0\r\nTransfer-Encoding: chunked\r\n", "400 closed"),
    ("old_vertical_tab", "Transfer-Encoding: \x0bchunked\r\n", "400 closed"),
    ("old_form_feed", "Transfer-Encoding: \x0cchunked\r\n", "400 closed"),
    ("old_no_colon", "Transfer-Encoding: chunked\r\nX\r\n", "400 closed"),
];

pub fn cases() -> Vec<Case> {
    const RULE: &str = "RFC 9112 §6.1, HTTP/1.0 with Transfer-Encoding";
    let behind = chunked("outer") + &smuggled();
    let mut cases: Vec<_> = HEADS
        .map(|(name, lines, direct)| {
            let bytes = post_as("HTTP/1.0", lines, &behind);
            Case::new(name, RULE, bytes, direct, "400 closed")
        })
        .into();
    cases.extend(lines(&behind));
    cases.extend(around());
    cases
}

/// First lines that make another reader see another version.
fn lines(behind: &str) -> Vec<Case> {
    const RULE: &str = "RFC 9112 §2.2, §3";
    let taken = chunked("outer") + &plain("pipelined");
    let rest =
        "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n";
    let heads = [
        (
            "old_all_bare_lf",
            "POST /submit HTTP/1.0\n".to_owned() + &rest.replace("\r\n", "\n"),
            "400 closed",
            "400 closed",
        ),
        (
            "old_version_in_a_header",
            format!("POST /submit HTTP/1.1\nX: HTTP/1.0\r\nHost: t\r\n{rest}"),
            "outer pipelined open",
            "outer pipelined open",
        ),
        (
            "old_behind_bare_lf",
            format!("POST /submit HTTP/1.0\nX: HTTP/1.0\r\n{rest}"),
            "400 closed",
            "400 closed",
        ),
        (
            "old_length_behind_bare_lf",
            format!("POST /submit HTTP/1.0\nContent-Length: 5\nX: HTTP/1.0\r\n{rest}"),
            "400 closed",
            "400 closed",
        ),
        (
            "old_two_versions",
            format!("POST /submit HTTP/1.1 HTTP/1.0\r\n{rest}"),
            "404 closed",
            "400 closed",
        ),
        (
            "old_blank_in_query",
            format!("POST /submit?a b HTTP/1.0\r\n{rest}"),
            "outer closed",
            "400 closed",
        ),
        (
            "old_empty_line_before",
            format!("\r\nPOST /submit HTTP/1.0\r\n{rest}"),
            "400 closed",
            "400 closed",
        ),
    ];
    heads
        .map(|(name, head, direct, nginx)| {
            let is_taken = direct.contains("pipelined");
            let behind = if is_taken { &taken } else { behind };
            Case::new(name, RULE, head + behind, direct, nginx)
        })
        .into()
}

/// Other requests on the same connection, and HTTP/1.0 with a length.
fn around() -> Vec<Case> {
    const RULE: &str = "RFC 9112 §6.1, §9.3";
    let old = |marker| {
        post_as(
            "HTTP/1.0",
            "Transfer-Encoding: chunked\r\n",
            &chunked(marker),
        )
    };
    let body = form("outer", &smuggled());
    let length = format!("Content-Length: {}\r\n", body.len());
    let kept_alive = post_as(
        "HTTP/1.0",
        &(length.clone() + "Connection: keep-alive\r\n"),
        &body,
    );
    vec![
        Case::new(
            "old_pipelined_old",
            RULE,
            old("outer") + &old("smuggled"),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "new_then_old",
            RULE,
            plain("outer") + &old("pipelined"),
            "outer pipelined closed",
            "outer 400 closed",
        ),
        Case::new(
            "old_length_closes",
            RULE,
            post_as("HTTP/1.0", &length, &body),
            "outer closed",
            "outer closed",
        ),
        Case::new(
            "old_length_keep_alive",
            RULE,
            kept_alive.clone(),
            "outer open",
            "outer open",
        ),
        Case::new(
            "old_length_then_old",
            RULE,
            kept_alive + &old("pipelined"),
            "outer pipelined closed",
            "outer 400 closed",
        ),
    ]
}
