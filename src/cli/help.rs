//! What `--help` says below the options: examples, and how to go on. The options themselves say what they are.

pub const ANTENNA: &str = "\
Try it: start `antenna`, and in another terminal
  antenna submit -a ProductName=Firefox -a ReleaseChannel=nightly -d some.dmp

Everything is set by variables of the environment, or by lines in the file of --settings.
`antenna config` prints all of them; docs/configuration.md says what each is for.

Exit codes:
   0  all is well
   1  it failed: what was asked could not be done, or a report was not kept
   2  the command line is wrong
   3  submit: the collector answered, and discarded the report
  78  settings or throttle rules are wrong: trying again cannot help";

pub const SERVE: &str = "\
Without any setting it listens on port 8000 and keeps reports below ./crashes.
SIGTERM or Ctrl-C stops it in good order; a second one shortens that.

Example:
  PORT=8001 CRASHMOVER_SPOOL_DIR=/var/spool/antenna antenna serve";

pub const CHECK: &str = "\
Run it with the settings and as the user of the service. It really writes a test object
to storage and the message `test` to the queue, as every start does.

Examples:
  antenna --settings /etc/antenna.env check
  antenna check --live";

pub const SHOW: &str = "\
Example:
  antenna show bp-f5d6c950-7db5-4e96-a378-914db0261123";

pub const SUBMIT: &str = "\
Examples:
  antenna submit -a ProductName=Firefox -d some.dmp
  antenna submit https://crash.example.com/submit -a ProductName=Editor --gzip -d memory=more.bin
  antenna submit --raw-crash raw_crash.json -d upload_file_minidump
  antenna submit -a ProductName=Editor -d some.dmp --repeat 1000 --concurrency 16

Ends with 0 if every report was accepted, 3 if one was discarded (the collector does not want
it), 1 if one was not kept (no connection, no answer, no room): then another try may help.
HTTPS trusts the system's certificates, or those in the file that SSL_CERT_FILE names.";

pub const THROTTLE: &str = "\
Every rule that is asked is listed with what it finds. Where dice decide, all that can come out
is listed with its probability. Nothing is sent or stored.

Examples:
  antenna throttle crashes/20261123/raw_crash/f5d6c950-7db5-4e96-a378-914db0261123.json
  antenna throttle -a ProductName=Firefox -a ReleaseChannel=release";

pub const CONFIG: &str = "\
In the order of docs/configuration.md, with default, environment or file and line behind each
value. Secrets are masked.";

pub const SPOOL: &str = "\
A report waits in `save`, then in `publish`; what is damaged is set aside in `failed`.

Examples:
  antenna spool ls
  antenna spool verify
  antenna spool retry bp-f5d6c950-7db5-4e96-a378-914db0261123";

pub const COMPLETIONS: &str = "\
Examples, to be repeated after an update:
  antenna completions bash > /etc/bash_completion.d/antenna
  antenna completions zsh > /usr/local/share/zsh/site-functions/_antenna
  mkdir -p ~/.config/fish/completions && antenna completions fish > ~/.config/fish/completions/antenna.fish";
