//! The reports that the system test sends: marked as such, and each with bytes of its own.

use antenna::crash::{CrashId, ThrottleDigit};
use rand::RngCore;

use crate::node::{Answer, Node};
use crate::support::crash::Crash;

/// The annotation by which anybody can tell these reports from real ones.
pub const MARK: &str = "SystemTest";

/// A report that the node says it kept.
pub struct Kept {
    pub id: CrashId,
    /// The value of [`MARK`].
    pub mark: String,
    pub dump: Vec<u8>,
}

/// A report to send, and what must be found in storage if it is kept.
pub struct Report {
    pub crash: Crash,
    mark: String,
    dump: Vec<u8>,
}

impl Report {
    /// With annotations as parts of their own.
    pub fn plain(node: &Node) -> Self {
        let mark = new_mark();
        let crash = Crash::default()
            .annotation("ProductName", &node.product)
            .annotation("Version", "1.0")
            .annotation(MARK, &mark);
        Self::with_dump(crash, mark)
    }

    /// With annotations in one JSON part.
    pub fn json(node: &Node) -> Self {
        let mark = new_mark();
        let extra = serde_json::json!({"ProductName": node.product, "Version": "1.0", MARK: mark});
        Self::with_dump(Crash::default().extra(&extra.to_string()), mark)
    }

    fn with_dump(crash: Crash, mark: String) -> Self {
        let mut dump = b"MDMP\x93\xa7\0\0 no real minidump: ".to_vec();
        dump.extend(mark.as_bytes());
        // What no decoding may change.
        dump.extend((0..=u8::MAX).chain(*b"\r\n--\r\n"));
        Self {
            crash: crash.dump("upload_file_minidump", &dump),
            mark,
            dump,
        }
    }

    pub fn map(mut self, change: impl FnOnce(Crash) -> Crash) -> Self {
        self.crash = change(self.crash);
        self
    }

    /// What must be in storage after this answer.
    ///
    /// # Errors
    /// It is not the answer of a collector that kept the report.
    pub fn kept(self, answer: &Answer) -> Result<Kept, String> {
        let Self { mark, dump, .. } = self;
        let id = crash_id(answer)?;
        Ok(Kept { id, mark, dump })
    }
}

/// The crash id in an answer that says yes, as strictly as the strictest client reads it.
fn crash_id(answer: &Answer) -> Result<CrashId, String> {
    let wrong = || format!("no CrashID= but {answer:?}");
    if answer.status != 200 || answer.content_type != "text/plain" {
        return Err(wrong());
    }
    let id = answer
        .body
        .strip_prefix("CrashID=")
        .and_then(|rest| rest.strip_suffix('\n'));
    // What stands before an id is a setting, and most often `bp-`.
    let bare = id.and_then(|id| id.get(id.len().checked_sub(36)?..));
    CrashId::parse(bare.ok_or_else(wrong)?).map_err(|_| wrong())
}

/// A crash id as a sender with the token chooses it.
pub fn new_id() -> CrashId {
    let mut random = [0; 16];
    rand::rng().fill_bytes(&mut random);
    CrashId::make(
        random,
        ThrottleDigit::Accept,
        chrono::Utc::now().date_naive(),
    )
}

fn new_mark() -> String {
    format!("{:016x}", rand::rng().next_u64())
}
