//! What an operator is told about a rules file with mistakes in it.

use super::{RulesFile, Section, parse};

const CATCH_ALL: &str = "[[rule]]\nname = \"rest\"\nresult = \"accept\"\n";

fn read(text: &str) -> Result<RulesFile, Vec<String>> {
    parse("f.toml", text, &[Section::Rules])
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

/// The mistakes in a file of one rule with these lines (`name` is line 2), and a sound catch-all.
fn of_rule(lines: &str) -> Vec<String> {
    read(&format!("[[rule]]\nname = \"a\"\n{lines}\n{CATCH_ALL}")).unwrap_err()
}

fn of_condition(condition: &str) -> Vec<String> {
    of_rule(&format!("result = \"reject\"\nwhen = {condition}"))
}

#[test]
fn a_sound_file_has_no_mistakes() {
    let file = read(&format!(
        "products = [\"A\"]\n{CATCH_ALL}[package_names]\nA = [\"a.b\"]\n"
    ))
    .unwrap();
    assert_eq!(file.rules.unwrap().catch_all.name.as_ref(), "rest");
    assert_eq!(file.products.unwrap().len(), 1);
    assert_eq!(file.package_names.unwrap()["A"].len(), 1);
}

/// Found by fuzzing: older versions of the TOML parser panicked here.
#[test]
fn text_that_is_far_from_toml_is_a_mistake() {
    for text in ["==\n[.", "={=<=u==", "==\n[._[._"] {
        assert!(read(text).unwrap_err()[0].starts_with("f.toml:"), "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_from_top_to_bottom() {
    let text = r#"product = ["A"]

[[rule]]
name = "has space"
when.all = [
  { annotation = "A", equal = "x" },
  { annotation = "B", matches = "(" },
]
result = "refuse"

[[rule]]
name = "b"
when = { annotation = "C", present = "yes" }
result = { percent = 110, then = "accept", else = "reject" }
weight = 3

[[rule]]
name = "rest"
result = { percent = 50, then = "accept", else = "reject" }

[package_names]
A = "a.b"
"#;
    let told = read(text).unwrap_err();
    let starts = [
        "f.toml:1: unknown key `product` in a rules file; known are `rule`, `products`, `package_names` and `aliases`",
        "f.toml:4: `has space` cannot be a rule's name; use ASCII letters, digits and _ only, 64 at most",
        "f.toml:6: unknown key `equal` in a condition; known are `present`, `equals`, `one_of`",
        "f.toml:7: `matches` is not a regular expression: ",
        "f.toml:9: `refuse` is not a result; use \"accept\", \"defer\", \"reject\" or \"fakeaccept\"",
        "f.toml:13: `present` is a string; make it true or false",
        "f.toml:14: a chance of 110 % is none; make it more than 0 and less than 100",
        "f.toml:15: unknown key `weight` in a rule; known are `name`, `when` and `result`",
        "f.toml:17: rule `rest`, the last, does not settle every report; add after it",
        "f.toml:22: `A` is a string; make it a list of texts, such as [\"a\", \"b\"]",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told}\n{start}");
    }
}

#[test]
fn text_that_is_not_toml_is_told_with_its_line() {
    let told = read("[[rule]]\nname = \"a\"\nresult = accept\n").unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("f.toml:3: this is not TOML: "),
        "{told:?}"
    );
    assert!(!told[0].contains('\n'));
}

#[test]
fn a_file_without_what_it_is_used_for_is_a_mistake() {
    assert_eq!(
        read("products = [\"A\"]").unwrap_err(),
        ["f.toml:1: there is no `rule` in this file; add rules, each under its own [[rule]] line"]
    );
    assert_eq!(
        read("rule = []").unwrap_err(),
        [
            "f.toml:1: `rule` is an array; make it a section: [[rule]] on a line of its own before each rule"
        ]
    );
}

#[test]
fn the_last_rule_must_settle_every_report() {
    let told = "does not settle every report; add after it a [[rule]] without `when`: \
                name = \"accept_everything\", result = \"accept\"";
    assert_eq!(
        read("[[rule]]\nname = \"a\"\nwhen.annotation = \"A\"\nwhen.present = true\nresult = \"reject\"")
            .unwrap_err(),
        [format!("f.toml:1: rule `a`, the last, {told}")]
    );
    assert_eq!(
        read(&format!(
            "{}\n[[rule]]\nname = \"b\"\nresult = {{ percent = 5, then = \"accept\", else = \"reject\" }}",
            "[[rule]]\nname = \"a\"\nresult = { percent = 5, then = \"accept\", else = \"continue\" }"
        ))
        .unwrap_err(),
        [format!("f.toml:4: rule `b`, the last, {told}")]
    );
}

#[test]
fn a_rule_that_hides_the_rest_is_a_mistake() {
    assert_eq!(
        of_rule("result = \"reject\""),
        [
            "f.toml:1: no report gets past rule `a`; give it a `when`, or move it to the end of the file"
        ]
    );
}

#[test]
fn a_name_is_given_once() {
    assert_eq!(
        read(&format!("{CATCH_ALL}{CATCH_ALL}")).unwrap_err(),
        [
            "f.toml:1: no report gets past rule `rest`; give it a `when`, or move it to the end of the file",
            "f.toml:5: rule `rest` is already in line 2; give one of them another name",
        ]
    );
}

#[test]
fn name_and_result_are_required() {
    assert_eq!(
        read(&format!(
            "[[rule]]\nwhen = {{ product_supported = false }}\n{CATCH_ALL}"
        ))
        .unwrap_err(),
        [
            "f.toml:1: this rule has no `name`; add a line such as name = \"has_comments\"",
            "f.toml:1: this rule has no `result`; add a line such as result = \"reject\"",
        ]
    );
}

#[test]
fn results_that_decide_nothing_are_mistakes() {
    for (result, told) in [
        (
            "\"continue\"",
            "a rule that always continues decides nothing; make the result \"accept\", \"defer\", \"reject\" or \"fakeaccept\", or remove the rule",
        ),
        (
            "{ percent = 5, then = \"reject\", else = \"reject\" }",
            "both sides of the chance are \"reject\"; make them differ, or write one result without a chance",
        ),
        (
            "{ percent = 0, then = \"accept\", else = \"reject\" }",
            "a chance of 0 % is none; make it more than 0 and less than 100, or write one result without a chance",
        ),
        (
            "{ percent = nan, then = \"accept\", else = \"reject\" }",
            "a chance of NaN % is none; make it more than 0 and less than 100, or write one result without a chance",
        ),
        (
            "{ percent = \"5\", then = \"accept\", else = \"reject\" }",
            "`percent` is a string; make it a number between 0 and 100",
        ),
        (
            "{ percent = 5, then = \"accept\" }",
            "a result with a chance has no `else`; write it as result = { percent = 10, then = \"accept\", else = \"reject\" }",
        ),
        (
            "{ percent = 5, then = \"accept\", else = \"reject\", or = 1 }",
            "unknown key `or` in a result; known are `percent`, `then` and `else`",
        ),
        ("7", "`result` is an integer; make it a text in quotes"),
    ] {
        let lines = format!("when = {{ product_supported = false }}\nresult = {result}");
        assert_eq!(of_rule(&lines), [format!("f.toml:4: {told}")]);
    }
}

#[test]
fn conditions_that_ask_nothing_or_too_much_are_mistakes() {
    let joined = "give each a table of its own and join them, such as when.all = [{ … }, { … }]";
    for (condition, told) in [
        (
            "7",
            "`when` is an integer; make it a condition, such as { annotation = \"Comments\", present = true }".to_owned(),
        ),
        (
            "{ annotation = \"A\", equals = \"x\", one_of = [\"y\"] }",
            format!("this condition has `equals` and `one_of` at once; {joined}"),
        ),
        (
            "{ all = [{ annotation = \"A\", present = true }], any = [] }",
            format!("this condition has `all` and `any` at once; {joined}"),
        ),
        (
            "{ equals = \"x\" }",
            "`equals` does not say of which annotation; add annotation = \"…\" to the condition".to_owned(),
        ),
        (
            "{ product_supported = false, annotation = \"A\" }",
            "`annotation` means nothing beside `product_supported`; remove it".to_owned(),
        ),
        (
            "{ annotation = \"A\", path = \"a\", present = true }",
            "`path` means nothing beside `present`; remove it".to_owned(),
        ),
        (
            "{ annotation = \"A\", one_of = [\"a\"], ignore_case = true }",
            "`ignore_case` means nothing beside `one_of`; remove it".to_owned(),
        ),
        (
            "{ annotation = \"A\", path = \"a..b\", equals = \"x\" }",
            "`path` has an empty step in \"a..b\"; write member names joined by single dots, such as \"system.os.name\""
                .to_owned(),
        ),
        (
            "{ annotation = \"A\", older_than_days = 0 }",
            "`older_than_days` is 0; make it a number of days from 1 to 73000".to_owned(),
        ),
        (
            "{ annotation = \"A\", at_most = 1.5 }",
            "`at_most` is a float; make it a whole number".to_owned(),
        ),
        (
            "{ annotation = \"\", equals = \"x\" }",
            "`annotation` is empty; write the text that is meant between the quotes".to_owned(),
        ),
        (
            "{ any = [] }",
            "`any` is an array; make it a list of at least one condition, each in { }".to_owned(),
        ),
        (
            "{ all = [\"x\"] }",
            "`all` has a value that is not a condition in it; make it a condition, such as { annotation = \"Comments\", present = true }".to_owned(),
        ),
        (
            "{ not = { annotation = \"A\" } }",
            "this condition asks nothing; add one of `present`, `equals`, `one_of`, `starts_with`, `matches`, `before`, `older_than_days`, `at_least` and `at_most` to it".to_owned(),
        ),
    ] {
        assert_eq!(
            of_condition(condition),
            [format!("f.toml:4: {told}")],
            "{condition}"
        );
    }
}

#[test]
fn a_pattern_that_would_be_slow_is_a_mistake() {
    let told = of_condition("{ annotation = \"A\", matches = '((a{100}){100}){100}' }");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("f.toml:4: `matches` is not a regular expression: "),
        "{told:?}"
    );
}

#[test]
fn every_way_to_write_a_table_has_its_line() {
    for lines in [
        "result = \"reject\"\nwhen = { annotation = \"A\" }",
        "result = \"reject\"\nwhen.annotation = \"A\"",
        "result = \"reject\"\n[rule.when]\nannotation = \"A\"",
        "when.product_supported = false\nresult = { percent = 1, then = \"accept\" }",
        "when.product_supported = false\nresult.percent = 1\nresult.then = \"accept\"",
        "when.product_supported = false\n[rule.result]\npercent = 1\nthen = \"accept\"",
    ] {
        let told = of_rule(lines);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("f.toml:4: "), "{lines}: {told:?}");
    }
}
