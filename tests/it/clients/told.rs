//! What every client concludes from every answer that the collector gives: the answers come from the running binary, the
//! conclusions from the models in `readings.rs`. A reply that would lose a client's report fails here.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::answer::Answer;
use super::readings::{CLIENTS, Client, Conclusion};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::report;
use crate::support::stored::{crash_id_of, objects_below};
use crate::support::wait::PATIENCE;

/// Small limits, so that each refusal can be had.
const SETTINGS: [(&str, &str); 4] = [
    ("BREAKPAD_MAX_PAYLOAD_BYTES", "3000000"),
    ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1000000"),
    ("CRASHMOVER_MAX_ATTEMPTS", "1"),
    ("BREAKPAD_BODY_TIMEOUT_SECONDS", "3"),
];

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    Kept,
    /// As kept, but nothing is stored: the rules want it so.
    Faked,
    Rejected,
    Refused,
}

/// What each client should make of the meanings. What is kept is delivered for everybody, under the id that it has in
/// storage; nothing that is refused is. A report that the rules reject is told with 200, which rids us of it for good
/// where only the status is read.
const TABLE: [(Client, Shown, Word, Word); 9] = {
    use Word::{Again, Done, Keeps, Lost};
    [
        // what is shown as id; rejected; refused
        (Client::Crashpad, Shown::Body, Done, Lost),
        (Client::CrashpadSentry, Shown::Body, Done, Again),
        (Client::CrashpadSocket, Shown::Body, Done, Lost),
        (Client::FirefoxReporter, Shown::Id, Keeps, Keeps),
        (Client::FirefoxXhr, Shown::Id, Keeps, Keeps),
        (Client::BreakpadWindows, Shown::Body, Done, Lost),
        (Client::BreakpadUnix, Shown::Body, Done, Lost),
        (Client::Wget, Shown::Body, Done, Lost),
        (Client::Library, Shown::Body, Done, Lost),
    ]
};

#[derive(Clone, Copy)]
enum Shown {
    Body,
    Id,
}

#[derive(Clone, Copy)]
enum Word {
    Done,
    Again,
    Keeps,
    Lost,
}

#[test]
fn no_client_mistakes_an_answer() {
    let collector = TestCollector::start(&SETTINGS);
    let mut problems = Vec::new();
    let mut answers = Vec::new();
    for case in requests() {
        let before = ids(&collector);
        let answer = answer(collector.address(), &case.2);
        let mut stored = ids(&collector);
        stored.retain(|id| !before.contains(id));
        problems.extend(problems_of(&case, &answer, &stored));
        answers.push(first_line(&answer));
    }
    // From here on nothing can be saved.
    std::fs::remove_dir_all(collector.crashes()).expect("a folder of ours");
    std::fs::write(collector.crashes(), b"in the way").expect("a writable folder");
    for crash in [
        Crash::accepted().request(),
        as_the_socket_client(&Crash::accepted()),
    ] {
        let not_kept = answer(collector.address(), &crash);
        answers.push(first_line(&not_kept));
        problems.extend(problems_of(
            &("not kept", Meaning::Refused, crash),
            &not_kept,
            &[],
        ));
    }
    let silence = ("no answer", Meaning::Refused, Vec::new());
    problems.extend(problems_of(&silence, b"", &[]));
    collector.stop();
    report(&format!(
        "clients: {} answers read as {} clients do, {} misread",
        answers.len(),
        CLIENTS.len(),
        problems.len()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for status in [200, 400, 401, 404, 405, 408, 413, 431, 500, 503] {
        let is_there = |line: &String| line.contains(&format!(" {status} "));
        assert!(answers.iter().any(is_there), "no {status} in {answers:?}");
    }
}

type Case = (&'static str, Meaning, Vec<u8>);

/// Name, meaning of the answer, request.
fn requests() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, meaning, crash) in crashes() {
        cases.push((name, meaning, crash.request()));
        cases.push((name, meaning, as_the_socket_client(&crash)));
    }
    cases.extend(odd_requests());
    cases
}

/// Each is sent in the usual way, and as Crashpad's socket client would.
fn crashes() -> Vec<(&'static str, Meaning, Crash)> {
    use Meaning::{Faked, Kept, Refused, Rejected};
    let yes = Crash::accepted;
    let product = |name| Crash::default().annotation("ProductName", name);
    let large = |bytes| yes().dump("upload_file_minidump_browser", &vec![b'x'; bytes]);
    let no_annotations = Crash::default().dump("upload_file_minidump", b"MDMP");
    let accepts = yes().header("Accept-Encoding", "gzip, br");
    vec![
        ("kept", Kept, yes()),
        ("kept, gzip", Kept, yes().gzip()),
        ("kept, gzip accepted", Kept, accepts),
        ("faked", Faked, product("B2G")),
        ("rejected", Rejected, product("Unknown")),
        ("malformed", Refused, no_annotations),
        ("unauthorised", Refused, yes().annotation("uuid", "x")),
        ("too large", Refused, large(4_000_000)),
        ("no memory", Refused, large(2_000_000)),
    ]
}

fn as_the_socket_client(crash: &Crash) -> Vec<u8> {
    let request = crash.clone().chunked(4096).request();
    let request = replaced(&request, "HTTP/1.1", "HTTP/1.0");
    replaced(&request, "Connection: close\r\n", "")
}

fn odd_requests() -> Vec<Case> {
    use Meaning::{Kept, Refused};
    let yes = Crash::accepted;
    let plain = yes().request();
    let header = |name, value: &str| yes().header(name, value).request();
    let instead = |old, new| replaced(&plain, old, new);
    let broken = replaced(&instead("POST", "GET"), "/submit", "/__broken__");
    let old = as_the_socket_client(&yes());
    vec![
        ("kept alive", Kept, instead("Connection: close\r\n", "")),
        ("kept, HTTP/1.0", Kept, instead("HTTP/1.1", "HTTP/1.0")),
        ("kept after a 100", Kept, header("Expect", "100-continue")),
        ("kept, upgrade offered", Kept, header("Upgrade", "h2c")),
        (
            "bad boundary",
            Refused,
            instead("; boundary=", "; boundary=\""),
        ),
        ("not found", Refused, instead("/submit", "/elsewhere")),
        (
            "not found, old",
            Refused,
            replaced(&old, "/submit", "/elsewhere"),
        ),
        ("wrong method", Refused, instead("POST", "PUT")),
        ("not HTTP", Refused, instead("HTTP/1.1", "HTTP/9.9")),
        ("a huge head", Refused, header("X", &"y".repeat(200_000))),
        ("a panic", Refused, broken),
        ("stalled", Refused, plain[..plain.len() - 5].to_vec()),
        ("stalled, old", Refused, old[..old.len() - 5].to_vec()),
    ]
}

fn problems_of(case: &Case, answer: &[u8], stored: &[String]) -> Vec<String> {
    let (name, meaning, request) = case;
    let meaning = *meaning;
    let is_kept = meaning == Meaning::Kept;
    let mut problems = Vec::new();
    if stored.len() != usize::from(is_kept) {
        problems.push(format!("{name}: {} reports are stored", stored.len()));
    }
    let body = Answer::read(answer)
        .map(|answer| answer.body)
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let id = match stored.first() {
        Some(id) => format!("bp-{id}"),
        None => body.trim_start_matches("CrashID=").trim_end().to_owned(),
    };
    for (client, shown, rejected, refused) in TABLE {
        // It sends nothing else, and so is answered in no other way.
        let is_from_socket = contains(request, b"HTTP/1.0") && contains(request, b"chunked");
        if client == Client::CrashpadSocket && !is_from_socket {
            continue;
        }
        let word = match meaning {
            Meaning::Kept | Meaning::Faked => Word::Done,
            Meaning::Rejected => rejected,
            Meaning::Refused => refused,
        };
        let expected = match (word, shown) {
            (Word::Done, Shown::Id) => Conclusion::Done(id.clone()),
            (Word::Done, Shown::Body) if is_kept => Conclusion::Done(format!("CrashID={id}\n")),
            (Word::Done, Shown::Body) => Conclusion::Done(body.clone()),
            (Word::Again, _) => Conclusion::Again,
            (Word::Keeps, _) => Conclusion::Keeps,
            (Word::Lost, _) => Conclusion::Lost,
        };
        let concluded = client.concludes(answer, Duration::ZERO);
        if concluded != expected {
            let line = first_line(answer);
            problems.push(format!(
                "{name}: {line}: {client:?}: {concluded:?}, not {expected:?}"
            ));
        }
    }
    problems
}

fn ids(collector: &TestCollector) -> Vec<String> {
    let objects = objects_below(&collector.crashes());
    let raw_crashes = objects.keys().filter(|path| path.contains("/raw_crash/"));
    raw_crashes
        .filter_map(|path| crash_id_of(path))
        .map(str::to_owned)
        .collect()
}

fn first_line(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    text.lines().next().unwrap_or_default().to_owned()
}

fn is_complete(answer: &[u8]) -> bool {
    let head = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let is_announced = head.contains("\r\ncontent-length:");
    is_announced && Answer::read(answer).is_some_and(|answer| answer.is_whole)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

fn replaced(request: &[u8], old: &str, new: &str) -> Vec<u8> {
    let at = request.windows(old.len()).position(|w| w == old.as_bytes());
    let (before, rest) = request.split_at(at.expect("what is replaced is there"));
    [before, new.as_bytes(), &rest[old.len()..]].concat()
}

/// What comes back on a connection, until the announced length or the end.
fn answer(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a TCP option");
    let says_last = contains(request, b"Connection: close") || contains(request, b"HTTP/1.0");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // An error shows in the answer.
            let _ = (&stream).write_all(request);
            if !says_last {
                let _ = stream.shutdown(Shutdown::Write);
            }
        });
        let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
        // A reset after the answer takes nothing away from it.
        while !is_complete(&answer)
            && let Ok(length @ 1..) = (&stream).read(&mut piece)
        {
            answer.extend_from_slice(&piece[..length]);
        }
        let _ = stream.shutdown(Shutdown::Both);
        answer
    })
}
