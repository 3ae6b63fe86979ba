//! The values derived from a record's raw ones.

use crate::measure::fairness::{Spread, jain};
use crate::record::{CoreUse, Cpu, Limit, RunRecord, ServerCounters, Summary};
use crate::units::Nanos;

/// From this share of a core's time on, the core is the limit of its end.
const BUSY_SHARE_MIN: f64 = 0.95;

/// The summary of `record`; `None` if its window never ended.
pub(crate) fn derive(record: &RunRecord) -> Option<Summary> {
    let (timeline, cpu) = (record.timeline?, record.cpu.as_ref()?);
    let traffic = record.totals.window;
    let seconds = timeline.window().as_secs_f64();
    let busy = cpu.server_core.map(|core| core.busy_ns);
    let per = |count: u64| busy.filter(|_| count > 0).map(|busy| busy.0 as f64 / count as f64);
    let hogs_received_bytes = record.hogs.map_or(0, |hogs| hogs.received_bytes);
    let server_busy_share = server_busy_share(cpu, timeline.window());
    let client_busy_share = client_busy_share(cpu, timeline.window());
    Some(Summary {
        goodput_bytes_per_s: traffic.received_bytes as f64 / seconds,
        messages_per_s: traffic.received_messages as f64 / seconds,
        cpu_ns_per_message: per(traffic.received_messages).filter(|_| record.hogs.is_none()),
        cpu_ns_per_byte: per(traffic.received_bytes + hogs_received_bytes),
        syscalls_per_message: syscalls_per_message(&record.counters, record.client.payload_bytes.0 as u64)
            .or_else(|| traced_syscalls_per_message(&record.counters, traffic.received_messages)),
        jain: jain(&record.connections.received_bytes),
        connection_received_bytes: Spread::of(&record.connections.received_bytes),
        server_busy_share,
        server_core_foreign_share: server_core_foreign_share(cpu),
        client_busy_share,
        limit: limit(server_busy_share, client_busy_share),
    })
}

/// Both figures are the server's own and cut at one instant, so that messages it has received and not yet echoed do
/// not blur the quotient.
fn syscalls_per_message(counters: &ServerCounters, payload_bytes: u64) -> Option<f64> {
    let window = counters.window?;
    let messages = window.received_bytes as f64 / payload_bytes as f64;
    (messages > 0.0).then(|| window.syscalls as f64 / messages)
}

/// Of a server that does not count: both figures are cut within about a millisecond.
fn traced_syscalls_per_message(counters: &ServerCounters, messages: u64) -> Option<f64> {
    let syscalls = counters.traced_syscalls?;
    (messages > 0).then(|| syscalls as f64 / messages as f64)
}

fn server_busy_share(cpu: &Cpu, window: Nanos) -> Option<f64> {
    let by_process = || cpu.server_process_ns.map(|used| share(used, window));
    cpu.server_core.map(CoreUse::busy_share).or_else(by_process)
}

fn server_core_foreign_share(cpu: &Cpu) -> Option<f64> {
    let core = cpu.server_core?;
    let own = core.steal_ns + cpu.server_process_ns? + cpu.server_ksoftirqd_ns.unwrap_or_default();
    Some(share(core.busy_ns.saturating_sub(own), core.elapsed_ns))
}

fn client_busy_share(cpu: &Cpu, window: Nanos) -> f64 {
    let by_thread = cpu.client_threads_ns.iter().map(|&used| share(used, window));
    // With more cores than threads some are idle for want of a thread, which says nothing; with fewer, each has one.
    let is_one_each = cpu.client_cores.len() <= cpu.client_threads_ns.len();
    let by_core = cpu.client_cores.iter().filter(|_| is_one_each).map(|core| core.busy_share());
    by_thread.chain(by_core).fold(0.0, f64::max)
}

fn share(used: Nanos, window: Nanos) -> f64 {
    used.0 as f64 / window.0.max(1) as f64
}

fn limit(server_busy_share: Option<f64>, client_busy_share: f64) -> Limit {
    let is_server = server_busy_share.is_some_and(|share| share >= BUSY_SHARE_MIN);
    match (is_server, client_busy_share >= BUSY_SHARE_MIN) {
        (true, true) => Limit::Both,
        (true, false) => Limit::Server,
        (false, true) => Limit::Client,
        (false, false) => Limit::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::counters::Counters;

    fn core(busy_ns: u64) -> CoreUse {
        let zero = Nanos(0);
        CoreUse {
            cpu: 0,
            elapsed_ns: Nanos(1000),
            busy_ns: Nanos(busy_ns),
            user_ns: zero,
            system_ns: zero,
            irq_ns: zero,
            softirq_ns: zero,
            steal_ns: zero,
        }
    }

    fn cpu() -> Cpu {
        Cpu {
            server_process_ns: Some(Nanos(700)),
            server_core: Some(core(980)),
            server_ksoftirqd_ns: None,
            client_process_ns: Nanos(900),
            client_threads_ns: vec![Nanos(300), Nanos(600)],
            client_cores: vec![],
        }
    }

    #[test]
    fn the_limit_is_whose_core_is_busy() {
        assert_eq!(limit(Some(0.95), 0.94), Limit::Server);
        assert_eq!(limit(Some(0.94), 0.95), Limit::Client);
        assert_eq!(limit(Some(1.0), 1.0), Limit::Both);
        assert_eq!(limit(None, 0.5), Limit::Neither);
    }

    #[test]
    fn an_unpinned_server_is_as_busy_as_its_process() {
        assert_eq!(server_busy_share(&cpu(), Nanos(1000)), Some(0.98));
        let unpinned = Cpu { server_core: None, ..cpu() };
        assert_eq!(server_busy_share(&unpinned, Nanos(1000)), Some(0.7));
    }

    #[test]
    fn what_the_server_did_not_use_of_its_busy_core_is_foreign() {
        let shared = Cpu { server_ksoftirqd_ns: Some(Nanos(80)), ..cpu() };
        assert_eq!(server_core_foreign_share(&shared), Some(0.2));
        assert_eq!(server_core_foreign_share(&Cpu { server_core: None, ..cpu() }), None);
    }

    #[test]
    fn the_client_is_as_busy_as_its_busiest_thread_or_core() {
        assert_eq!(client_busy_share(&cpu(), Nanos(1000)), 0.6);
        let pinned = Cpu { client_cores: vec![core(800), core(100)], ..cpu() };
        assert_eq!(client_busy_share(&pinned, Nanos(1000)), 0.8);
        let roomy = Cpu { client_cores: vec![core(990), core(1), core(1)], ..cpu() };
        assert_eq!(client_busy_share(&roomy, Nanos(1000)), 0.6);
    }

    #[test]
    fn system_calls_are_counted_against_what_the_server_received() {
        let window = Counters { syscalls: 30, received_bytes: 2000, ..Counters::default() };
        let counters = ServerCounters { window: Some(window), ..ServerCounters::default() };
        assert_eq!(syscalls_per_message(&counters, 100), Some(1.5));
        assert_eq!(syscalls_per_message(&ServerCounters::default(), 100), None);
        let traced = ServerCounters { traced_syscalls: Some(30), ..ServerCounters::default() };
        assert_eq!(traced_syscalls_per_message(&traced, 20), Some(1.5));
        assert_eq!(traced_syscalls_per_message(&traced, 0), None);
        assert_eq!(traced_syscalls_per_message(&ServerCounters::default(), 20), None);
    }
}
