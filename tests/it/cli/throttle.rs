//! `antenna throttle`: what it says about a report is what the collector does with it.

use super::{antenna, antenna_with_input, url};
use crate::support::collector::TestCollector;
use crate::support::stored::objects_below;

const FILE: &str = "\
products = [\"Editor\"]

[[rule]]
name = \"not_ours\"
when = { product_supported = false }
result = \"reject\"

[[rule]]
name = \"old\"
when = { annotation = \"Version\", starts_with = \"1.\" }
result = { percent = 25, then = \"continue\", else = \"defer\" }

[[rule]]
name = \"told_yes\"
when = { annotation = \"Pest\", present = true }
result = \"fakeaccept\"

[[rule]]
name = \"rest\"
result = \"accept\"
";

#[test]
fn a_stored_raw_crash_is_explained_by_the_rule_that_kept_it() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let url = url(&collector);
    let sent = [
        "submit",
        &url,
        "-a",
        "ProductName=Firefox",
        "-a",
        "ReleaseChannel=beta",
    ];
    antenna(&[], &sent).fine();
    let objects = objects_below(&collector.crashes());
    let raw_crash = objects.iter().find(|(path, _)| path.contains("raw_crash/"));
    let (path, document) = raw_crash.unwrap();
    let path = collector.crashes().join(path).display().to_string();
    let page = antenna(&[], &["throttle", &path]).fine();
    let rule = "is_alpha_beta_esr";
    assert!(
        page.ends_with(&format!("\n\naccept by {rule}: kept and processed\n")),
        "{page}"
    );
    let stored_rule = format!("\"throttle_rule\": \"{rule}\"");
    assert!(String::from_utf8_lossy(document).contains(&stored_rule));
    collector.stop();
}

#[test]
fn rules_of_a_file_are_explained_with_their_chances() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, FILE).unwrap();
    let rules = rules.display().to_string();
    let settings = [
        ("BREAKPAD_THROTTLER_RULES", rules.as_str()),
        ("BREAKPAD_THROTTLER_PRODUCTS", rules.as_str()),
        ("BREAKPAD_THROTTLER_PRODUCT_PACKAGENAMES", "all"),
    ];
    let args = ["throttle", "-", "-a", "Pest=private"];
    let raw_crash = br#"{"ProductName": "Editor", "Version": "1.2", "uuid": "x"}"#;
    let page = antenna_with_input(&settings, &args, raw_crash).fine();
    assert_eq!(
        page,
        "not_ours  no match\n          the product is not supported\n\
         old       match: continue (a chance of 25 %), or match: defer (a chance of 75 %)\n          \
         Version begins with \"1.\"\n\
         told_yes  match: fakeaccept\n          Pest is there\n\n\
         25 % fakeaccept by told_yes: not kept; the client is told that it was, with an id\n\
         75 % defer by old: kept, processed only when somebody asks for it\n"
    );
    let page = antenna(&settings, &["throttle", "-a", "ProductName=Editor"]).fine();
    assert!(page.ends_with("rest      match: accept\n          every report\n\naccept by rest: kept and processed\n"), "{page}");
    let page = antenna(&settings, &["throttle", "-a", "ProductName=Firefox"]).fine();
    assert!(
        page.contains(
            "reject by not_ours: not kept; the client is told Discarded=rule_not_ours\n\
             ProductName is not in the list of products; the list has: "
        ),
        "{page}"
    );
}

#[test]
fn what_cannot_be_explained_is_told_in_words() {
    let wrong_rules = [("BREAKPAD_THROTTLER_RULES", "no-such-file.toml")];
    for (settings, args, code, words) in [
        (&[][..], &["throttle"][..], 2, "RAW_CRASH.json"),
        (&[], &["throttle", "-a", "private"], 2, "KEY=VALUE"),
        (
            &[],
            &["throttle", "no-such-file"],
            1,
            "cannot read no-such-file: No such file",
        ),
        (
            &[],
            &["throttle", "Cargo.toml"],
            1,
            "Cargo.toml is no raw crash: it must be one JSON object",
        ),
        (
            &wrong_rules,
            &["throttle", "-a", "A=1"],
            78,
            "no-such-file.toml",
        ),
    ] {
        let said = antenna(settings, args);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
        assert!(!said.err.contains("private"), "{said:?}");
    }
}
