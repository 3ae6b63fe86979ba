//! What a function of the kernel works at: a table of rules, and where a sample belongs by it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::classes::Class;

/// The table as its file has it. A pattern is a function's name, or how one begins and an asterisk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Functions at whose end interrupts are on again.
    enables_interrupts: Vec<String>,
    /// Those of them that stand for their caller.
    callers: Vec<String>,
    /// Where a core begins what it does in no process's name.
    nobodys: Vec<String>,
    /// What holds for a function wherever it stands in a stack.
    anywhere: BTreeMap<Class, Vec<String>>,
    /// What holds for the innermost alone: below every system call stands the same entry.
    innermost: BTreeMap<Class, Vec<String>>,
}

/// Which class a function is of. An exact name comes before a beginning, a longer beginning before a shorter.
#[derive(Clone, Debug, Default)]
struct Patterns {
    exact: HashMap<String, Class>,
    beginnings: Vec<(String, Class)>,
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Rules {
    anywhere: Patterns,
    innermost: Patterns,
    enables_interrupts: Vec<String>,
    callers: Vec<String>,
    nobodys: Vec<String>,
}

/// Whose stack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The server's.
    Server,
    /// Another process's, a kernel thread's or nobody's.
    Other,
}

impl Rules {
    /// Those that this program is built with.
    pub fn built_in() -> Self {
        Self::parse(include_str!("classes.toml")).expect("a test reads the table")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let Table { enables_interrupts, callers, nobodys, anywhere, innermost } = table;
        let (anywhere, innermost) = (Patterns::of(anywhere)?, Patterns::of(innermost)?);
        Ok(Self { anywhere, innermost, enables_interrupts, callers, nobodys })
    }

    /// What a sample is charged to whose functions in the kernel are `stack`, the innermost first: what the first one is of
    /// that a rule knows. An innermost one that has just switched interrupts on for its caller is passed over: until then the
    /// timer had to wait, and it was the caller that worked.
    pub fn class(&self, stack: &[&str], context: Context) -> Class {
        if context == Context::Server {
            return self.by_name(stack);
        }
        let is_nobodys = |name: &&str| self.nobodys.iter().any(|pattern| covers(pattern, name));
        match stack.iter().rposition(is_nobodys) {
            Some(outermost) => self.by_name(&stack[..=outermost]),
            None => Class::OtherProcesses,
        }
    }

    fn by_name(&self, stack: &[&str]) -> Class {
        let Some(innermost) = stack.first() else { return Class::UserCode };
        let known = self.innermost.class(innermost);
        let is_callers = self.callers.iter().any(|name| name == plain(innermost));
        let deciding = &stack[usize::from(is_callers && stack.len() > 1)..];
        let known = known.or_else(|| deciding.iter().find_map(|name| self.anywhere.class(name)));
        known.unwrap_or(Class::Unclassified)
    }

    /// Whether interrupts are on again at the end of `function`.
    pub fn enables_interrupts(&self, function: &str) -> bool {
        self.enables_interrupts.iter().chain(&self.callers).any(|name| name == plain(function))
    }
}

impl Patterns {
    fn of(table: BTreeMap<Class, Vec<String>>) -> Result<Self, String> {
        let mut patterns = Self::default();
        for (class, pattern) in
            table.into_iter().flat_map(|(class, of)| of.into_iter().map(move |one| (class, one)))
        {
            let is_new = match pattern.strip_suffix('*') {
                None => patterns.exact.insert(pattern.clone(), class).is_none(),
                Some(beginning) => {
                    let is_new = patterns.beginnings.iter().all(|(other, _)| other != beginning);
                    patterns.beginnings.push((beginning.to_owned(), class));
                    is_new
                }
            };
            if !is_new {
                return Err(format!("'{pattern}' stands there twice"));
            }
        }
        patterns.beginnings.sort_by_key(|(beginning, _)| Reverse(beginning.len()));
        Ok(patterns)
    }

    fn class(&self, name: &str) -> Option<Class> {
        let name = plain(name);
        let begins = || self.beginnings.iter().find(|(beginning, _)| name.starts_with(beginning.as_str()));
        self.exact.get(name).copied().or_else(|| begins().map(|(_, class)| *class))
    }
}

fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => plain(name) == pattern,
    }
}

/// `name` without what a compiler adds to a function that it made of another, as `.isra.0` or `.cold`.
fn plain(name: &str) -> &str {
    name.split_once('.').map_or(name, |(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Context::{Other, Server};

    const RULES: &str = r#"
enables_interrupts = ["do_syscall"]
callers = ["unlock_irq"]
nobodys = ["irq_*", "do_idle"]
[anywhere]
"tcp send" = ["tcp_sendmsg", "tcp_*"]
"tcp receive" = ["tcp_rcv_*"]
"copy" = ["copy"]
"locks" = ["unlock*"]
"interrupts and timers" = ["irq_entry"]
"idle" = ["do_idle"]
[innermost]
"system call entry and exit" = ["do_syscall"]
"#;

    #[test]
    fn the_innermost_function_that_a_rule_knows_decides() {
        let rules = Rules::parse(RULES).unwrap();
        assert_eq!(rules.class(&["copy", "tcp_sendmsg", "do_syscall"], Server), Class::Copy);
        assert_eq!(rules.class(&["helper", "tcp_sendmsg", "copy"], Server), Class::TcpSend);
        assert_eq!(rules.class(&[], Server), Class::UserCode);
    }

    #[test]
    fn an_entry_below_every_stack_explains_no_function_that_nobody_knows() {
        let rules = Rules::parse(RULES).unwrap();
        assert_eq!(rules.class(&["do_syscall", "entry"], Server), Class::SyscallEntry);
        assert_eq!(rules.class(&["helper", "do_syscall"], Server), Class::Unclassified);
    }

    #[test]
    fn what_switches_interrupts_on_for_its_caller_stands_for_it() {
        let rules = Rules::parse(RULES).unwrap();
        let class = |stack: &[&str]| rules.class(stack, Server);
        assert_eq!(class(&["unlock_irq", "tcp_rcv_x"]), Class::TcpReceive);
        assert_eq!(class(&["unlock", "tcp_rcv_x"]), Class::Locks);
        assert_eq!(class(&["unlock_irq"]), Class::Locks, "of a caller that nobody knows");
        assert!(rules.enables_interrupts("unlock_irq") && rules.enables_interrupts("do_syscall"));
        assert!(!rules.enables_interrupts("unlock"));
    }

    #[test]
    fn exact_names_come_before_beginnings_and_longer_beginnings_before_shorter() {
        let rules = Rules::parse(RULES).unwrap();
        let class = |name| rules.class(&[name], Server);
        assert_eq!([class("tcp_ack"), class("tcp_rcv_x")], [Class::TcpSend, Class::TcpReceive]);
        assert_eq!(class("copy.isra.0"), Class::Copy, "as a compiler named it");
        assert_eq!(class("copy_more"), Class::Unclassified);
    }

    #[test]
    fn what_others_do_is_theirs_but_for_interrupts_and_idling() {
        let rules = Rules::parse(RULES).unwrap();
        assert_eq!(rules.class(&["tcp_sendmsg", "do_syscall"], Other), Class::OtherProcesses);
        assert_eq!(rules.class(&[], Other), Class::OtherProcesses);
        assert_eq!(rules.class(&["tcp_rcv_x", "irq_entry", "copy"], Other), Class::TcpReceive);
        assert_eq!(rules.class(&["helper", "irq_entry", "copy"], Other), Class::InterruptsAndTimers);
        assert_eq!(rules.class(&["irq_helper", "irq_entry", "copy"], Other), Class::InterruptsAndTimers);
        assert_eq!(rules.class(&["helper", "do_idle"], Other), Class::Idle);
    }

    #[test]
    fn a_class_that_does_not_exist_and_a_pattern_that_stands_twice_are_refused() {
        let refusal = |line: &str| Rules::parse(&RULES.replace("\"copy\" = [\"copy\"]", line)).unwrap_err();
        assert!(refusal("\"magic\" = [\"copy\"]").contains("no class is called 'magic'"));
        assert!(refusal("\"copy\" = [\"tcp_sendmsg\"]").contains("'tcp_sendmsg' stands there twice"));
        assert!(refusal("\"copy\" = [\"tcp_*\"]").contains("'tcp_*' stands there twice"));
    }

    #[test]
    fn the_table_can_be_read_and_has_every_class_that_a_name_decides() {
        let rules = Rules::built_in();
        let all = [&rules.anywhere, &rules.innermost];
        let has = |class| {
            all.iter().any(|patterns| {
                let beginnings = patterns.beginnings.iter().map(|(_, class)| class);
                patterns.exact.values().chain(beginnings).any(|own| *own == class)
            })
        };
        let without = [Class::UserCode, Class::OtherProcesses, Class::Unclassified];
        for (class, name) in Class::NAMED {
            assert_eq!(has(class), !without.contains(&class), "{name}");
            assert_eq!(class.name(), name, "the names stand in the order of the classes");
        }
    }
}
