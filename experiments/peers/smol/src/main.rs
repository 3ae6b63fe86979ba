//! An echo server on smol: a task for each connection.

use std::{env, io};

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};

/// As its documentation does it: with what it copies by.
async fn copy(stream: TcpStream) -> io::Result<()> {
    smol::io::copy(stream.clone(), stream).await.map(drop)
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

async fn serve(addr: &str) -> io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        smol::spawn(copy(stream)).detach();
    }
}

async fn serve_tuned(addr: &str, tasks: &smol::LocalExecutor<'_>) -> io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tasks.spawn(echo(stream)).detach();
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let addr = arguments.next().expect("usage: peer-smol ADDR:PORT [tuned]");
    if arguments.next().as_deref() == Some("tuned") {
        let tasks = smol::LocalExecutor::new();
        return smol::block_on(tasks.run(serve_tuned(&addr, &tasks)));
    }
    smol::block_on(serve(&addr))
}
