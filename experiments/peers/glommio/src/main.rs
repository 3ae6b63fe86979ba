//! An echo server on glommio: a task for each connection, receives and sends through io_uring.

use std::{env, io};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement};

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

async fn serve(addr: String, tuned: bool) -> io::Result<()> {
    let buffer_bytes = if tuned { 64 << 10 } else { 1 << 10 };
    let listener = TcpListener::bind(addr)?;
    loop {
        let stream = listener.accept().await?;
        stream.set_nodelay(tuned)?;
        glommio::spawn_local(echo(stream, buffer_bytes)).detach();
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-glommio ADDR:PORT [tuned]");
    let tuned = arguments.next().as_deref() == Some("tuned");
    let executor = LocalExecutorBuilder::new(Placement::Unbound)
        .make()
        .map_err(|error| io::Error::other(error.to_string()))?;
    executor.run(serve(addr, tuned))
}
