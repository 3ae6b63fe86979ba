//! A guest whose memory runs out, recognised by what its kernel writes on the console.

/// How many lines of each kind an error quotes.
const LINES_MAX: usize = 12;

/// What a kernel writes when an allocation finds no memory: who asked, who was killed for it, or that it gave up.
/// A control group that reaches its own limit is spelt otherwise. Source: mm/oom_kill.c.
const SIGNS: [&str; 6] = [
    " invoked oom-killer: gfp_mask=",
    "Out of memory: Killed process ",
    "Out of memory (oom_kill_allocating_task): Killed process ",
    "Out of memory and no killable processes",
    "Kernel panic - not syncing: Out of memory: ",
    "Kernel panic - not syncing: System is deadlocked on memory",
];

/// What comes before the kernel's table of processes and the pages that each has.
const TABLE: &str = "Tasks state (memory values in pages):";

/// The kernel's own lines on how its memory ran out and who had it, indented; `None` when it did not.
pub(crate) fn ran_out(console: &str) -> Option<String> {
    let signs: Vec<&str> =
        console.lines().filter(|line| SIGNS.iter().any(|sign| line.contains(sign))).collect();
    let quote = |line: &str| format!("    {}", line.trim_end());
    let quoted = signs.iter().copied().take(LINES_MAX).chain(table(console).take(LINES_MAX));
    (!signs.is_empty()).then(|| quoted.map(quote).collect::<Vec<_>>().join("\n"))
}

/// The first table of processes: rows in brackets behind the time stamp.
fn table(console: &str) -> impl Iterator<Item = &str> {
    let is_row = |line: &&str| line.split_once("] ").is_some_and(|(_, row)| row.starts_with('['));
    console.lines().skip_while(|line| !line.contains(TABLE)).skip(1).take_while(is_row)
}

/// What to try when the guest's memory may have run out, else nothing.
///
/// A guest whose memory does not hold kernel and initramfs resets before it has a console to complain on; a program that
/// is refused memory says so itself, and goes on or not.
pub(crate) fn hint(console: &str) -> &'static str {
    const COMPLAINTS: [&str; 4] =
        ["Out of memory", "out of memory", "memory allocation of ", "Cannot allocate memory"];
    if console.is_empty() {
        " (it never spoke: --memory-mib may be too little to unpack its kernel)"
    } else if COMPLAINTS.iter().any(|complaint| console.contains(complaint)) {
        " (its memory ran out: try a larger --memory-mib)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Debian's 6.1.192 under a program that takes all there is; registers, zones and the call trace are left out.
    const PANIC: &str = "46 MiB\r
[    3.677984] glutton invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0\r
[    3.687659] 9252 pages reserved\r
[    3.687756] Tasks state (memory values in pages):\r
[    3.687834] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\r
[    3.688131] [     86]     0    86    12449    12311   131072        0             0 glutton\r
[    3.688369] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled\r
[    3.688562] [drm] not a row of the table\r
";

    #[test]
    fn the_kernels_lines_are_quoted_with_who_asked_and_who_had_the_memory() {
        let said = ran_out(PANIC).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 4, "{said}");
        assert!(lines[0].starts_with("    [    3.677984] glutton invoked oom-killer"), "{said}");
        assert!(lines[1].ends_with("system-wide panic_on_oom is enabled"), "{said}");
        assert!(lines[2].ends_with("oom_score_adj name"), "{said}");
        assert!(lines[3].ends_with("0 glutton"), "{said}");
    }

    #[test]
    fn each_way_in_which_a_kernel_meets_the_end_of_its_memory_is_known() {
        for line in [
            "[    3.6] kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0",
            "[    2.7] Out of memory: Killed process 85 (glutton) total-vm:50824kB, anon-rss:48232kB, UID:0",
            "[    2.7] Out of memory (oom_kill_allocating_task): Killed process 85 (uring-echo) total-vm:9kB",
            "[    0.9] Out of memory and no killable processes...",
            "[    0.9] Kernel panic - not syncing: System is deadlocked on memory",
            "[    3.6] Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled",
            "no newline before this[    2.7] Out of memory: Killed process 85 (glutton) total-vm:50824kB",
        ] {
            assert_eq!(ran_out(&format!("[ 0.0] Linux\n{line}\r\n")), Some(format!("    {line}")));
        }
    }

    #[test]
    fn other_shortages_are_not_taken_for_it() {
        for line in [
            "[    3.6] Memory cgroup out of memory: Killed process 85 (glutton) total-vm:50824kB",
            "[    9.1] TCP: out of memory -- consider tuning tcp_mem",
            "[    9.1] kworker/0:1: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL)",
            "memory allocation of 1099511627776 bytes failed",
            "[    1.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
            "[    1.0] [Firmware Bug]: Tasks state",
        ] {
            assert_eq!(ran_out(&format!("{line}\n")), None, "{line}");
        }
    }

    #[test]
    fn a_guest_that_kills_again_and_again_is_quoted_in_part() {
        let console = "[ 2.7] Out of memory: Killed process 85 (glutton) total-vm:9kB\n".repeat(1000);
        assert_eq!(ran_out(&console).unwrap().lines().count(), LINES_MAX);
    }

    #[test]
    fn a_program_that_is_refused_memory_is_given_a_hint() {
        assert!(hint("memory allocation of 1099511627776 bytes failed").contains("--memory-mib"));
        assert!(
            hint("uring-echo: cannot map the spill buffers: Cannot allocate memory").contains("--memory-mib")
        );
        assert!(hint("").contains("--memory-mib"));
        assert_eq!(hint("[ 0.0] Linux version 6.1"), "");
    }
}
