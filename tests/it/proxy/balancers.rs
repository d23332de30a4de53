//! Behind real load balancers.

use super::{Door, ON, crash};
use crate::support::balancer::Balancer;
use crate::support::wait::wait_for;
use crate::support::wire::{Answer, Exchange, play};

/// A report through the balancer is kept as it was sent.
fn assert_passed_on(door: &Door, balancer: &Balancer) {
    for crash in [crash(), crash().gzip(), crash().chunked(1000)] {
        let answers = play(balancer.address(), &Exchange::of(crash.request()));
        let id = answers[0].response().crash_id().expect("an id");
        door.assert_stored(&id);
    }
}

#[test]
fn reports_come_through_haproxy_with_either_version_as_they_were_sent() {
    let door = Door::open(&[ON]);
    for options in [
        "send-proxy",
        "send-proxy-v2",
        "send-proxy-v2 proxy-v2-options crc32c,authority",
    ] {
        let balancer = Balancer::haproxy(door.address(), options);
        assert_passed_on(&door, &balancer);
    }
    assert_eq!(door.close().0, 0);
}

#[test]
fn reports_come_through_the_stream_module_of_nginx_as_they_were_sent() {
    let door = Door::open(&[ON]);
    let balancer = Balancer::nginx_stream(door.address());
    assert_passed_on(&door, &balancer);
    drop(balancer);
    assert_eq!(door.close().0, 0);
}

#[test]
fn the_health_check_of_haproxy_has_a_local_header_and_is_answered() {
    let door = Door::open(&[ON]);
    let options = "send-proxy-v2 check check-send-proxy inter 100ms";
    let balancer = Balancer::haproxy(door.address(), options);
    wait_for("haproxy asks whether the collector lives", || {
        let lines = door.statsd.take();
        let asked = lines
            .iter()
            .any(|line| line.contains("health.lbheartbeat.count"));
        asked.then_some(())
    });
    assert_passed_on(&door, &balancer);
    drop(balancer);
    assert_eq!(door.close().0, 0);
}

#[test]
fn haproxy_without_the_setting_is_refused_so_the_setting_is_needed() {
    let door = Door::open(&[]);
    for options in ["send-proxy", "send-proxy-v2"] {
        let balancer = Balancer::haproxy(door.address(), options);
        let answers = play(balancer.address(), &Exchange::of(crash().request()));
        // The end of the connection may overtake the answer, as the request is still on its way.
        if !matches!(answers[0], Answer::Closed) {
            assert_eq!(answers[0].response().status, 400);
        }
    }
    assert_eq!(door.close().0, 0);
}
