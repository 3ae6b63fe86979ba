//! The servers of a recording: which of them are settings of one program, and in which order they have their colours.

use experiments::recording::manifest::EngineEntry;
use experiments::spec::server_program::ServerProgram;
use experiments::verdict::Comparison;

use crate::chart::Role;

/// The servers that a recording shows, by the program that each is a setting of. One that is not listed is a program of
/// its own, after all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// Name and program of each.
    named: Vec<(String, String)>,
    /// The programs in the order of their colours.
    programs: Vec<String>,
}

impl Servers {
    /// The servers in a manifest, `entries`.
    pub(crate) fn of(entries: &[EngineEntry]) -> Self {
        Self::new(entries.iter().map(|entry| (entry.name.clone(), entry.engine.clone())).collect())
    }

    /// Servers `named` with their programs: those of the table of servers in its order, then the others in theirs.
    fn new(named: Vec<(String, String)>) -> Self {
        let is_here = |program: &&str| named.iter().any(|(_, own)| own == program);
        let of_table = ServerProgram::names().filter(is_here).map(str::to_owned);
        let mut programs: Vec<String> = of_table.collect();
        for (_, program) in &named {
            if !programs.contains(program) {
                programs.push(program.clone());
            }
        }
        Self { named, programs }
    }

    /// Servers called `names`, each of which is a program of its own.
    pub(crate) fn plain(names: &[&str]) -> Self {
        Self::new(names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect())
    }

    /// The program that the server called `name` is a setting of.
    pub(crate) fn program<'a>(&'a self, name: &'a str) -> &'a str {
        self.named.iter().find(|(own, _)| own == name).map_or(name, |(_, program)| program)
    }

    /// The role of the program that the server called `name` is a setting of.
    pub(crate) fn role_of_program(&self, name: &str) -> Role {
        let program = self.program(name);
        let place = self.programs.iter().position(|own| own == program).unwrap_or(self.programs.len());
        Role::series(place)
    }

    /// The programs of both sides of a comparison.
    pub(crate) fn programs_of<'a>(&'a self, of: &'a Comparison) -> [&'a str; 2] {
        [self.program(&of.of), self.program(&of.to)]
    }

    /// The program's name, where the servers `of` both sides are settings of one.
    pub(crate) fn common_program<'a>(&'a self, of: &'a Comparison) -> Option<&'a str> {
        let [program, other] = self.programs_of(of);
        (program == other).then_some(program)
    }

    /// The roles of the `shown` servers, all different while there are colours. A program has its own under its own name;
    /// where only settings of it are shown, the first has it. The others have those that no program of the recording has.
    pub(crate) fn roles(&self, shown: &[String]) -> Vec<Role> {
        let is_plain = |name: &String| shown.iter().any(|other| other == self.program(name));
        let mut roles: Vec<Role> = Vec::new();
        let mut next = self.programs.len();
        for name in shown {
            let own = self.role_of_program(name);
            let has_it = !roles.contains(&own) && (self.program(name) == name || !is_plain(name));
            let is_listed = self.programs.iter().any(|program| program == self.program(name));
            roles.push(if has_it && is_listed {
                own
            } else {
                next += 1;
                Role::series(next - 1)
            });
        }
        roles
    }

    /// Those of `comparisons` that a recording is about: of the two programs of the first one between different programs,
    /// whatever their settings.
    pub(crate) fn asked(&self, comparisons: Vec<Comparison>) -> Vec<Comparison> {
        let programs = |of: &Comparison| self.programs_of(of).map(str::to_owned);
        let asked = comparisons.iter().map(programs).find(|[of, to]| of != to);
        comparisons.into_iter().filter(|of| Some(programs(of)) == asked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(named: &[(&str, &str)]) -> Servers {
        Servers::new(named.iter().map(|(name, program)| ((*name).into(), (*program).into())).collect())
    }

    fn roles(servers: &Servers, shown: &[&str]) -> Vec<Role> {
        servers.roles(&shown.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn colours_follow_the_table_of_servers_and_then_the_recording() {
        let recorded = servers(&[("mine", "mine"), ("uring", "uring"), ("epoll", "epoll")]);
        assert_eq!(roles(&recorded, &["mine", "uring", "epoll"]), [2, 1, 0].map(Role::series));
        assert_eq!(roles(&recorded, &["uring"]), [Role::series(1)], "the same in every figure");
        assert_eq!(roles(&servers(&[("b", "b"), ("a", "a")]), &["a", "b"]), [1, 0].map(Role::series));
    }

    #[test]
    fn settings_of_a_program_differ_and_it_keeps_its_colour() {
        let recorded = servers(&[
            ("epoll-study", "epoll"),
            ("uring-study", "uring"),
            ("epoll", "epoll"),
            ("uring", "uring"),
        ]);
        let shown = ["epoll-study", "uring-study", "epoll", "uring"];
        assert_eq!(roles(&recorded, &shown), [2, 3, 0, 1].map(Role::series));
        assert_eq!(roles(&recorded, &["epoll-study", "uring-study"]), [0, 1].map(Role::series));
        let twice = servers(&[("epoll-a", "epoll"), ("epoll-b", "epoll")]);
        assert_eq!(roles(&twice, &["epoll-a", "epoll-b"]), [0, 1].map(Role::series));
    }

    #[test]
    fn a_name_says_nothing_of_the_program() {
        let recorded = servers(&[("epoll-like", "mine"), ("uring", "uring"), ("slow", "uring")]);
        assert_eq!(recorded.role_of_program("epoll-like"), Role::series(1));
        assert_eq!(recorded.role_of_program("slow"), Role::series(0));
    }

    #[test]
    fn a_recording_is_about_the_first_two_programs_it_compares() {
        let recorded = servers(&[("u", "uring"), ("u2", "uring"), ("e", "epoll"), ("m", "mio")]);
        let all = ["u2/u", "u/e", "e/m", "u2/e"].map(|name| Comparison::parse(name).unwrap());
        let asked: Vec<_> = recorded.asked(all.to_vec()).iter().map(Comparison::name).collect();
        assert_eq!(asked, ["u/e", "u2/e"]);
        assert!(recorded.asked(all[..1].to_vec()).is_empty(), "one program");
        assert_eq!(recorded.common_program(&all[0]), Some("uring"));
        assert_eq!(recorded.common_program(&all[1]), None);
    }
}
