//! An echo server on tokio: a task for each connection.

use std::{env, io};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

async fn echo(mut stream: TcpStream, buffer_bytes: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer_bytes];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

async fn serve(addr: &str, tuned: bool) -> io::Result<()> {
    let buffer_bytes = if tuned { 64 << 10 } else { 1 << 10 };
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(tuned)?;
        tokio::spawn(echo(stream, buffer_bytes));
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-tokio ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    let mut runtime = if tuned { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    runtime.enable_io().build()?.block_on(serve(&addr, tuned))
}
