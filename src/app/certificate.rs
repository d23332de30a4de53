//! How long the certificate is still valid, and the warning that it is not for long.

use std::time::{Duration, SystemTime};

use crate::http::Certificates;

/// Time enough to renew a certificate by hand; what renews them by itself does so earlier.
const FEW_DAYS: u64 = 14;
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whole days until the first certificate ends, 0 afterwards; none if its date cannot be read.
pub fn days_left(certificates: &Certificates) -> Option<u64> {
    let left = certificates.ends()?.duration_since(SystemTime::now());
    Some(left.unwrap_or_default().as_secs() / DAY.as_secs())
}

/// What to warn of, if the certificate ends soon or has ended.
pub fn ends_soon(certificates: &Certificates) -> Option<String> {
    let days = days_left(certificates).filter(|days| *days < FEW_DAYS)?;
    let ends = chrono::DateTime::<chrono::Utc>::from(certificates.ends()?);
    let ends = ends.format("%Y-%m-%d %H:%M UTC");
    Some(if days == 0 {
        format!("the certificate ends or has ended: {ends}; clients that check it do not send")
    } else {
        format!("the certificate ends soon: {ends}, in {days} days or less than one more")
    })
}
