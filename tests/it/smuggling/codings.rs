//! Transfer-Encoding: everything that one reader may take for `chunked` and another may not.

use super::case::{Case, chunk, chunked, form, plain, post, smuggled};

/// Header lines without a Content-Length. A reader that does not see `chunked` takes what follows for a request.
#[rustfmt::skip]
const WITHOUT_LENGTH: [(&str, &str, &str, &str); 31] = [
    ("te_chunked", "Transfer-Encoding: chunked\r\n", "outer pipelined open", "outer pipelined open"),
    ("te_upper_case", "TRANSFER-ENCODING: CHUNKED\r\n", "outer pipelined open", "outer pipelined open"),
    ("te_tab_before", "Transfer-Encoding:\tchunked\r\n", "outer pipelined open", "501 closed"),
    ("te_blank_behind", "Transfer-Encoding: chunked \t\r\n", "outer pipelined open", "501 closed"),
    ("te_no_blank", "Transfer-Encoding:chunked\r\n", "outer pipelined open", "outer pipelined open"),
    ("te_xchunked", "Transfer-Encoding: xchunked\r\n", "400 closed", "501 closed"),
    ("te_chunkedx", "Transfer-Encoding: chunkedx\r\n", "400 closed", "501 closed"),
    ("te_identity", "Transfer-Encoding: identity\r\n", "400 closed", "501 closed"),
    ("te_chunked_identity", "Transfer-Encoding: chunked, identity\r\n", "400 closed", "501 closed"),
    ("te_identity_chunked", "Transfer-Encoding: identity, chunked\r\n", "400 closed", "501 closed"),
    ("te_gzip_chunked", "Transfer-Encoding: gzip, chunked\r\n", "400 closed", "501 closed"),
    ("te_chunked_chunked", "Transfer-Encoding: chunked, chunked\r\n", "400 closed", "501 closed"),
    ("te_chunked_comma", "Transfer-Encoding: chunked,\r\n", "400 closed", "501 closed"),
    ("te_comma_chunked", "Transfer-Encoding: ,chunked\r\n", "400 closed", "501 closed"),
    ("te_parameter", "Transfer-Encoding: chunked;q=1\r\n", "400 closed", "501 closed"),
    ("te_quotes", "Transfer-Encoding: \"chunked\"\r\n", "400 closed", "501 closed"),
    ("te_blank_inside", "Transfer-Encoding: chu nked\r\n", "400 closed", "501 closed"),
    ("te_empty", "Transfer-Encoding:\r\n", "400 closed", "501 closed"),
    ("te_twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
    ("te_chunked_then_identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "400 closed", "400 closed"),
    ("te_identity_then_chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
    ("te_chunked_then_cow", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n", "400 closed", "400 closed"),
    ("te_vertical_tab", "Transfer-Encoding: \x0bchunked\r\n", "400 closed", "501 closed"),
    ("te_form_feed", "Transfer-Encoding: \x0cchunked\r\n", "400 closed", "501 closed"),
    ("te_nul_behind", "Transfer-Encoding: chunked\0\r\n", "400 closed", "400 closed"),
    ("te_blank_before_colon", "Transfer-Encoding : chunked\r\n", "400 closed", "400 closed"),
    ("te_tab_before_colon", "Transfer-Encoding\t: chunked\r\n", "400 closed", "400 closed"),
    ("te_nul_in_name", "Transfer-Encoding\0: chunked\r\n", "400 closed", "400 closed"),
    ("te_folded_value", "Transfer-Encoding:\r\n chunked\r\n", "400 closed", "400 closed"),
    ("te_folded_rest", "Transfer-Encoding: chunked\r\n , identity\r\n", "400 closed", "400 closed"),
    ("te_line_begins_with_blank", " Transfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
];

/// Header lines beside a Content-Length that covers everything: whoever sees `chunked` finds a request behind it.
#[rustfmt::skip]
const WITH_LENGTH: [(&str, &str, &str, &str); 12] = [
    ("cl_te_xchunked", "Transfer-Encoding: xchunked\r\n", "400 closed", "501 closed"),
    ("cl_te_identity", "Transfer-Encoding: identity\r\n", "400 closed", "501 closed"),
    ("cl_te_empty", "Transfer-Encoding:\r\n", "400 closed", "501 closed"),
    ("cl_te_blank_before_colon", "Transfer-Encoding : chunked\r\n", "400 closed", "400 closed"),
    ("cl_te_folded_into_another", "X: y\r\n Transfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
    ("cl_te_behind_bare_cr", "X: y\rTransfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
    ("cl_te_behind_nul", "X: y\0\r\nTransfer-Encoding: chunked\r\n", "400 closed", "400 closed"),
    ("cl_te_behind_bare_lf", "X: y\nTransfer-Encoding: chunked\r\n", "outer closed", "400 closed"),
    ("cl_te_underscore", "Transfer_Encoding: chunked\r\n", "outer open", "outer open"),
    ("cl_te_in_a_value", "X: Transfer-Encoding: chunked\r\n", "outer open", "outer open"),
    ("cl_te_utf8_name", "Transfer-Enc\u{f6}ding: chunked\r\n", "400 closed", "outer open"),
    ("cl_te_without_colon", "Transfer-Encoding chunked\r\n", "400 closed", "400 closed"),
];

pub fn cases() -> Vec<Case> {
    const RULE: &str = "TE.TE; RFC 9112 §5.1, §5.2, §6.1, §6.3 (4)";
    let taken = chunked("outer") + &plain("pipelined");
    let behind = chunked("outer") + &smuggled();
    let length = format!("Content-Length: {}\r\n", behind.len());
    let mut cases: Vec<_> = WITHOUT_LENGTH
        .map(|(name, lines, direct, nginx)| {
            let is_taken = direct.contains("pipelined");
            let body = if is_taken { &taken } else { &behind };
            Case::new(name, RULE, post(lines, body), direct, nginx)
        })
        .into();
    cases.extend(WITH_LENGTH.map(|(name, lines, direct, nginx)| {
        Case::new(
            name,
            RULE,
            post(&(length.clone() + lines), &behind),
            direct,
            nginx,
        )
    }));
    let inside = post(
        "Transfer-Encoding: chunked\r\n",
        &chunk(&form("outer", &smuggled())),
    ) + "0\r\n\r\n";
    cases.push(Case::new(
        "te_request_inside",
        RULE,
        inside,
        "outer open",
        "outer open",
    ));
    cases
}
