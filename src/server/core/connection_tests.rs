//! The connection against a model: a queue of bytes between a fake kernel and the state machine.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// What the fake kernel does at one step, whatever it is asked for.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    /// Serves up to this many bytes.
    Serve(u8),
    /// Has no data, or no room.
    Block,
    /// Has no memory.
    Starve,
    /// The server is told to stop, or a while has passed since.
    Stop,
    /// The connection breaks.
    Break,
}

fn kernel() -> impl Strategy<Value = Kernel> {
    prop_oneof![
        12 => (1u8..=255).prop_map(Kernel::Serve),
        3 => Just(Kernel::Block),
        2 => Just(Kernel::Starve),
        1 => Just(Kernel::Stop),
        1 => Just(Kernel::Break),
    ]
}

/// The peer's bytes on their way: not yet received, held by the server, echoed.
struct Wire {
    inbound: VecDeque<u8>,
    held: VecDeque<u8>,
    echoed: Vec<u8>,
}

impl Wire {
    fn recv(&mut self, step: Kernel) -> Event {
        match step {
            Kernel::Starve if !self.inbound.is_empty() => Event::Starved,
            Kernel::Break => Event::Failed,
            Kernel::Serve(_) if self.inbound.is_empty() => Event::PeerClosed,
            Kernel::Serve(most) => {
                let count = self.inbound.len().min(usize::from(most));
                self.held.extend(self.inbound.drain(..count));
                Event::Received(count)
            }
            _ => Event::Idle,
        }
    }

    fn send(&mut self, step: Kernel) -> Event {
        match step {
            Kernel::Break => Event::Failed,
            Kernel::Serve(most) => {
                let count = self.held.len().min(usize::from(most));
                self.echoed.extend(self.held.drain(..count));
                Event::Sent(count)
            }
            _ => Event::SendBlocked,
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_kernel_does_the_echo_is_a_prefix_of_the_input(
        input in prop::collection::vec(any::<u8>(), 0..2000),
        steps in prop::collection::vec(kernel(), 1..400),
    ) {
        let mut wire = Wire { inbound: input.clone().into(), held: VecDeque::new(), echoed: vec![] };
        let (mut connection, mut next, mut asked, mut failed) = (Connection::alternating(), Next::Recv, Next::Recv, false);
        for step in steps {
            if let Kernel::Stop = step {
                prop_assert_eq!(connection.on(Event::Stop), Next::Park);
                prop_assert_eq!(connection.is_quiet(), wire.held.is_empty());
                continue;
            }
            if next == Next::Park {
                next = asked;
            }
            let event = if next == Next::Recv { wire.recv(step) } else { wire.send(step) };
            failed |= event == Event::Failed;
            asked = next;
            next = connection.on(event);
            prop_assert_eq!(connection.owed_bytes(), wire.held.len());
            prop_assert_eq!(&wire.echoed[..], &input[..wire.echoed.len()]);
            if next == Next::Close {
                break;
            }
        }
        if next == Next::Close && !failed {
            prop_assert!(wire.held.is_empty(), "closed in good order while owing");
            prop_assert_eq!(wire.echoed, input);
        }
    }
}

fn open_with(owed: usize) -> Connection {
    let mut connection = Connection::alternating();
    assert_eq!(connection.on(Event::Received(owed)), Next::Send);
    connection
}

#[test]
fn a_short_send_is_followed_by_a_send_of_the_rest() {
    let mut connection = open_with(10);
    assert_eq!(connection.on(Event::Sent(4)), Next::Send);
    assert_eq!(connection.owed_bytes(), 6);
    assert_eq!(connection.on(Event::Sent(6)), Next::Recv);
}

#[test]
fn a_stopping_server_echoes_what_still_arrives_and_closes_when_that_has_ceased() {
    let mut connection = open_with(10);
    assert_eq!(connection.on(Event::Stop), Next::Park);
    assert_eq!(connection.on(Event::Tick), Next::Park);
    assert_eq!(connection.on(Event::Sent(10)), Next::Recv);
    assert_eq!(connection.on(Event::Received(3)), Next::Send);
    assert_eq!(connection.on(Event::Sent(3)), Next::Recv);
    assert_eq!(connection.on(Event::Idle), Next::Park);
    assert_eq!(connection.on(Event::Tick), Next::Park);
    assert!(connection.is_quiet());
    assert_eq!(connection.on(Event::Tick), Next::Close);
}

#[test]
fn an_idle_connection_stays_open() {
    assert_eq!(Connection::alternating().on(Event::Idle), Next::Park);
}

#[test]
#[should_panic(expected = "sent 11 of 10 owed bytes")]
fn sending_more_than_is_owed_is_a_bug() {
    open_with(10).on(Event::Sent(11));
}

#[test]
#[should_panic(expected = "Received(1) while 10 bytes are owed")]
fn receiving_while_owing_is_a_bug() {
    open_with(10).on(Event::Received(1));
}

#[test]
#[should_panic(expected = "after the connection was given up")]
fn an_event_after_close_is_a_bug() {
    let mut connection = open_with(10);
    assert_eq!(connection.on(Event::Failed), Next::Close);
    connection.on(Event::Sent(1));
}
