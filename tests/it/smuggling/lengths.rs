//! Content-Length: alone, repeated, odd, and together with Transfer-Encoding.

use super::case::{Case, chunk, chunked, form, plain, post, smuggled, with_length};

/// Values that are no decimal number (RFC 9110 §8.6), and so no length: `LENGTH` stands for the right one.
#[rustfmt::skip]
const ODD: [(&str, &str); 12] = [
    ("length_with_plus", "+LENGTH"),
    ("length_with_minus", "-LENGTH"),
    ("length_in_hexadecimal", "0xLENGTH"),
    ("length_with_underscore", "1_LENGTH"),
    ("length_with_fraction", "LENGTH.0"),
    ("length_with_exponent", "LENGTHe0"),
    ("length_with_blank_inside", "1 LENGTH"),
    ("length_in_quotes", "\"LENGTH\""),
    ("length_with_other_text", "LENGTHabc"),
    ("length_empty", ""),
    ("length_overflow", "18446744073709551616"),
    ("length_as_list", "LENGTH, LENGTH"),
];

pub fn cases() -> Vec<Case> {
    let mut cases = alone();
    cases.extend(repeated());
    cases.extend(both());
    cases.extend(ODD.map(|(name, value)| {
        let body = form("outer", "MDMP");
        let value = value.replace("LENGTH", &body.len().to_string());
        let bytes = post(&format!("Content-Length: {value}\r\n"), &body);
        Case::new(
            name,
            "RFC 9110 §8.6, RFC 9112 §6.3 (5)",
            bytes,
            "400 closed",
            "400 closed",
        )
    }));
    cases
}

/// Framing as it ought to be, and a length that does not fit.
fn alone() -> Vec<Case> {
    let whole = form("outer", "MDMP");
    let inside = with_length("", &form("outer", &smuggled()));
    let low = post(&format!("Content-Length: {}\r\n", whole.len() - 30), &whole);
    let cut = post(
        "Content-Length: 10\r\n",
        &format!("{}{}", &whole[..10], plain("pipelined")),
    );
    vec![
        Case::new(
            "pipelined_requests",
            "RFC 9112 §9.3.2",
            plain("outer") + &plain("pipelined"),
            "outer pipelined open",
            "outer pipelined open",
        ),
        Case::new(
            "request_inside_a_dump",
            "RFC 9112 §6.2",
            inside,
            "outer open",
            "outer open",
        ),
        // The first report is cut; what is left is no request.
        Case::new(
            "low_length",
            "RFC 9112 §6.3 (6), §11.2",
            low,
            "400 400 closed",
            "400 400 closed",
        ),
        // By its framing the rest is the next request, and nobody can see that it was not meant so.
        Case::new(
            "low_length_then_a_request",
            "RFC 9112 §6.3 (6)",
            cut,
            "400 pipelined open",
            "400 pipelined open",
        ),
        // The probe's bytes fill the body up.
        Case::new(
            "high_length",
            "RFC 9112 §6.3 (6)",
            post("Content-Length: 100000\r\n", &whole),
            "408 closed",
            "closed",
        ),
        Case::new(
            "length_with_leading_zeros",
            "RFC 9110 §8.6",
            post(&format!("Content-Length: 000{}\r\n", whole.len()), &whole),
            "outer open",
            "outer open",
        ),
        Case::new(
            "length_between_blanks",
            "RFC 9112 §5.1",
            post(
                &format!("Content-Length: \t {} \t\r\n", whole.len()),
                &whole,
            ),
            "outer open",
            "400 closed",
        ),
        // nginx goes on with what it takes for the next request; the collector does not after such a report.
        Case::new(
            "no_length_but_a_body",
            "RFC 9112 §6.3 (7)",
            post("", &plain("pipelined")),
            "400 closed",
            "400 pipelined open",
        ),
    ]
}

fn repeated() -> Vec<Case> {
    let whole = form("outer", "MDMP");
    let body = whole.clone() + &smuggled();
    let (short, long) = (whole.len(), body.len());
    let lengths = |first, second| {
        post(
            &format!("Content-Length: {first}\r\nContent-Length: {second}\r\n"),
            &body,
        )
    };
    let same = post(
        &format!("Content-Length: {short}\r\nX: y\r\nContent-Length: {short}\r\n"),
        &whole,
    );
    let list = post(&format!("Content-Length: {short}, {long}\r\n"), &body);
    vec![
        Case::new(
            "cl_cl_short_first",
            "CL.CL; RFC 9112 §6.3 (5)",
            lengths(short, long),
            "400 closed",
            "400 closed",
        ),
        Case::new(
            "cl_cl_long_first",
            "CL.CL; RFC 9112 §6.3 (5)",
            lengths(long, short),
            "400 closed",
            "400 closed",
        ),
        Case::new(
            "cl_cl_zero_first",
            "CL.0; RFC 9112 §6.3 (5)",
            lengths(0, long),
            "400 closed",
            "400 closed",
        ),
        Case::new(
            "cl_cl_same",
            "RFC 9112 §6.3 (5)",
            same,
            "outer open",
            "400 closed",
        ),
        Case::new(
            "cl_list_of_two",
            "RFC 9112 §6.3 (5)",
            list,
            "400 closed",
            "400 closed",
        ),
    ]
}

/// With both, the chunks count and the connection ends (RFC 9112 §6.1); nginx refuses.
fn both() -> Vec<Case> {
    const RULE: &str = "CL.TE, TE.CL; RFC 9112 §6.1, §6.3 (3), §11.2";
    let behind = chunked("outer") + &smuggled();
    let inside = chunk(&form("outer", &smuggled())) + "0\r\n\r\n";
    let lines = |lines: &str, body: &str| post(lines, body);
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        Case::new(
            "cl_te_request_behind",
            RULE,
            lines(
                &format!("Content-Length: {}\r\n{chunked}", behind.len()),
                &behind,
            ),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "te_cl_request_behind",
            RULE,
            lines(
                &format!("{chunked}Content-Length: {}\r\n", behind.len()),
                &behind,
            ),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "te_cl_request_inside",
            RULE,
            lines(&format!("{chunked}Content-Length: 4\r\n"), &inside),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "cl_te_request_inside",
            RULE,
            lines(&format!("Content-Length: 4\r\n{chunked}"), &inside),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "cl_zero_te",
            "CL.0; RFC 9112 §6.3 (3)",
            lines(&format!("Content-Length: 0\r\n{chunked}"), &inside),
            "outer closed",
            "400 closed",
        ),
        Case::new(
            "te_and_an_odd_length",
            RULE,
            lines(&format!("Content-Length: abc\r\n{chunked}"), &behind),
            "400 closed",
            "400 closed",
        ),
        Case::new(
            "cl_te_cl",
            RULE,
            lines(
                &format!("Content-Length: 4\r\n{chunked}Content-Length: 9\r\n"),
                &behind,
            ),
            "outer closed",
            "400 closed",
        ),
    ]
}
