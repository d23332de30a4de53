//! The collector behind Debian's nginx with the configuration of `nginx/`: what passes, what does not, what nginx answers
//! itself, and that no answered report is lost while collectors come and go.

mod addresses;
mod bodies;
mod captures;
mod failover;
mod load;

/// Takes everything, so that what is tested is the way and not a rule.
const SETTINGS: [(&str, &str); 2] = [
    ("BREAKPAD_THROTTLER_RULES", "accept_all"),
    ("BREAKPAD_THROTTLER_PRODUCTS", "all"),
];
