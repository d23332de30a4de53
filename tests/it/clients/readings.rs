//! What each family of clients makes of an answer. Written from the observed behaviour of the clients themselves (their
//! captures are in `tests/data/clients`): a model, and no client; `crashpad.rs` and `libraries.rs` run real ones.

use std::time::Duration;

use super::answer::Answer;

/// What becomes of a report, as its client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Taken as delivered; with what the client keeps as the report's id.
    Done(String),
    /// Sent again later, by itself.
    Again,
    /// Kept on the client's disk; somebody may send it by hand.
    Keeps,
    /// Thrown away: nobody will ever see it.
    Lost,
}

/// A family of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Chromium, Electron: one try, and only 200 is a yes.
    Crashpad,
    /// Up to seven tries, fifteen minutes apart.
    CrashpadSentry,
    /// Android: its own HTTP/1.0, which knows one spelling of `Content-Length`.
    CrashpadSocket,
    /// The program that asks the user after a crash.
    FirefoxReporter,
    /// The page about:crashes and the infobar.
    FirefoxXhr,
    /// WinINet; checks that it has the whole body.
    BreakpadWindows,
    /// libcurl, and the mac's own: anything below 400 is a yes.
    BreakpadUnix,
    /// What old Chromium starts on Linux.
    Wget,
    /// requests, aiohttp, form-data, reqwest and their like, as people use them.
    Library,
}

pub const CLIENTS: [Client; 9] = [
    Client::Crashpad,
    Client::CrashpadSentry,
    Client::CrashpadSocket,
    Client::FirefoxReporter,
    Client::FirefoxXhr,
    Client::BreakpadWindows,
    Client::BreakpadUnix,
    Client::Wget,
    Client::Library,
];

impl Client {
    /// How long it waits for an answer; `None` where it is as patient as the connection.
    pub fn patience(self) -> Option<Duration> {
        match self {
            Self::Crashpad | Self::CrashpadSentry | Self::CrashpadSocket => {
                Some(Duration::from_secs(60))
            }
            Self::Wget => Some(Duration::from_secs(10)),
            _ => None,
        }
    }

    /// What it does with a report that was not taken.
    pub fn refused(self) -> Conclusion {
        match self {
            Self::CrashpadSentry => Conclusion::Again,
            Self::FirefoxReporter | Self::FirefoxXhr => Conclusion::Keeps,
            _ => Conclusion::Lost,
        }
    }

    /// Reads everything that came on the connection, `took` after the request was sent.
    pub fn concludes(self, bytes: &[u8], took: Duration) -> Conclusion {
        if self.patience().is_some_and(|patience| took > patience) {
            return self.refused();
        }
        let done = match self {
            Self::CrashpadSocket => socket(bytes),
            _ => Answer::read(bytes).and_then(|answer| self.id_in(&answer)),
        };
        done.map_or_else(|| self.refused(), Conclusion::Done)
    }

    fn id_in(self, answer: &Answer) -> Option<String> {
        let body = || String::from_utf8_lossy(&answer.body).into_owned();
        let status = answer.status;
        match self {
            Self::Crashpad | Self::CrashpadSentry | Self::BreakpadWindows => {
                (status == 200 && answer.is_whole).then(body)
            }
            Self::FirefoxReporter => reporter(status, &body()),
            Self::FirefoxXhr => xhr(status, &body()),
            Self::BreakpadUnix => (status < 400 && answer.is_whole).then(body),
            Self::Wget | Self::Library => {
                ((200..300).contains(&status) && answer.is_whole).then(body)
            }
            Self::CrashpadSocket => None,
        }
    }
}

/// 200 (some builds take any success, others do not), and a line that names the id, however it ends.
fn reporter(status: u16, body: &str) -> Option<String> {
    let id = body
        .lines()
        .find_map(|line| line.strip_prefix("CrashID="))?;
    (status == 200).then(|| id.to_owned())
}

/// Exactly 200, and a line that is `CrashID=bp-` and a UUID; the id becomes the name of a file.
fn xhr(status: u16, body: &str) -> Option<String> {
    let mut lines = body.split('\n');
    let id = lines.find_map(|line| line.strip_prefix("CrashID="))?;
    let uuid = id.strip_prefix("bp-")?;
    let is_uuid = uuid.len() == 36 && uuid::Uuid::parse_str(uuid).is_ok();
    (status == 200 && is_uuid).then(|| id.to_owned())
}

/// Reads the status line, the headers, and as many bytes as `Content-Length`, in this spelling, says: chunks are not
/// understood, and without a length there is no id.
fn socket(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next()?;
    let is_yes = ["HTTP/1.0 200 ", "HTTP/1.1 200 "]
        .iter()
        .any(|start| status_line.starts_with(start));
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.map_or(Some(0), |length| length.parse().ok())?;
    is_yes
        .then(|| body.get(..length).map(str::to_owned))
        .flatten()
}
