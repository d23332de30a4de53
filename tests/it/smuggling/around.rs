//! Requests that are not for `/submit` or are answered before their body: what is left of them is not a request.

use super::case::{Case, chunk, form, post, smuggled};

/// Request lines, header lines, and the answers; the body is a whole request.
#[rustfmt::skip]
const REQUESTS: [(&str, &str, &str, &str); 9] = [
    ("get_with_a_body", "GET /__lbheartbeat__ HTTP/1.1\r\n", "200 open", "200 open"),
    ("get_submit_with_a_body", "GET /submit HTTP/1.1\r\n", "405 open", "405 open"),
    ("options_with_a_body", "OPTIONS /submit HTTP/1.1\r\n", "200 open", "200 open"),
    ("not_found_with_a_body", "POST /nowhere HTTP/1.1\r\n", "404 open", "404 open"),
    ("put_with_a_body", "PUT /submit HTTP/1.1\r\n", "405 open", "405 open"),
    ("trace_with_a_body", "TRACE /submit HTTP/1.1\r\n", "405 open", "405 closed"),
    ("connect_with_a_body", "CONNECT /submit HTTP/1.1\r\n", "405 open", "405 closed"),
    ("upgrade_with_a_body", "GET /__lbheartbeat__ HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", "200 open", "200 open"),
    ("expect_with_a_body", "POST /nowhere HTTP/1.1\r\nExpect: 100-continue\r\n", "404 closed", "404 open"),
];

pub fn cases() -> Vec<Case> {
    const RULE: &str = "0.CL, CL.0; RFC 9112 §6.3, §9.3";
    let body = smuggled();
    let rest = format!("Host: t\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut cases: Vec<_> = REQUESTS
        .map(|(name, lines, direct, nginx)| {
            Case::new(name, RULE, format!("{lines}{rest}"), direct, nginx)
        })
        .into();
    cases.extend(early());
    cases
}

fn early() -> Vec<Case> {
    let smuggled = smuggled();
    let announced = post("Content-Length: 30000000\r\n", &smuggled);
    let expecting = post(
        "Expect: 100-continue\r\nContent-Length: 30000000\r\n",
        &smuggled,
    );
    let malformed = "--b--\r\n".to_owned() + &smuggled;
    let malformed = post(
        &format!("Content-Length: {}\r\n", malformed.len()),
        &malformed,
    );
    let chunked = chunk(&form("outer", "MDMP")) + &chunk(&smuggled) + "0\r\n\r\n";
    let chunked = post("Transfer-Encoding: chunked\r\n", &chunked);
    let upgrade = post(
        &format!(
            "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: {}\r\n",
            form("outer", "").len()
        ),
        &form("outer", ""),
    );
    vec![
        Case::new(
            "too_large_at_once",
            "RFC 9110 §15.5.14",
            announced,
            "413 closed",
            "413 closed",
        ),
        Case::new(
            "too_large_expecting",
            "0.CL with Expect; RFC 9110 §10.1.1",
            expecting,
            "413 closed",
            "413 closed",
        ),
        Case::new(
            "behind_the_last_boundary",
            "RFC 2046 §5.1.1, epilogue",
            malformed,
            "400 open",
            "400 open",
        ),
        Case::new(
            "chunk_behind_the_last_boundary",
            "RFC 2046 §5.1.1, epilogue",
            chunked,
            "outer open",
            "outer open",
        ),
        Case::new(
            "upgrade_of_a_report",
            "RFC 9110 §7.8",
            upgrade,
            "outer open",
            "outer open",
        ),
        Case::new(
            "http2_preface",
            "RFC 9113 §3.4",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "closed",
            "400 closed",
        ),
    ]
}
