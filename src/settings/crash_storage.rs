//! Settings of the place where reports are saved.

use std::path::PathBuf;

use super::aws::{self, AwsSettings};
use super::choice::{STORAGE, StorageWord};
use super::kind::{FOLDER, OPTIONAL_SECRET, SWITCH, UMASK};
use super::network::OPTIONAL_URL;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Section, Setting};

/// Where reports are saved, with all that the choice needs.
#[derive(Clone, Debug)]
pub enum StorageClass {
    Fs(FsSettings),
    Memory,
    None,
    S3(S3Settings),
}

/// A folder on a disk.
#[derive(Clone, Debug)]
pub struct FsSettings {
    pub root: PathBuf,
    pub fsync: bool,
    /// The rights that new files and folders are made without, besides those of the process's own umask.
    pub umask: u32,
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct S3Settings {
    pub bucket_name: String,
    pub aws: AwsSettings,
}

static SECTION: Section = Section {
    title: "Crash storage",
    intro: "More about each of them in [storage.md](storage.md).",
};

pub(super) static CLASS: Setting<StorageWord> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_CLASS"],
    default: "fs",
    because: "it needs nothing else",
    help: "Where reports are saved. `fs`: a folder. `s3`: a bucket. `memory`: nowhere, for tests. `none`: nowhere, for measuring.",
    kind: STORAGE,
};

static FS_ROOT: Setting<PathBuf> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_ROOT"],
    default: "crashes",
    because: "a folder where the collector was started",
    help: "For `fs`: the folder. It is made if it is missing; the folder that holds it must exist.",
    kind: FOLDER,
};

static FS_FSYNC: Setting<bool> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_FSYNC"],
    default: "true",
    because: "a report that was acknowledged survives a power cut",
    help: "For `fs`: whether to wait until a report is on the disk itself. Without it a crash of the machine can lose what was \
           acknowledged shortly before. With a spool it is always waited for.",
    kind: SWITCH,
};

static FS_UMASK: Setting<u32> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_UMASK"],
    default: "027",
    because: "dumps hold the memory of other people's programs: the collector's user may read and write them, its group may \
              read them, and nobody else",
    help: "For `fs`: the rights that files and folders are made without, as `umask` takes them; the umask with which the process \
           was started counts as well. Who reads reports with another user puts that user into the collector's group, or \
           sets `022` to let everybody read. What is there already keeps its rights.",
    kind: UMASK,
};

pub(super) static BUCKET_NAME: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_BUCKET_NAME"],
    default: "",
    because: "`s3` needs it",
    help: "For `s3`: the bucket, which must exist.",
    kind: aws::BUCKET_NAME,
};

pub(super) static REGION: Setting<String> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_REGION", "S3_REGION"],
    default: "us-west-2",
    because: "the original's",
    help: "For `s3`: the bucket's region. `AWS_REGION` is not looked at, as in the original.",
    kind: aws::REGION,
};

static ENDPOINT_URL: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL", "S3_ENDPOINT_URL"],
    default: "",
    because: "AWS",
    help: "For `s3`: where to find another service that speaks the S3 protocol.",
    kind: OPTIONAL_URL,
};

static ACCESS_KEY: Setting<Option<Secret>> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
    default: "",
    because: "the SDK looks for credentials: environment, profile, web identity, container, instance",
    help: "For `s3`: id of the access key. `AWS_ACCESS_KEY_ID` is left to the SDK when `AWS_SESSION_TOKEN` stands beside it.",
    kind: aws::ACCESS_KEY,
};

static SECRET_ACCESS_KEY: Setting<Option<Secret>> = Setting {
    names: &[
        "CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ],
    default: "",
    because: "as the access key",
    help: "For `s3`: the secret of the access key.",
    kind: OPTIONAL_SECRET,
};

impl StorageClass {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        // All are asked for, whatever the choice is: a mistake in one not used yet is still a mistake.
        let word = values.take(&CLASS);
        let fs = FsSettings {
            root: values.take(&FS_ROOT),
            fsync: values.take(&FS_FSYNC),
            umask: values.take(&FS_UMASK),
        };
        let bucket_name = values.take(&BUCKET_NAME);
        let used = word == StorageWord::S3;
        let aws = AwsSettings {
            region: values.take(&REGION),
            endpoint_url: values.take(&ENDPOINT_URL),
            access_key: aws::read_access_key(values, &ACCESS_KEY, &SECRET_ACCESS_KEY, used),
        };
        match word {
            StorageWord::Fs => Self::Fs(fs),
            StorageWord::Memory => Self::Memory,
            StorageWord::None => Self::None,
            StorageWord::S3 => {
                let because = "CRASHMOVER_CRASHSTORAGE_CLASS=s3";
                let bucket_name = values.required(&BUCKET_NAME, bucket_name, because);
                Self::S3(S3Settings {
                    // A missing name is a problem by now, and nobody gets to see the settings.
                    bucket_name: bucket_name.unwrap_or_default(),
                    aws,
                })
            }
        }
    }
}
