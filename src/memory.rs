//! How much memory this process may use: the machine's, or less where a cgroup (a container, a systemd unit) sets a limit.

use std::path::Path;

/// In bytes; None where the system doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub total: Option<u64>,
    pub available: Option<u64>,
}

impl Memory {
    pub fn of_this_process() -> Self {
        // The kernel's own tables, not files of anybody's: read without the disk trait.
        Self::from_tables(|path| std::fs::read_to_string(path).ok())
    }

    fn from_tables(read: impl Fn(&Path) -> Option<String>) -> Self {
        let meminfo = read(Path::new("/proc/meminfo")).unwrap_or_default();
        let mut memory =
            Self { total: meminfo_bytes(&meminfo, "MemTotal:"), available: meminfo_bytes(&meminfo, "MemAvailable:") };
        let own = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
        for (folder, names) in cgroup_folders(&own) {
            let Some(limit) = number(read(&folder.join(names.limit))) else { continue };
            let used = number(read(&folder.join(names.used))).unwrap_or(0);
            // File cache counts as used but is given back on demand.
            let cache = read(&folder.join("memory.stat")).and_then(|stat| field(&stat, names.cache)).unwrap_or(0);
            memory.total = lesser(memory.total, limit);
            memory.available = lesser(memory.available, limit.saturating_sub(used.saturating_sub(cache)));
        }
        memory
    }
}

/// What the two cgroup versions call the same three numbers.
#[derive(Clone, Copy)]
struct Names {
    limit: &'static str,
    used: &'static str,
    cache: &'static str,
}

const V1: Names = Names { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" };
const V2: Names = Names { limit: "memory.max", used: "memory.current", cache: "inactive_file" };

/// Our group's folder and all those above it: the strictest limit on the way up holds. In a container the path of
/// `/proc/self/cgroup` may be the host's; the mount's root, which is always among them, is then our own group.
fn cgroup_folders(own: &str) -> Vec<(std::path::PathBuf, Names)> {
    let mut folders = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (mount, names) = match controllers {
            "" => (Path::new("/sys/fs/cgroup"), V2),
            _ if controllers.split(',').any(|name| name == "memory") => (Path::new("/sys/fs/cgroup/memory"), V1),
            _ => continue,
        };
        let path = Path::new(path.trim_start_matches('/'));
        folders.extend(path.ancestors().map(|part| (mount.join(part), names)));
    }
    folders
}

fn meminfo_bytes(meminfo: &str, label: &str) -> Option<u64> {
    field(meminfo, label)?.checked_mul(1024)
}

/// The number after a label at the start of a line.
fn field(table: &str, label: &str) -> Option<u64> {
    let mut words = table.lines().map(str::split_whitespace).find_map(|mut words| {
        let found = words.next() == Some(label);
        found.then_some(words)
    })?;
    words.next()?.parse().ok()
}

/// "max" is no limit, and so is a number nobody has memory for.
fn number(text: Option<String>) -> Option<u64> {
    text?.trim().parse().ok()
}

fn lesser(one: Option<u64>, other: u64) -> Option<u64> {
    Some(one.map_or(other, |one| one.min(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:        4096 kB\nMemFree:  10 kB\nMemAvailable:    2048 kB\n";

    fn memory(tables: &[(&str, &str)]) -> Memory {
        Memory::from_tables(|path| {
            tables.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn without_a_cgroup_it_is_the_machines() {
        let expected = Memory { total: Some(4096 * 1024), available: Some(2048 * 1024) };
        assert_eq!(memory(&[("/proc/meminfo", MEMINFO)]), expected);
        assert_eq!(memory(&[]), Memory { total: None, available: None });
    }

    #[test]
    fn the_strictest_limit_on_the_way_up_holds_and_file_cache_is_free() {
        let tables = [
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "0::/a/b\n"),
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "1000000\n"),
            ("/sys/fs/cgroup/a/memory.current", "900000\n"),
            ("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 500000\n"),
        ];
        assert_eq!(memory(&tables), Memory { total: Some(1_000_000), available: Some(600_000) });
    }

    #[test]
    fn the_first_cgroup_version_is_read_by_its_own_names() {
        let tables = [
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "9:cpu:/x\n4:hugetlb,memory:/docker/1\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "500000\n"),
        ];
        assert_eq!(memory(&tables), Memory { total: Some(2_000_000), available: Some(1_500_000) });
    }
}
