//! An echo server with a thread for each connection.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::{env, thread};

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
    let addr = arguments.next().expect("usage: peer-threads ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    let buffer_bytes = if tuned { 64 << 10 } else { 8 << 10 };
    for stream in TcpListener::bind(addr)?.incoming() {
        let stream = stream?;
        stream.set_nodelay(tuned)?;
        thread::spawn(move || echo(stream, buffer_bytes));
    }
    Ok(())
}
