//! One blocking connection that knows what it sent and checks what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::kernel::{self, SocketBuffers};
use super::pattern::Pattern;
use super::scale::patience;

/// How much is handed to or taken from the kernel at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A connection, its pattern and its two positions in it.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    pub(crate) pattern: Pattern,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    sending_ended: bool,
}

/// How a stream ended, as its client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// End of stream: the server closed in order.
    Eof,
    /// Connection reset: the server, or its kernel, cut it off.
    Reset,
}

impl Stream {
    /// Connects to `addr` and sends at once what it is given (TCP_NODELAY).
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::with_buffers(addr, SocketBuffers::default())
    }

    /// Connects with socket buffers of a given size.
    pub(crate) fn with_buffers(addr: SocketAddr, buffers: SocketBuffers) -> Self {
        let socket =
            kernel::connect(addr, buffers).unwrap_or_else(|error| panic!("connect to {addr}: {error}"));
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(patience())).unwrap();
        socket.set_write_timeout(Some(patience())).unwrap();
        Self { socket, pattern: Pattern::new(next_id()), sent: 0, received: 0, sending_ended: false }
    }

    /// Sends the next `len` bytes; blocks while the kernel takes none.
    pub(crate) fn send(&mut self, len: usize) {
        let end = self.sent + len as u64;
        while self.sent < end {
            let piece = self.pattern.slice(self.sent, CHUNK_BYTES.min((end - self.sent) as usize));
            let count = (&self.socket).write(piece).unwrap_or_else(|error| self.fail("send", &error));
            self.sent += count as u64;
        }
    }

    /// Receives and checks the next `len` bytes.
    pub(crate) fn receive(&mut self, len: usize) {
        let mut buffer = vec![0; CHUNK_BYTES.min(len)];
        let end = self.received + len as u64;
        while self.received < end {
            let room = buffer.len().min((end - self.received) as usize);
            let count = self.read(&mut buffer[..room]).unwrap_or_else(|error| self.fail("receive", &error));
            assert_ne!(count, 0, "end of stream after {} of {end} bytes", self.received);
            self.take(&buffer[..count]);
        }
    }

    /// Sends `len` bytes, then receives them.
    pub(crate) fn echo(&mut self, len: usize) {
        self.send(len);
        self.receive(len);
    }

    /// Sends `len` bytes while receiving them, which is needed once they exceed what the kernels buffer. With
    /// `then_end`, the sending direction is shut down before the last bytes are back.
    pub(crate) fn full_duplex(&mut self, len: usize, then_end: bool) {
        let socket = self.socket.try_clone().unwrap();
        let mut writer = Self { socket, ..*self };
        self.sent += len as u64;
        self.sending_ended |= then_end;
        thread::scope(|scope| {
            let sending = scope.spawn(move || {
                writer.send(len);
                if then_end {
                    writer.end_sending();
                }
            });
            self.receive(len);
            sending.join().unwrap();
        });
    }

    /// Shuts the sending direction down, unless that has been done.
    pub(crate) fn end_sending(&mut self) {
        if !self.sending_ended {
            self.socket.shutdown(Shutdown::Write).unwrap();
            self.sending_ended = true;
        }
    }

    /// Receives and checks all that comes until the connection ends.
    pub(crate) fn receive_to_end(&mut self) -> End {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return End::Eof,
                Ok(count) => self.take(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return End::Reset,
                Err(error) => self.fail("receive", &error),
            }
        }
    }

    /// Reads what comes next. A read that has a time limit is not restarted by the kernel (signal(7)), whatever disturbed it.
    fn read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match (&self.socket).read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Ends the sending direction, receives what is owed and then end of stream.
    pub(crate) fn finish(mut self) {
        self.end_sending();
        assert_eq!(self.receive_to_end(), End::Eof, "after {} of {} bytes", self.received, self.sent);
        assert_eq!(self.received, self.sent, "bytes before the end of stream");
    }

    /// Closes with RST, dropping what is queued.
    pub(crate) fn reset(self) {
        kernel::reset_on_close(&self.socket);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.pattern.check(self.received, bytes).unwrap_or_else(|mismatch| panic!("{mismatch}"));
        self.received += bytes.len() as u64;
        assert!(self.received <= self.sent, "{} bytes came back of {} sent", self.received, self.sent);
    }

    fn fail(&self, what: &str, error: &std::io::Error) -> ! {
        let ends = kernel::both_ends(&self.socket);
        panic!("{what} failed after {} bytes sent and {} received: {error}\n{ends}", self.sent, self.received)
    }
}

/// An id that no other connection of this process has.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
