//! How much memory this process may use: the least limit of its cgroup and of those above, else what the machine has.

use std::fs::read_to_string;
use std::path::{Component, Path, PathBuf};

/// Files of cgroup v2: beyond the first the process is killed, beyond the second it is slowed down.
const V2_FILES: [&str; 2] = ["memory.max", "memory.high"];
const V1_FILES: [&str; 1] = ["memory.limit_in_bytes"];

/// A limit, and the file that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub bytes: u64,
    pub file: PathBuf,
}

/// The least of all limits, as `proc` (on a machine: `/proc`) tells. None where it tells nothing.
pub fn limit(proc: &Path) -> Option<Limit> {
    let groups = read_to_string(proc.join("self/cgroup")).unwrap_or_default();
    let mounts = read_to_string(proc.join("self/mountinfo")).unwrap_or_default();
    let mounts: Vec<_> = mounts.lines().filter_map(Mount::read).collect();
    let of_groups = groups.lines().flat_map(|line| of_group(line, &mounts));
    of_groups
        .chain(of_machine(proc.join("meminfo")))
        .min_by_key(|limit| limit.bytes)
}

/// Where a hierarchy of cgroups that limits memory can be read.
struct Mount<'a> {
    /// The group that is seen at `at`.
    root: &'a Path,
    at: &'a Path,
    is_v2: bool,
}

impl<'a> Mount<'a> {
    /// Reads a line of `mountinfo` (proc_pid_mountinfo(5)); none of other file systems.
    fn read(line: &'a str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let is_v2 = match right.next()? {
            "cgroup2" => true,
            "cgroup" if right.nth(1)?.split(',').any(|it| it == "memory") => false,
            _ => return None,
        };
        let mut left = left.split(' ').skip(3).map(Path::new);
        Some(Self {
            root: left.next()?,
            at: left.next()?,
            is_v2,
        })
    }
}

/// The limits of a group and of those above it; `line` is one of `cgroup` (cgroups(7)).
fn of_group(line: &str, mounts: &[Mount]) -> Vec<Limit> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
        return Vec::new();
    };
    let is_v2 = controllers.is_empty();
    if !is_v2 && !controllers.split(',').any(|it| it == "memory") {
        return Vec::new();
    }
    let files = if is_v2 { &V2_FILES[..] } else { &V1_FILES };
    let mounts = mounts.iter().filter(|mount| mount.is_v2 == is_v2);
    let folders = mounts.flat_map(|mount| {
        let below = below(mount.root, Path::new(path));
        below.ancestors().map(|it| mount.at.join(it))
    });
    let paths = folders.flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    paths.filter_map(read_limit).collect()
}

/// The group's path below what is mounted. A container may see its own group at the top, under another name.
fn below<'p>(root: &Path, path: &'p Path) -> &'p Path {
    let below = path.strip_prefix(root).unwrap_or(Path::new(""));
    let leads_out = below.components().any(|it| it == Component::ParentDir);
    if leads_out { Path::new("") } else { below }
}

fn read_limit(file: PathBuf) -> Option<Limit> {
    // `max` is no number, and no limit.
    let bytes = read_to_string(&file).ok()?.trim().parse().ok()?;
    Some(Limit { bytes, file })
}

/// All memory there is, in a file that says `MemTotal:  16384 kB`.
fn of_machine(file: PathBuf) -> Option<Limit> {
    let text = read_to_string(&file).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Limit {
        bytes: kilobytes * 1024,
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    /// A `/proc` and a `/sys/fs/cgroup` in a folder.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(groups: &str, mounts: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let machine = Self(folder);
            let at = machine.path("sys").display().to_string();
            machine.write("proc/self/cgroup", groups);
            machine.write("proc/self/mountinfo", &mounts.replace("SYS", &at));
            machine.write("proc/meminfo", "MemTotal:   16384000 kB\nMemFree: 1 kB\n");
            machine
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.path(path);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, text).unwrap();
        }

        fn assert_limit(&self, bytes: u64, file: &str) {
            let file = self.path(file);
            assert_eq!(limit(&self.path("proc")), Some(Limit { bytes, file }));
        }
    }

    const V2: &str = "29 23 0:26 / SYS rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn without_limits_it_is_what_the_machine_has() {
        let machine = Machine::new("0::/a\n", V2);
        machine.write("sys/a/memory.max", "max\n");
        machine.assert_limit(16_384_000 * 1024, "proc/meminfo");
        assert_eq!(limit(&machine.path("nowhere")), None);
    }

    #[test]
    fn the_least_limit_of_the_own_group_and_those_above_counts() {
        let machine = Machine::new("0::/slice/service\n", V2);
        machine.write("sys/slice/service/memory.max", "268435456\n");
        machine.assert_limit(268_435_456, "sys/slice/service/memory.max");
        machine.write("sys/slice/memory.max", "134217728\n");
        machine.assert_limit(134_217_728, "sys/slice/memory.max");
        machine.write("sys/slice/service/memory.high", "1000\n");
        machine.assert_limit(1000, "sys/slice/service/memory.high");
        machine.write("sys/other/memory.max", "1\n");
        machine.assert_limit(1000, "sys/slice/service/memory.high");
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_top() {
        for groups in ["0::/\n", "0::/../../outside\n", "0::/named/elsewhere\n"] {
            let machine = Machine::new(groups, V2);
            machine.write("sys/memory.max", "268435456\n");
            machine.assert_limit(268_435_456, "sys/memory.max");
        }
    }

    #[test]
    fn version_1_has_a_hierarchy_for_memory() {
        let mounts = "30 29 0:27 /docker/x SYS/memory ro - cgroup cgroup rw,memory\n\
                      31 29 0:28 /docker/x SYS/cpu ro - cgroup cgroup rw,cpu,cpuacct\n";
        let groups = "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x/y\n0::/\n";
        let machine = Machine::new(groups, mounts);
        machine.write("sys/memory/memory.limit_in_bytes", "536870912\n");
        machine.write(
            "sys/memory/y/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        machine.write("sys/cpu/memory.limit_in_bytes", "1\n");
        machine.assert_limit(536_870_912, "sys/memory/memory.limit_in_bytes");
    }
}
