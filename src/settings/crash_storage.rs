//! Settings of the place where reports are saved.

use std::path::PathBuf;
use std::time::Duration;

use super::aws::{self, AwsDeclarations, AwsSettings};
use super::choice::{STORAGE, StorageWord};
use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{FOLDER, SWITCH, UMASK};

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
    /// Made if it is missing, in a folder that exists. A relative path starts at the working directory.
    pub root: PathBuf,
    /// Whether a save waits until everything is on disk. Without, a power cut loses reports that were acknowledged.
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
    reason: "it needs nothing else",
    help: "Where reports are saved. `fs`: a folder. `s3`: a bucket. `memory`: nowhere, for tests. `none`: nowhere, for measuring.",
    kind: STORAGE,
};

static FS_ROOT: Setting<PathBuf> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_ROOT"],
    default: "crashes",
    reason: "a folder where the collector was started",
    help: "For `fs`: the folder. It is made if it is missing; the folder that holds it must exist.",
    kind: FOLDER,
};

static FS_FSYNC: Setting<bool> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_FSYNC"],
    default: "true",
    reason: "a report that was acknowledged survives a power cut",
    help: "For `fs`: whether to wait until a report is on the disk itself. Without it a crash of the machine can lose what was \
           acknowledged shortly before. With a spool it is always waited for.",
    kind: SWITCH,
};

static FS_UMASK: Setting<u32> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_FS_UMASK"],
    default: "027",
    reason: "dumps hold the memory of other people's programs: the collector's user may read and write them, its group may \
              read them, and nobody else",
    help: "For `fs`: the rights that files and folders are made without, as `umask` takes them; the umask with which the process \
           was started counts as well. Who reads reports with another user puts that user into the collector's group, or \
           sets `022` to let everybody read. What is there already keeps its rights.",
    kind: UMASK,
};

pub(super) static BUCKET_NAME: Setting<Option<String>> = Setting {
    names: &["CRASHMOVER_CRASHSTORAGE_BUCKET_NAME"],
    default: "",
    reason: "`s3` needs it",
    help: "For `s3`: the bucket, which must exist.",
    kind: aws::BUCKET_NAME,
};

pub(super) static AWS: AwsDeclarations = AwsDeclarations {
    region: Setting {
        names: &["CRASHMOVER_CRASHSTORAGE_REGION", "S3_REGION"],
        help: "For `s3`: the bucket's region. `AWS_REGION` is not looked at, as in the original.",
        ..aws::REGION
    },
    endpoint_url: Setting {
        names: &["CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL", "S3_ENDPOINT_URL"],
        help: "For `s3`: where to find another service that speaks the S3 protocol.",
        ..aws::ENDPOINT_URL
    },
    access_key: Setting {
        names: &["CRASHMOVER_CRASHSTORAGE_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
        help: "For `s3`: id of the access key. `AWS_ACCESS_KEY_ID` is left to the SDK when `AWS_SESSION_TOKEN` stands beside it.",
        ..aws::ACCESS_KEY
    },
    secret_access_key: Setting {
        names: &[
            "CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY",
            "AWS_SECRET_ACCESS_KEY",
        ],
        help: "For `s3`: the secret of the access key.",
        ..aws::SECRET_ACCESS_KEY
    },
};

impl StorageClass {
    /// `has_spool`: what leaves the spool has to be as safe as it was there.
    pub(super) fn read(values: &mut Reader, call_timeout: Duration, has_spool: bool) -> Self {
        values.section(&SECTION);
        // All are asked for, whatever the choice is: a mistake in one not used yet is still a mistake.
        let word = values.take(&CLASS);
        let fs = FsSettings {
            root: values.take(&FS_ROOT),
            fsync: values.take(&FS_FSYNC) || has_spool,
            umask: values.take(&FS_UMASK),
        };
        let bucket_name = values.take(&BUCKET_NAME);
        let aws = AwsSettings::read(values, &AWS, call_timeout, word == StorageWord::S3);
        match word {
            StorageWord::Fs => Self::Fs(fs),
            StorageWord::Memory => Self::Memory,
            StorageWord::None => Self::None,
            StorageWord::S3 => {
                let reason = "CRASHMOVER_CRASHSTORAGE_CLASS=s3";
                let bucket_name = values.required(&BUCKET_NAME, bucket_name, reason);
                Self::S3(S3Settings {
                    // A missing name is a problem by now, and the settings are not used.
                    bucket_name: bucket_name.unwrap_or_default(),
                    aws,
                })
            }
        }
    }
}
