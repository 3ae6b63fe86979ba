//! An echo server on compio: a task for each connection, receives and sends through io_uring.

use std::{env, io};

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;

async fn echo(mut stream: TcpStream, buffer_bytes: usize) -> io::Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(buffer_bytes);
    loop {
        let BufResult(received, filled) = stream.read(buffer).await;
        if received? == 0 {
            return Ok(());
        }
        let BufResult(sent, emptied) = stream.write_all(filled).await;
        sent?;
        buffer = emptied;
        buffer.clear();
    }
}

async fn serve(addr: &str, tuned: bool) -> io::Result<()> {
    let buffer_bytes = if tuned { 64 << 10 } else { 4 << 10 };
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(tuned)?;
        compio::runtime::spawn(echo(stream, buffer_bytes)).detach();
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-compio ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    Runtime::new()?.block_on(serve(&addr, tuned))
}
