//! What is checked, one function for each. Each says in a few words what it saw, or what is wrong.

use serde_json::Value;

use crate::node::{Answer, Node};
use crate::reports::{Kept, Report, new_id};
use crate::support::crash::Crash;

/// What a check says: a remark, mostly empty, or what is wrong.
pub type Said = Result<String, String>;
pub type Check = fn(&Node, &mut Vec<Kept>) -> Said;

/// In the order in which they are made. What is kept is looked for in storage afterwards.
pub const ALL: [(&str, Check); 16] = [
    ("the load balancer is answered", load_balancer),
    ("the heartbeat has no errors", heartbeat),
    ("the version is a JSON object", version),
    ("a plain report is kept", plain),
    ("a gzipped report is kept", gzipped),
    ("a report with JSON annotations is kept", json),
    ("a chunked report is kept", chunked),
    (
        "a report with a chosen crash id is kept or refused",
        chosen_id,
    ),
    ("a wrong token is refused", wrong_token),
    (
        "a report of an unknown product is decided by a rule",
        unknown_product,
    ),
    ("a report without annotations is malformed", no_annotations),
    ("a body that is no report is malformed", no_report),
    ("a gzipped body that was cut is malformed", cut_gzip),
    ("a report that is too large is told so", too_large),
    ("an unknown address is 404", unknown_address),
    ("a report cannot be fetched from /submit", wrong_method),
];

/// The checks whose names have `word`; `system` chooses all.
pub fn chosen(word: &str) -> impl Iterator<Item = (&'static str, Check)> {
    let is_chosen = move |(name, _): &(&str, Check)| format!("system {name}").contains(word);
    ALL.into_iter().filter(is_chosen)
}

fn load_balancer(node: &Node, _: &mut Vec<Kept>) -> Said {
    expect(&node.get("/__lbheartbeat__")?, 200, "")
}

fn heartbeat(node: &Node, _: &mut Vec<Kept>) -> Said {
    expect(&node.get("/__heartbeat__")?, 200, r#"{"errors": []}"#)
}

fn version(node: &Node, _: &mut Vec<Kept>) -> Said {
    let answer = node.get("/__version__")?;
    match serde_json::from_str(&answer.body) {
        Ok(Value::Object(_)) if answer.status == 200 => Ok(answer.body),
        _ => Err(format!("{answer:?}")),
    }
}

fn plain(node: &Node, kept: &mut Vec<Kept>) -> Said {
    keep(node, Report::plain(node), &[], false, kept)
}

fn gzipped(node: &Node, kept: &mut Vec<Kept>) -> Said {
    let report = Report::plain(node).map(|crash| crash.gzip());
    keep(node, report, &[("Content-Encoding", "gzip")], false, kept)
}

fn json(node: &Node, kept: &mut Vec<Kept>) -> Said {
    keep(node, Report::json(node), &[], false, kept)
}

fn chunked(node: &Node, kept: &mut Vec<Kept>) -> Said {
    keep(node, Report::plain(node), &[], true, kept)
}

/// With the token the id is ours, without it the report is refused.
fn chosen_id(node: &Node, kept: &mut Vec<Kept>) -> Said {
    let id = new_id();
    let report = Report::plain(node).map(|crash| crash.annotation("uuid", id.as_str()));
    let Some(token) = &node.token else {
        return expect(
            &node.submit(&report.crash, &[], false)?,
            401,
            "Discarded=unauthorized_uuid",
        );
    };
    let bearer = format!("Bearer {token}");
    let said = keep(node, report, &[("Authorization", &bearer)], false, kept)?;
    match said == id.as_str() {
        true => Ok(said),
        false => Err(format!("asked for {id} and got {said}")),
    }
}

fn wrong_token(node: &Node, _: &mut Vec<Kept>) -> Said {
    let report = Report::plain(node).map(|crash| crash.annotation("uuid", new_id().as_str()));
    let answer = node.submit(
        &report.crash,
        &[("Authorization", "Bearer not the token")],
        false,
    )?;
    expect(&answer, 401, "Discarded=unauthorized_uuid")
}

/// Rejected, unless the node's rules take every product.
fn unknown_product(node: &Node, kept: &mut Vec<Kept>) -> Said {
    let report = Report::plain(node);
    let report = report.map(|crash| crash.annotation("ProductName", "AntennaSystemTest"));
    let answer = node.submit(&report.crash, &[], false)?;
    if answer.status == 200 && answer.body.starts_with("Discarded=rule_") {
        return Ok(answer.body);
    }
    let report = report.kept(&answer)?;
    let said = format!("{}: the rules take every product", report.id);
    kept.push(report);
    Ok(said)
}

fn no_annotations(node: &Node, _: &mut Vec<Kept>) -> Said {
    let crash = Crash::default().dump("upload_file_minidump", b"MDMP");
    let answer = node.submit(&crash, &[], false)?;
    expect(&answer, 400, "Discarded=malformed_no_annotations")
}

fn no_report(node: &Node, _: &mut Vec<Kept>) -> Said {
    let answer = node.post(&[("Content-Type", "text/plain")], b"no report")?;
    expect(&answer, 400, "Discarded=malformed_wrong_content_type")
}

/// The client says that the body is gzip, and it begins as gzip does.
fn cut_gzip(node: &Node, _: &mut Vec<Kept>) -> Said {
    let crash = Report::plain(node).crash.gzip();
    let body = crash.body();
    let content_type = Crash::content_type();
    let headers = [
        ("Content-Type", content_type.as_str()),
        ("Content-Encoding", "gzip"),
    ];
    let answer = node.post(&headers, &body[..body.len() / 2])?;
    expect(&answer, 400, "Discarded=malformed_bad_gzip")
}

/// One byte too much. A proxy in front may say it in its own words.
fn too_large(node: &Node, _: &mut Vec<Kept>) -> Said {
    let length = node.max_payload_bytes + 1;
    let headers = [("Content-Type", "multipart/form-data; boundary=x")];
    let answer = node.post(&headers, &vec![b'x'; length])?;
    match answer.status {
        413 => Ok(format!("{length} bytes")),
        _ => Err(format!("{length} bytes: {answer:?}")),
    }
}

fn unknown_address(node: &Node, _: &mut Vec<Kept>) -> Said {
    let answer = node.get("/no-such-address")?;
    match answer.status {
        404 => Ok(String::new()),
        _ => Err(format!("{answer:?}")),
    }
}

fn wrong_method(node: &Node, _: &mut Vec<Kept>) -> Said {
    let answer = node.get("/submit")?;
    match answer.status {
        405 => Ok(String::new()),
        _ => Err(format!("{answer:?}")),
    }
}

/// Sends a report that must be kept; says its id.
fn keep(
    node: &Node,
    report: Report,
    headers: &[(&str, &str)],
    is_chunked: bool,
    kept: &mut Vec<Kept>,
) -> Said {
    let answer = node.submit(&report.crash, headers, is_chunked)?;
    let report = report.kept(&answer)?;
    let id = report.id.to_string();
    kept.push(report);
    Ok(id)
}

fn expect(answer: &Answer, status: u16, body: &str) -> Said {
    match answer.status == status && answer.body == body {
        true => Ok(String::new()),
        false => Err(format!("not {status} {body:?} but {answer:?}")),
    }
}
