//! Paths as proxies and the original spell them.

use axum::extract::Request;
use axum::http::Uri;

/// `/%73ubmit` is `/submit`, and so are `//submit` and `///submit`, as in the original. A path that decodes to
/// something odd, or in which another slash, a query or a fragment would appear, stays as it is, and is not found.
pub fn decode(mut request: Request) -> Request {
    let query = request.uri().query().map(|query| format!("?{query}"));
    if let Some(decoded) = decoded(request.uri().path())
        && let Ok(uri) = Uri::try_from(decoded + query.as_deref().unwrap_or_default())
    {
        *request.uri_mut() = uri;
    }
    request
}

/// None where there is nothing to do.
fn decoded(path: &str) -> Option<String> {
    let is_doubled = path.starts_with("//");
    if !is_doubled && !path.contains('%') {
        return None;
    }
    let path = format!("/{}", path.trim_start_matches('/'));
    let mut pieces = path.split('%');
    let mut decoded = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let byte = hex_byte(piece.as_bytes())?;
        if b"/?#%".contains(&byte) {
            return None;
        }
        decoded.push(byte);
        decoded.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(decoded).ok()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(16 * digit(0)? + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_need_not_be_encoded_and_slashes_before_it_make_no_difference() {
        for path in ["/%73ubmit", "//submit", "///%73%75bmit"] {
            assert_eq!(decoded(path).as_deref(), Some("/submit"), "{path}");
        }
        assert_eq!(decoded("/submit"), None);
    }

    #[test]
    fn the_query_stays() {
        let mut request = Request::new(axum::body::Body::empty());
        *request.uri_mut() = Uri::from_static("/%73ubmit?a=%20b");
        assert_eq!(decode(request).uri(), "/submit?a=%20b");
    }

    #[test]
    fn nothing_becomes_a_query_or_another_path() {
        for path in [
            "/submit%3Fx",
            "/submit%23x",
            "/%2Fsubmit",
            "/submit%2f",
            "/sub%",
            "/%2573ubmit",
            "/%+7submit",
            "/%ff",
        ] {
            assert_eq!(decoded(path), None, "{path}");
        }
    }
}
