//! An echo server on monoio: a task for each connection, receives and sends through io_uring.

use std::{env, io};

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder};

async fn echo(mut stream: TcpStream, buffer_bytes: usize) -> io::Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(buffer_bytes);
    loop {
        let (received, filled) = stream.read(buffer).await;
        if received? == 0 {
            return Ok(());
        }
        let (sent, emptied) = stream.write_all(filled).await;
        sent?;
        buffer = emptied;
        buffer.clear();
    }
}

async fn serve(addr: &str, tuned: bool) -> io::Result<()> {
    let buffer_bytes = if tuned { 64 << 10 } else { 8 << 10 };
    let listener = TcpListener::bind(addr)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(tuned)?;
        monoio::spawn(echo(stream, buffer_bytes));
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-monoio ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    RuntimeBuilder::<IoUringDriver>::new().build()?.block_on(serve(&addr, tuned))
}
