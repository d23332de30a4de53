//! Which first requests are changed, and that nothing else of a connection is.

use super::*;

const OLD_CHUNKED: &str =
    "POST /submit HTTP/1.0\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n1\r\na\r\n0\r\n\r\n";

async fn begun(bytes: &str) -> (String, FirstRequest) {
    let (mut begun, first) = begin(bytes.as_bytes()).await.unwrap();
    let mut all = String::new();
    begun.read_to_string(&mut all).await.unwrap();
    (all, first)
}

#[tokio::test]
async fn an_old_chunked_request_becomes_a_new_one() {
    let (all, first) = begun(OLD_CHUNKED).await;
    assert_eq!(first, FirstRequest::OldChunked);
    assert_eq!(all, OLD_CHUNKED.replace("HTTP/1.0", "HTTP/1.1"));
}

#[tokio::test]
async fn an_expectation_in_it_is_forgotten() {
    let (all, first) = begun(
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nX: Expect:\r\nTransfer-Encoding: chunked\r\nEXPECT:1\r\n\r\n0\r\nexpect:\r\n\r\n",
    )
    .await;
    assert_eq!(first, FirstRequest::OldChunked);
    assert_eq!(
        all,
        "POST / HTTP/1.1\r\nx-none: 100-continue\r\nX: Expect:\r\nTransfer-Encoding: chunked\r\nx-none:1\r\n\r\n0\r\nexpect:\r\n\r\n"
    );
}

#[tokio::test]
async fn everything_else_stays_as_it_is() {
    for bytes in [
        "",
        "POST",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding : chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n folded\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\rContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nno colon\r\n\r\n",
        "POST / HTTP/1.0\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\nX: y\r\n\r\n",
        "POST / HTTP/1.1\nX: HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\rX: HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        assert_eq!(
            begun(bytes).await,
            (bytes.to_owned(), FirstRequest::Usual),
            "{bytes}"
        );
    }
}

#[tokio::test]
async fn a_head_at_the_limit_is_read_the_same_way_however_it_arrives() {
    for odd in ["/submit", "/submit?a b"] {
        for head_bytes in MAX_HEAD_BYTES - 2..MAX_HEAD_BYTES + 3 {
            let bytes = old_chunked_of(odd, head_bytes);
            let whole = begun_in_pieces(&bytes, bytes.len()).await;
            let is_within = head_bytes <= MAX_HEAD_BYTES;
            assert_eq!(
                whole.1 == FirstRequest::OldChunked,
                is_within,
                "{head_bytes}"
            );
            for piece_bytes in [1, 4000, MAX_HEAD_BYTES - 1] {
                assert!(
                    begun_in_pieces(&bytes, piece_bytes).await == whole,
                    "{head_bytes}"
                );
            }
        }
    }
}

/// A request whose head has this length.
fn old_chunked_of(target: &str, head_bytes: usize) -> String {
    let start = format!("POST {target} HTTP/1.0\r\nTransfer-Encoding: chunked\r\nX: ");
    let filler = "y".repeat(head_bytes - start.len() - 4);
    format!(
        "{start}{filler}\r\n\r\n1\r\na\r\n0\r\n\r\n{}",
        "z".repeat(5000)
    )
}

async fn begun_in_pieces(bytes: &str, piece_bytes: usize) -> (String, FirstRequest) {
    let (mut client, server) = tokio::io::duplex(piece_bytes);
    let sending = async {
        tokio::io::AsyncWriteExt::write_all(&mut client, bytes.as_bytes())
            .await
            .unwrap();
        drop(client);
    };
    let reading = async {
        let (mut begun, first) = begin(server).await.unwrap();
        let mut all = String::new();
        begun.read_to_string(&mut all).await.unwrap();
        (all, first)
    };
    tokio::join!(sending, reading).1
}

#[test]
fn every_cut_of_the_head_is_waited_for() {
    let head = OLD_CHUNKED.find("\r\n\r\n").unwrap();
    for cut in 0..head + 4 {
        assert_eq!(
            look_at(&OLD_CHUNKED.as_bytes()[..cut]),
            FirstLook::More,
            "{cut}"
        );
    }
    assert!(matches!(
        look_at(&OLD_CHUNKED.as_bytes()[..head + 4]),
        FirstLook::OldChunked { .. }
    ));
}
