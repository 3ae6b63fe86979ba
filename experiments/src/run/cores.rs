//! Which cores the two ends run on.

use anyhow::ensure;
use uring_echo::cpu_list;

use crate::run::kinds::Kinds;

/// The cores of a recording. The runner stays on the client's, so that drawing its progress costs the server nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// The server's.
    pub server: usize,
    /// The client's.
    pub client: Vec<usize>,
}

impl Cores {
    /// What the user asked for, the rest chosen from `permitted`: of the fastest cores the last one for the server, the
    /// first other one for the client. Ends of the list are rarely two threads of one core, and core 0 takes most
    /// interrupts. Both ends get cores of one kind as long as there are two. On a machine of one core they share it.
    ///
    /// # Errors
    /// When a core asked for is not permitted, or `permitted` is empty.
    pub fn choose(
        permitted: &[usize],
        kinds: &Kinds,
        server: Option<usize>,
        client: &[usize],
    ) -> anyhow::Result<Self> {
        for cpu in client.iter().chain(&server) {
            ensure!(
                permitted.contains(cpu),
                "CPU {cpu} is not among those permitted: {}",
                cpu_list::written(permitted)
            );
        }
        let alike = kinds.candidates(permitted, server.or(client.first().copied()));
        let free = |cpu: &&usize| !client.contains(cpu);
        let last = alike.iter().rev().chain(permitted.iter().rev()).find(free);
        let Some(&last) = last.or(permitted.last()) else {
            anyhow::bail!("this process may run on no CPU at all");
        };
        let server = server.unwrap_or(last);
        let other = alike.iter().chain(permitted).copied().find(|&cpu| cpu != server).unwrap_or(server);
        let client = if client.is_empty() { vec![other] } else { client.to_vec() };
        Ok(Self { server, client })
    }

    /// Whether the two ends compete for a core.
    pub fn are_shared(&self) -> bool {
        self.client.contains(&self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(permitted: &[usize], server: Option<usize>, client: &[usize]) -> (usize, Vec<usize>) {
        let cores = Cores::choose(permitted, &Kinds::default(), server, client).unwrap();
        (cores.server, cores.client)
    }

    #[test]
    fn the_two_ends_get_different_cores_where_there_are_two() {
        assert_eq!(choose(&[0, 1], None, &[]), (1, vec![0]));
        assert_eq!(choose(&[4, 6, 9], None, &[]), (9, vec![4]));
    }

    #[test]
    fn what_is_asked_for_is_kept_and_the_other_end_avoids_it() {
        assert_eq!(choose(&[0, 1, 2], Some(0), &[]), (0, vec![1]));
        assert_eq!(choose(&[0, 1, 2], None, &[1, 2]), (0, vec![1, 2]));
        assert_eq!(choose(&[0, 1, 2], Some(2), &[2]), (2, vec![2]));
    }

    #[test]
    fn one_core_is_shared_and_known_to_be() {
        let cores = Cores::choose(&[3], &Kinds::default(), None, &[]).unwrap();
        assert_eq!((cores.server, cores.client.as_slice()), (3, [3].as_slice()));
        assert!(cores.are_shared());
        assert!(!Cores::choose(&[0, 1], &Kinds::default(), None, &[]).unwrap().are_shared());
    }

    #[test]
    fn a_core_that_is_not_permitted_is_refused_with_those_that_are() {
        let error = Cores::choose(&[0, 1], &Kinds::default(), Some(7), &[]).unwrap_err().to_string();
        assert_eq!(error, "CPU 7 is not among those permitted: 0,1");
    }
}
