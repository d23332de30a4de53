//! The models themselves: what an altered reply would do to each client. Small changes of a yes, most of them harmless for
//! a browser, lose reports.

use std::time::Duration;

use super::readings::{CLIENTS, Client, Conclusion};

const ID: &str = "de1bb258-cbbf-4589-a673-34f800160918";

fn yes(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{headers}\r\n{body}").into_bytes()
}

fn body() -> String {
    format!("CrashID=bp-{ID}\n")
}

fn with_length(status: &str, body: &str) -> Vec<u8> {
    yes(status, &format!("Content-Length: {}\r\n", body.len()), body)
}

/// The clients that take the right id from this.
fn takers(answer: &[u8]) -> Vec<Client> {
    let right = [body(), format!("bp-{ID}")];
    let takes = |client: &Client| match client.concludes(answer, Duration::ZERO) {
        Conclusion::Done(id) => right.contains(&id),
        _ => false,
    };
    CLIENTS.into_iter().filter(takes).collect()
}

fn all_but(clients: &[Client]) -> Vec<Client> {
    let others = CLIENTS.into_iter();
    others.filter(|client| !clients.contains(client)).collect()
}

#[test]
fn the_right_answer_is_understood_by_all() {
    assert_eq!(takers(&with_length("200 OK", &body())), CLIENTS);
    let after_100 = [
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        &with_length("200 OK", &body()),
    ]
    .concat();
    assert_eq!(takers(&after_100), all_but(&[Client::CrashpadSocket]));
}

#[test]
fn a_body_with_another_end_or_start_is_another_id() {
    let crlf = with_length("200 OK", &format!("CrashID=bp-{ID}\r\n"));
    assert_eq!(takers(&crlf), [Client::FirefoxReporter]);
    assert_eq!(
        Client::FirefoxXhr.concludes(&crlf, Duration::ZERO),
        Conclusion::Keeps
    );
    let no_prefix = with_length("200 OK", &format!("CrashID={ID}\n"));
    assert_eq!(takers(&no_prefix), []);
    assert_eq!(
        Client::FirefoxXhr.concludes(&no_prefix, Duration::ZERO),
        Conclusion::Keeps
    );
    let json = with_length("200 OK", &format!("{{\"CrashID\": \"bp-{ID}\"}}"));
    assert_eq!(takers(&json), []);
}

#[test]
fn another_framing_loses_those_who_do_not_know_it() {
    let length = body().len();
    let chunks = format!("{length:x}\r\n{}\r\n0\r\n\r\n", body());
    let chunked = yes("200 OK", "Transfer-Encoding: chunked\r\n", &chunks);
    assert_eq!(takers(&chunked), all_but(&[Client::CrashpadSocket]));
    let lower_case = yes("200 OK", &format!("content-length: {length}\r\n"), &body());
    assert_eq!(takers(&lower_case), all_but(&[Client::CrashpadSocket]));
    let cut = yes(
        "200 OK",
        &format!("Content-Length: {}\r\n", length + 1),
        &body(),
    );
    assert_eq!(takers(&cut), [Client::FirefoxReporter, Client::FirefoxXhr]);
    assert_eq!(takers(b"HTTP/1.1 200 OK\r\nContent-Le"), []);
}

/// Crashpad and Breakpad on Windows want 200 and nothing else; a redirect or an empty success is a lost report.
#[test]
fn another_status_loses_reports() {
    for status in ["201 Created", "202 Accepted"] {
        let takers = takers(&with_length(status, &body()));
        assert_eq!(
            takers,
            [Client::BreakpadUnix, Client::Wget, Client::Library]
        );
    }
    let lost = |answer: &[u8], client: Client| client.concludes(answer, Duration::ZERO);
    for answer in [
        yes("204 No Content", "", ""),
        yes(
            "302 Found",
            "Location: https://elsewhere/\r\nContent-Length: 0\r\n",
            "",
        ),
        with_length("429 Too Many Requests", ""),
    ] {
        assert_eq!(takers(&answer), []);
        assert_eq!(lost(&answer, Client::Crashpad), Conclusion::Lost);
        assert_eq!(lost(&answer, Client::CrashpadSocket), Conclusion::Lost);
        assert_eq!(lost(&answer, Client::CrashpadSentry), Conclusion::Again);
        assert_eq!(lost(&answer, Client::FirefoxXhr), Conclusion::Keeps);
    }
    // The worst: taken for a yes.
    let redirect = with_length("301 Moved Permanently", "");
    assert_eq!(
        lost(&redirect, Client::BreakpadUnix),
        Conclusion::Done(String::new())
    );
}

#[test]
fn a_yes_that_comes_too_late_is_none() {
    let answer = with_length("200 OK", &body());
    let late = |client: Client, seconds| client.concludes(&answer, Duration::from_secs(seconds));
    assert_eq!(late(Client::Wget, 11), Conclusion::Lost);
    assert_eq!(late(Client::Crashpad, 11), Conclusion::Done(body()));
    assert_eq!(late(Client::Crashpad, 61), Conclusion::Lost);
    assert_eq!(late(Client::CrashpadSentry, 61), Conclusion::Again);
}

/// Some clients give up before ten seconds are over; the default must leave room for the way there and back.
#[test]
fn the_default_deadline_is_shorter_than_any_clients_patience() {
    let page = include_str!("../../../docs/configuration.md");
    let (_, section) = page
        .split_once("### `CRASHMOVER_ACK_TIMEOUT_SECONDS`")
        .expect("it is there");
    let default = section
        .split('`')
        .skip_while(|text| !text.trim().ends_with("Default:"))
        .nth(1);
    let default: u64 = default.expect("a default").parse().expect("seconds");
    let patience = CLIENTS.iter().filter_map(|client| client.patience()).min();
    assert!(
        Duration::from_secs(default) < patience.expect("one of them"),
        "{default}"
    );
}
