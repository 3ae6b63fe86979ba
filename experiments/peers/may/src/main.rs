//! An echo server on may: a coroutine for each connection.

use std::env;
use std::io::{self, Read, Write};

use may::go;
use may::net::{TcpListener, TcpStream};

fn echo(mut stream: TcpStream, buffer_bytes: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer_bytes];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count])?;
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-may ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    if tuned {
        may::config().set_workers(1);
    }
    let buffer_bytes = if tuned { 64 << 10 } else { 16 << 10 };
    let listener = TcpListener::bind(addr)?;
    loop {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(tuned)?;
        go!(move || echo(stream, buffer_bytes));
    }
}
