//! HTTP/1.1 over blocking sockets, as much of it as the AWS protocols and the servers under test use.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for any byte of an answer; nothing on loopback takes as long unless it hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request or an answer: its first line, its headers in order, its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `POST / HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub start: String,
    /// Names as sent, values trimmed.
    pub headers: Vec<(String, String)>,
    /// The body, with any chunking undone.
    pub body: Vec<u8>,
}

impl Message {
    /// A request with a body.
    pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        Self {
            start: format!("{method} {path} HTTP/1.1"),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.into(),
        }
    }

    /// An answer with a JSON body.
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            start: format!("HTTP/1.1 {status} Injected"),
            headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
            body: body.into(),
        }
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status code of an answer, 0 for anything else.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Reads one message; `None` when the peer closed before its first byte.
    pub fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let Some(start) = line(reader)? else { return Ok(None) };
        let mut headers = Vec::new();
        loop {
            let text = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut message = Self { start, headers, body: Vec::new() };
        message.body = message.read_body(reader)?;
        Ok(Some(message))
    }

    /// Writes the message with a length of its own, in place of whatever framing it came with.
    pub fn write(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut bytes = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.headers {
            if !["content-length", "transfer-encoding", "connection"].contains(&name.to_ascii_lowercase().as_str()) {
                bytes.extend(format!("{name}: {value}\r\n").into_bytes());
            }
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", self.body.len()).into_bytes());
        bytes.extend(&self.body);
        stream.write_all(&bytes)?;
        stream.flush()
    }

    fn read_body(&self, reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let size = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
                let mut chunk = vec![0; size];
                reader.read_exact(&mut chunk)?;
                line(reader)?;
                if size == 0 {
                    return Ok(body);
                }
                body.extend(chunk);
            }
        }
        match self.header("content-length") {
            Some(length) => {
                let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                body.resize(length, 0);
                reader.read_exact(&mut body)?;
            }
            // Without a length an answer ends with its connection; a request then has no body.
            None if self.start.starts_with("HTTP/") => {
                reader.read_to_end(&mut body)?;
            }
            None => {}
        }
        Ok(body)
    }
}

/// Sends `request` to `server` on a connection of its own and reads the answer.
pub fn exchange(server: SocketAddr, request: &Message) -> io::Result<Message> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    let mut request = request.clone();
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
    request.headers.push(("host".to_owned(), server.to_string()));
    request.write(&stream)?;
    Message::read(&mut BufReader::new(stream))?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn line(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut text = String::new();
    if reader.read_line(&mut text)? == 0 {
        return Ok(None);
    }
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
